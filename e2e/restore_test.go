package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// savedShop is a backup of a server with an app of that name and some uploads.
func savedShop(t *testing.T, id string) (saved string) {
	t.Helper()
	s := start(t, withoutDev())
	a := newApp(t, s, id)
	tom := a.user(t, "tom")
	conv := a.group(t, tom)
	for range 5 {
		var link string
		s.upload(t, a.server(), multipartFile{"file", "a.txt", someText(200 << 10)}).want(t, "upload", 0).into(t, &link)
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": tom, "type": -6, "url": link})
	}
	saved = filepath.Join(t.TempDir(), "saved")
	mustSkein(t, "backup", "--data", s.Data, "--out", saved)
	s.Stop(t)
	return saved
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// What is not whole is refused before anything is touched, with the file's name.
func TestARestoreTakesNoBackupThatIsNotWhole(t *testing.T) {
	t.Parallel()
	saved := savedShop(t, "shop")
	kept := t.TempDir()
	mustSkein(t, "app", "create", "--id", "kept", "--data", kept)
	before := content(t, kept)
	write := func(name string, content []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := func(t *testing.T, dir string) string {
		t.Helper()
		all, err := filepath.Glob(filepath.Join(dir, "uploads", "*"))
		if err != nil || len(all) != 5 {
			t.Fatalf("uploads of the backup: %v, %v", all, err)
		}
		return all[0]
	}
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"an empty store":       {write("skein.db", nil), "skein.db is not as it was written"},
		"a text for a store":   {write("skein.db", []byte("hello")), "skein.db is not as it was written"},
		"no manifest":          {remove("manifest.json"), "has no manifest.json"},
		"an empty manifest":    {write("manifest.json", nil), "cannot be read"},
		"another manifest":     {write("manifest.json", []byte(`{"format":1}`)), "not as it was written"},
		"a newer format":       {write("manifest.json", []byte(`{"format":99,"skein":"skein v9"}`)), "has format 99"},
		"no uploads":           {remove("uploads"), "is missing"},
		"one upload less":      {func(t *testing.T, dir string) { t.Helper(); _ = os.Remove(first(t, dir)) }, "is missing"},
		"a flipped upload":     {func(t *testing.T, dir string) { t.Helper(); flip(t, first(t, dir), 1000) }, "is not as it was written"},
		"a file more":          {write("uploads/more.txt", []byte("x")), "is none of the backup's files"},
		"a log beside":         {write("skein.db-wal", []byte("x")), "is none of the backup's files"},
		"a flipped page":       {func(t *testing.T, dir string) { t.Helper(); flip(t, filepath.Join(dir, "skein.db"), 9000) }, "skein.db is not as it was written"},
		"a flipped first page": {func(t *testing.T, dir string) { t.Helper(); flip(t, filepath.Join(dir, "skein.db"), 20) }, "skein.db is not as it was written"},
	} {
		dir := copyOf(t, saved)
		tt.spoil(t, dir)
		for _, more := range [][]string{{"--force"}, {"--check"}} {
			if _, errs, exit := skein(t, append([]string{"restore", "--data", kept, "--from", dir}, more...)...); exit != 1 || !strings.Contains(errs, tt.want) {
				t.Errorf("%s, restore %v: exit %d, %q, want %q", name, more, exit, errs, tt.want)
			}
		}
		if !bytes.Equal(before, content(t, kept)) {
			t.Fatalf("%s: the store in --data is different", name)
		}
	}
	// Each number of the manifest is held against the store and the files.
	raw, err := os.ReadFile(filepath.Join(saved, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		dir := copyOf(t, saved)
		at := rand.IntN(len(raw))
		for !strings.ContainsRune("0123456789abcdef", rune(raw[at])) {
			at = rand.IntN(len(raw))
		}
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		write("manifest.json", changed)(t, dir)
		if _, errs, exit := skein(t, "restore", "--check", "--data", kept, "--from", dir); exit != 1 {
			t.Errorf("byte %d of the manifest: exit %d, %q, want it refused", at, exit, errs)
		}
	}
	// A backup of before the manifest is taken when the operator says so.
	dir := copyOf(t, saved)
	remove("manifest.json")(t, dir)
	mustSkein(t, "restore", "--without-manifest", "--force", "--data", kept, "--from", dir)
	for _, bad := range []func(t *testing.T, dir string){write("skein.db", nil), write("skein.db", []byte("hello")), remove("uploads")} {
		dir := copyOf(t, saved)
		bad(t, dir)
		if _, errs, exit := skein(t, "restore", "--without-manifest", "--force", "--data", kept, "--from", dir); exit != 1 {
			t.Errorf("without manifest: exit %d, %q, want it refused", exit, errs)
		}
	}
	mustSkein(t, "restore", "--check", "--data", filepath.Join(t.TempDir(), "none"), "--from", saved)
}

// apps are those in a --data, and whether its uploads are.
func shops(t *testing.T, data string) string {
	t.Helper()
	out, errs, exit := skein(t, "app", "list", "--json", "--data", data)
	var apps []struct {
		ID string `json:"app_id"`
	}
	if err := json.Unmarshal([]byte(out), &apps); exit != 0 || err != nil || len(apps) != 1 {
		t.Fatalf("app list: exit %d, %v\n%s%s", exit, err, out, errs)
	}
	return apps[0].ID
}

// A restore that is killed leaves either the old or the new data, complete.
func TestARestoreThatIsKilledLeavesOldOrNew(t *testing.T) {
	t.Parallel()
	saved := map[string]string{"one": savedShop(t, "one"), "two": savedShop(t, "two")}
	data := filepath.Join(t.TempDir(), "data")
	mustSkein(t, "restore", "--data", data, "--from", saved["one"])
	began := time.Now()
	mustSkein(t, "restore", "--data", data, "--from", saved["two"], "--force")
	whole := time.Since(began)
	have, became := "two", map[bool]int{}
	for range 12 {
		next := "one"
		if have == next {
			next = "two"
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(whole+whole/4)+1)))
		cmd := exec.CommandContext(ctx, program, "restore", "--data", data, "--from", saved[next], "--force")
		cmd.Env = cleanEnv()
		_ = cmd.Run() // killed, or not
		cancel()
		if _, err := os.Stat(filepath.Join(data, "skein.db")); err != nil {
			t.Fatalf("after a kill: %v", err)
		}
		got := shops(t, data)
		if got != have && got != next {
			t.Fatalf("got app %q, want %q or %q", got, have, next)
		}
		became[got == next]++
		have = got
		for _, pattern := range []string{".restore*", "skein.db.new-*"} {
			if left, err := filepath.Glob(filepath.Join(data, pattern)); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
		uploads, err := filepath.Glob(filepath.Join(data, "uploads", "*"))
		if err != nil || len(uploads) != 5 {
			t.Fatalf("uploads of %s: %v, %v", got, uploads, err)
		}
		for _, file := range uploads {
			want, err := os.ReadFile(filepath.Join(saved[got], "uploads", filepath.Base(file)))
			if err != nil {
				t.Fatalf("an upload that is none of %s: %v", got, err)
			}
			if content, err := os.ReadFile(file); err != nil || !bytes.Equal(content, want) {
				t.Errorf("%s is torn: %v", file, err)
			}
		}
	}
	t.Logf("a whole restore took %v; new after %d kills, old after %d", whole, became[true], became[false])
}

// At each step of putting the new data in place the next command ends the restore.
func TestARestoreIsEndedByTheNextCommand(t *testing.T) {
	t.Parallel()
	saved := map[string]string{"one": savedShop(t, "one"), "two": savedShop(t, "two")}
	for steps := range 4 {
		data := filepath.Join(t.TempDir(), "data")
		mustSkein(t, "restore", "--data", data, "--from", saved["one"])
		made := filepath.Join(data, ".restored")
		if err := os.CopyFS(made, os.DirFS(saved["two"])); err != nil {
			t.Fatal(err)
		}
		for i, step := range []func() error{
			func() error { return os.RemoveAll(filepath.Join(data, "uploads")) },
			func() error { return os.Rename(filepath.Join(made, "uploads"), filepath.Join(data, "uploads")) },
			func() error { return os.Rename(filepath.Join(made, "skein.db"), filepath.Join(data, "skein.db")) },
		} {
			if i < steps {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := shops(t, data); got != "two" {
			t.Errorf("after %d steps: got app %q, want two", steps, got)
		}
		uploads, err := filepath.Glob(filepath.Join(data, "uploads", "*"))
		if err != nil || len(uploads) != 5 {
			t.Errorf("after %d steps: uploads: %v, %v", steps, uploads, err)
		}
	}
}
