package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/child"
	"github.com/skein-im/skein/internal/portable/leancloud/standin"
)

// leancloudStandIn serves an app of a stand-in of LeanCloud IM. when is called with the
// number of each request, before it is answered.
func leancloudStandIn(t *testing.T, o standin.Options, when func(int64)) (*standin.Server, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	o.Files = "http://" + server.Listener.Addr().String()
	s := standin.New(o)
	var n atomic.Int64
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		when(n.Add(1))
		s.ServeHTTP(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	return s, server.URL
}

// dumpCommand is `skein leancloud dump` against a stand-in.
func dumpCommand(url, out string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(program, append([]string{
		"leancloud", "dump", "--app-id", standin.AppID, "--server", url, "--out", out, "--rate", "100000",
	}, args...)...)
	cmd.Env = append(cleanEnv(), "SKEIN_LEANCLOUD_MASTER_KEY="+standin.MasterKey)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	return cmd, &said
}

func mustDumpLeanCloud(t *testing.T, url, out string, args ...string) string {
	t.Helper()
	cmd, said := dumpCommand(url, out, args...)
	if err := runToEnd(cmd); err != nil {
		t.Fatalf("skein leancloud dump: %v\n%s", err, said)
	}
	return said.String()
}

// dumpedFiles are all files of a dump by name, but for the lock, and the manifest
// without the time of its run.
func dumpedFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if name == "manifest.json" {
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				return err
			}
			delete(m, "time")
			raw, err = json.Marshal(m)
		}
		if name != "dump.lock" {
			files[name] = string(raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestADumpKilledAtTwentyRandomPointsGivesTheSameFolder(t *testing.T) {
	t.Parallel()
	var killAt, seen atomic.Int64
	var victim atomic.Pointer[os.Process]
	s, url := leancloudStandIn(t, standin.Options{
		Seed: 3, Conversations: 60, Messages: 6000, Burst: 150, PageMost: 100,
		Faults: standin.Faults{EveryCut: 61},
	}, func(n int64) {
		seen.Store(n)
		if n == killAt.Load() {
			if p := victim.Load(); p != nil {
				_ = p.Kill() // SIGKILL, while the answer is on its way
			}
		}
	})
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	mustDumpLeanCloud(t, url, whole, "--files")
	requests := seen.Load()
	rng := rand.New(rand.NewPCG(20, 20))
	kills := 0
	for i := range 20 {
		cmd, said := dumpCommand(url, broken, "--files")
		killAt.Store(seen.Load() + 1 + rng.Int64N(max(2, requests/12)))
		folding := i%5 == 4
		if folding {
			killAt.Store(0)
		}
		ended, err := child.Start(cmd, syscall.SIGKILL, nil)
		if err != nil {
			t.Fatal(err)
		}
		victim.Store(cmd.Process)
		for over := false; !over; {
			select {
			case <-ended:
				over = true
				switch how := cmd.ProcessState; {
				case how.Success():
				case strings.Contains(how.String(), "killed"):
					kills++
				default:
					t.Fatalf("run %d: %v\n%s", i, how, said)
				}
			case <-time.After(time.Millisecond):
				if _, err := os.Stat(filepath.Join(broken, "sort")); folding && err == nil {
					_ = cmd.Process.Kill()
				}
			}
		}
	}
	killAt.Store(0)
	if kills < 12 {
		t.Errorf("kills: got %d of 20, the others came too late; want at least 12", kills)
	}
	said := mustDumpLeanCloud(t, url, broken, "--files")
	if !strings.Contains(said, "Nothing is missing; 0 doubts") {
		t.Errorf("the last run said %q, want that nothing is missing", said)
	}
	got, want := dumpedFiles(t, broken), dumpedFiles(t, whole)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %.300q, want %.300q", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: is in the folder of the killed dump alone", name)
		}
	}
	for _, c := range s.Conversations() {
		var truth strings.Builder
		for _, m := range s.Truth(c.ID) {
			truth.WriteString(m.Raw + "\n")
		}
		name := filepath.Join("messages", c.ID[22:], c.ID+".jsonl")
		if c.Kind == "system" {
			name = filepath.Join("system", "messages", c.ID+".jsonl")
		}
		if got[name] != truth.String() {
			t.Errorf("%s: got %d bytes, want the %d of the truth", name, len(got[name]), truth.Len())
		}
	}
}

func TestADumpOfFiftyThousandMessagesIsWhole(t *testing.T) {
	t.Parallel()
	s, url := leancloudStandIn(t, standin.Options{Seed: 5, Conversations: 300, Messages: 50_000, Burst: 2500}, func(int64) {})
	out := filepath.Join(t.TempDir(), "dump")
	said := mustDumpLeanCloud(t, url, out)
	if !strings.Contains(said, "Nothing is missing; 0 doubts") {
		t.Errorf("said %q, want that nothing is missing", said)
	}
	total := 0
	for _, c := range s.Conversations() {
		truth := s.Truth(c.ID)
		total += len(truth)
		name := filepath.Join(out, "messages", c.ID[22:], c.ID+".jsonl")
		if c.Kind == "system" {
			name = filepath.Join(out, "system", "messages", c.ID+".jsonl")
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		for i := range max(len(lines), len(truth)) {
			if i >= len(lines) || i >= len(truth) || lines[i] != truth[i].Raw {
				t.Fatalf("%s %s: got %d messages, want %d; they differ at %d", c.Kind, c.ID, len(lines), len(truth), i)
			}
		}
	}
	if total < 49_000 {
		t.Fatalf("the stand-in has %d messages, want about 50,000", total)
	}
}

func TestTheMasterKeyIsTakenFromEnvironmentOrFileAlone(t *testing.T) {
	t.Parallel()
	_, url := leancloudStandIn(t, standin.Options{}, func(int64) {})
	out := filepath.Join(t.TempDir(), "dump")
	_, said, code := skein(t, "leancloud", "dump", "--app-id", standin.AppID, "--server", url, "--out", out)
	if code != 1 || !strings.Contains(said, "SKEIN_LEANCLOUD_MASTER_KEY") {
		t.Errorf("without a key: got code %d and %q, want 1 and the name of the variable", code, said)
	}
	if _, said, code := skein(t, "leancloud", "dump", "--master-key", "x", "--app-id", "a", "--server", url, "--out", out); code != 2 {
		t.Errorf("with the key on the command line: got code %d and %q, want 2: there is no such flag", code, said)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(standin.MasterKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, errs, code := skein(t, "leancloud", "dump", "--app-id", standin.AppID, "--server", url, "--out", out, "--rate", "100000", "--master-key-file", file); code != 0 {
		t.Errorf("with a file: got code %d, %s%s", code, said, errs)
	}
	info, err := os.Stat(filepath.Join(out, "users.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("users.jsonl: %v, %v: want a private file", info, err)
	}
	if err := filepath.WalkDir(out, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		if bytes.Contains(raw, []byte(standin.MasterKey)) {
			t.Errorf("%s has the master key in it", name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
