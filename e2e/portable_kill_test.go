package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// An import that is killed again and again, beside a server and alone, ends as one that
// was let be.
func TestAnImportThatIsKilledGoesOn(t *testing.T) {
	t.Parallel()
	folder := bigFolder(t, 30, 300)
	calm := filepath.Join(t.TempDir(), "calm")
	mustSkein(t, "import", "--data", calm, "--app", "shop", "--from", folder)
	want := exported(t, calm, "shop")

	alone := filepath.Join(t.TempDir(), "alone")
	killImports(t, alone, folder)
	mustSkein(t, "import", "--data", alone, "--app", "shop", "--from", folder)
	wantSameFolder(t, "killed alone", exported(t, alone, "shop"), want)

	s := start(t, withoutDev())
	killImports(t, s.Data, folder)
	out, errs, exit := skein(t, "import", "--data", s.Data, "--app", "shop", "--from", folder)
	if exit != 0 {
		t.Fatalf("the last import: exit %d\n%s%s", exit, out, errs)
	}
	wantSameFolder(t, "killed beside a server", exported(t, s.Data, "shop"), want)
}

// killImports begins imports and kills each once some more has come.
func killImports(t *testing.T, data, folder string) {
	t.Helper()
	for n := range 6 {
		cmd := exec.Command(program, "import", "--data", data, "--app", "shop", "--from", folder)
		cmd.Env = cleanEnv()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		eventually(t, "some records have come", func() bool {
			select {
			case err := <-done:
				done <- err
				return true
			default:
			}
			return conversationsIn(t, data) > 3*n
		})
		signal := syscall.SIGKILL
		if n%2 == 1 {
			signal = syscall.SIGINT
		}
		_ = cmd.Process.Signal(signal) // it may have ended
		<-done
	}
}

// conversationsIn is how many conversations of the app are known by now.
func conversationsIn(t *testing.T, data string) int {
	t.Helper()
	out := filepath.Join(t.TempDir(), "look")
	if _, _, exit := skein(t, "export", "--data", data, "--app", "shop", "--out", out, "--client", "bob"); exit != 0 {
		return 0
	}
	return len(linesOf(t, out, "conversations"))
}

func TestTheDataOfOneClientIsItsOwnAndWhatItMaySee(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	a := newApp(t, s, "shop")
	furnish(t, a)
	strangers := a.group(t, "cid", "cid", "mal")
	a.send(t, strangers, "cid", "between the two of them")
	out := exported(t, s.Data, "shop", "--client", "bob")
	var manifest struct {
		ClientID string `json:"client_id"`
	}
	raw, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &manifest); err != nil || manifest.ClientID != "bob" {
		t.Errorf("manifest: got %s, %v", raw, err)
	}
	if got := linesOf(t, out, "clients"); len(got) != 1 || !strings.Contains(got[0], `"client_id":"bob"`) {
		t.Errorf("clients: got %q, want bob alone", got)
	}
	for _, line := range linesOf(t, out, "members") {
		if !strings.Contains(line, `"client_id":"bob"`) {
			t.Errorf("a member that is not bob: %s", line)
		}
	}
	text := strings.Join(linesOf(t, out, "messages"), "")
	for _, want := range []string{"just us", "before", "hello 你好"} {
		if !strings.Contains(text, want) {
			t.Errorf("messages lack %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"between the two", "hidden_for", "I did not say this", "to be erased"} {
		if strings.Contains(text, not) {
			t.Errorf("messages have %q:\n%s", not, text)
		}
	}
	if _, errs, exit := skein(t, "import", "--data", filepath.Join(t.TempDir(), "data"), "--app", "shop", "--from", out); exit != 1 || !strings.Contains(errs, "of the client bob alone") {
		t.Errorf("its import: exit %d, %s", exit, errs)
	}
	if _, errs, exit := skein(t, "export", "--data", s.Data, "--app", "shop", "--client", "nobody", "--out", filepath.Join(t.TempDir(), "x")); exit != 1 || !strings.Contains(errs, `no client "nobody"`) {
		t.Errorf("an unknown client: exit %d, %s", exit, errs)
	}
	if _, errs, exit := skein(t, "export", "--data", s.Data, "--app", "nobody", "--out", filepath.Join(t.TempDir(), "x")); exit != 1 || !strings.Contains(errs, `no app "nobody"`) {
		t.Errorf("an unknown app: exit %d, %s", exit, errs)
	}
}
