package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestWhatIsRemovedIsGone(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keep := filepath.Join(dir, "keep.txt")
	if err := os.WriteFile(keep, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("0", 32) + ".png"
	if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if _, err := s.Remove(t.Context(), name); err != nil {
			t.Errorf("got error %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is there: %v", err)
		}
	}
	for _, other := range []string{"keep.txt", "../" + filepath.Base(dir) + "/keep.txt", "", ".", name + "/../keep.txt"} {
		if _, err := s.Remove(t.Context(), other); !errors.Is(err, skein.ErrMalformed) {
			t.Errorf("%q: got error %v, want %v", other, err, skein.ErrMalformed)
		}
	}
	if _, err := os.Stat(keep); err != nil {
		t.Errorf("another file is gone: %v", err)
	}
}

func TestAFolderThatIsGoneIsUnavailable(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: filepath.Join(dir, "uploads")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "uploads")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), strings.Repeat("0", 32)+".png"); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("got error %v, want %v", err, skein.ErrUnavailable)
	}
}
