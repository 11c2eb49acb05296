package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wantPrivate fails for each file below a directory, and the directory, that anybody
// but its owner may read or write.
func wantPrivate(t *testing.T, what, dir string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // the server has removed it meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		seen++
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %s has mode %v, want %v", what, strings.TrimPrefix(path, dir), got, want)
		}
		return nil
	})
	if err != nil || seen < 2 {
		t.Errorf("%s: %d files in %s, %v", what, seen, dir, err)
	}
}

// withUmask starts the server with a umask that takes nothing away.
func withUmask() option { return func(s *server) { s.umask = true } }

func TestDataAndBackupsArePrivateWhateverTheUmask(t *testing.T) {
	t.Parallel()
	s := start(t, withUmask(), withData(filepath.Join(t.TempDir(), "deep", "data")))
	a := demoApp(s)
	a.group(t, "Tom", "Jerry")
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0)
	wantPrivate(t, "a new directory", s.Data)

	backup := filepath.Join(t.TempDir(), "backup")
	mustWithUmask(t, "backup", "--data", s.Data, "--out", backup)
	wantPrivate(t, "a backup", backup)
	restored := filepath.Join(t.TempDir(), "restored")
	mustWithUmask(t, "restore", "--data", restored, "--from", backup)
	wantPrivate(t, "what was restored", restored)
	made := filepath.Join(t.TempDir(), "made")
	mustWithUmask(t, "app", "create", "--id", "x", "--data", made)
	wantPrivate(t, "what `skein app create` made", made)
}

func TestDataThatOthersCouldReadIsMadePrivate(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0)
	s.Stop(t)
	err := filepath.WalkDir(s.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() {
			mode = 0o755
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	wantPrivate(t, "what was open", s.Data)
	s.says(t, "was open to others", "rwxr-xr-x")
}

func TestASharedDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	_, errs, exit := skein(t, "serve", "--dev", "--addr", freeAddr(), "--admin-addr", freeAddr(), "--data", dir)
	if exit != 1 || !strings.Contains(errs, "--data: ") || !strings.Contains(errs, "use a directory of its own") {
		t.Errorf("--data with the sticky bit: exit %d, %s; want 1 and why", exit, errs)
	}
}

// mustWithUmask runs a subcommand with a umask that takes nothing away.
func mustWithUmask(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", `umask 0; exec "$0" "$@"`, program}, args...)...)
	cmd.Env = cleanEnv()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := runToEnd(cmd); err != nil {
		t.Fatalf("skein %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
}
