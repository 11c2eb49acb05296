package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// served locks a data directory as a server does.
func served(t *testing.T, dir, says string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		_, err = f.WriteString(says)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = f.Close() }
}

// refusal runs `skein serve` where it must not start, and is what it says.
func refusal(t *testing.T, data string, args ...string) string {
	t.Helper()
	out, errs, exit := skein(t, append([]string{"serve", "--addr", freeAddr(), "--admin-addr", freeAddr(), "--data", data}, args...)...)
	if exit != 1 || strings.Contains(out, "listens") {
		t.Errorf("skein serve --data %s: exit %d, want it refused\n%s%s", data, exit, out, errs)
	}
	return errs
}

// content is the store and its log.
func content(t *testing.T, data string) []byte {
	t.Helper()
	db, err := os.ReadFile(filepath.Join(data, "skein.db"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(data, "skein.db-wal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return append(db, log...)
}

// A store of an older schema is migrated by the one process that has its directory.
func TestNobodyMigratesAStoreThatAServerHas(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"a server that says who it is": fmt.Sprintf("skein serve, pid %d\n", os.Getpid()),
		"a server of the first schema": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			unpack(t, filepath.Join(schemas, "00001.tar.gz"), data)
			before := content(t, data)
			release := served(t, data, says)
			if got := refusal(t, data); !strings.Contains(got, "another server runs on "+data) || !strings.Contains(got, strings.TrimSpace(says)) {
				t.Errorf("serve beside %q: got %q", says, got)
			}
			for _, args := range [][]string{
				{"app", "list"},
				{"app", "create", "--id", "new"},
				{"app", "rotate-key", "--id", "shop"},
				{"token", "--app", "shop", "--client", "tom"},
			} {
				_, errs, exit := skein(t, append(args, "--data", data)...)
				if exit != 1 || !strings.Contains(errs, "schema version 1") || !strings.Contains(errs, "restart it with this version first") {
					t.Errorf("skein %v beside %q: exit %d, %q, want it refused", args, says, exit, errs)
				}
			}
			if !bytes.Equal(before, content(t, data)) {
				t.Error("the store is different")
			}
			release()
			if out, errs, exit := skein(t, "app", "list", "--data", data); exit != 0 || !strings.Contains(out, "shop") {
				t.Errorf("skein app list without a server: exit %d\n%s%s", exit, out, errs)
			}
		})
	}
}

func TestOfTenServersOnOneDirectoryOneStarts(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	servers := make([]*server, 10)
	failed := make([]error, len(servers))
	var all sync.WaitGroup
	for i := range servers {
		servers[i] = newServer(data, withoutDev())
		t.Cleanup(servers[i].end)
		all.Go(func() { failed[i] = servers[i].launch() })
	}
	all.Wait()
	started := -1
	for i, err := range failed {
		if err != nil {
			continue
		}
		if started >= 0 {
			t.Errorf("servers %d and %d both started", started, i)
		}
		started = i
	}
	if started < 0 {
		t.Fatalf("none started: %v\n%s", failed, servers[0].log.tail(0))
	}
	want := fmt.Sprintf("another server runs on %s: skein serve, pid %d", data, servers[started].cmd.Process.Pid)
	for i, s := range servers {
		if i != started && !strings.Contains(s.log.tail(0), want) {
			t.Errorf("server %d: got %q, want %q", i, s.log.tail(0), want)
		}
	}
	createApp(t, servers[started])
}

// Commands that open a store for a moment keep no server and no other command off it.
func TestCommandsAndAServerStartAtOnce(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	unpack(t, filepath.Join(schemas, "00001.tar.gz"), data)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if out, errs, exit := skein(t, "app", "list", "--data", data); exit != 0 || !strings.Contains(out, "shop") {
				// The server may have begun to migrate it.
				if !strings.Contains(errs, "restart it with this version first") {
					t.Errorf("skein app list: exit %d\n%s%s", exit, out, errs)
				}
			}
		})
	}
	s := newServer(data, withoutDev())
	t.Cleanup(s.end)
	if err := s.launch(); err != nil {
		t.Errorf("%v\n%s", err, s.log.tail(0))
	}
	all.Wait()
}

// What is no store is refused before anything listens, and is left as it was.
func TestAServerRefusesWhatIsNoStore(t *testing.T) {
	t.Parallel()
	sample := filepath.Join(t.TempDir(), "sample")
	unpack(t, filepath.Join(schemas, "00001.tar.gz"), sample)
	db := content(t, sample)
	for name, tt := range map[string]struct {
		content []byte
		want    string
	}{
		"an empty file":   {nil, "it is empty"},
		"a text":          {[]byte("notes\n"), "does not begin as a SQLite database"},
		"half of a store": {db[:8192], "cut short"},
		"zeroes":          {make([]byte, 1<<16), "does not begin as a SQLite database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			file := filepath.Join(data, "skein.db")
			if err := os.WriteFile(file, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := refusal(t, data); !strings.Contains(got, tt.want) || !strings.Contains(got, file) {
				t.Errorf("serve: got %q, want %q", got, tt.want)
			}
			if _, errs, exit := skein(t, "app", "list", "--data", data); exit != 1 || !strings.Contains(errs, tt.want) {
				t.Errorf("app list: exit %d, %q, want %q", exit, errs, tt.want)
			}
			if !bytes.Equal(content(t, data), tt.content) {
				t.Error("the file is different")
			}
		})
	}
}
