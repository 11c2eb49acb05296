package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// bigFolder is a folder made without skein, as docs/portable.md says, of
// conversations with n messages each.
func bigFolder(t *testing.T, conversations, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "big")
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	app := []byte(`{"app_id":"shop","name":"Shop"}`)
	lists := map[string]*strings.Builder{}
	for _, name := range portableLists {
		lists[name] = new(strings.Builder)
	}
	for _, client := range []string{"ann", "bob"} {
		fmt.Fprintf(lists["clients"], `{"client_id":%q,"ctime":1500000000000}`+"\n", client)
	}
	for c := range conversations {
		conv := fmt.Sprintf("%032x", c+1)
		fmt.Fprintf(lists["conversations"], `{"conv_id":%q,"conv_type":3,"creator":"ann","last_seq":%d,"ctime":1500000000001}`+"\n", conv, n)
		for _, client := range []string{"ann", "bob"} {
			fmt.Fprintf(lists["members"], `{"conv_id":%q,"client_id":%q,"join_time":1500000000002,"join_seq":1}`+"\n", conv, client)
		}
		for i := range n {
			fmt.Fprintf(lists["messages"], `{"conv_id":%q,"seq":%d,"msg_id":"%016x%016x","client_id":"ann","type":-1,"version":1,"text":"message %d of many, with a few words 以及一些汉字","ctime":%d}`+"\n", conv, i+1, c+1, i+1, i, 1500000000003+int64(i))
		}
	}
	sum := func(text []byte) string {
		s := sha256.Sum256(text)
		return hex.EncodeToString(s[:])
	}
	manifest := obj{"format": "skein-portable", "version": 1, "source": "a test", "app_id": "shop", "time": 1600000000000, "app_sha256": sum(app), "file_bytes": 0}
	said := obj{}
	for name, text := range lists {
		said[name] = obj{"lines": strings.Count(text.String(), "\n"), "sha256": sum([]byte(text.String()))}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest["lists"] = said
	raw, err := json.Marshal(manifest)
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, "app.json"), app, 0o600), os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}
