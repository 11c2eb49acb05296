package files

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestUploadsLeaveSpaceFree(t *testing.T) {
	var log bytes.Buffer
	for name, tt := range map[string]struct {
		minFree int64
		refused bool
	}{
		"nothing to leave":      {0, false},
		"more than there is":    {1 << 62, true},
		"the default, a little": {-1, false},
	} {
		dir := t.TempDir()
		s, err := Open(Options{Dir: dir, MinFree: tt.minFree, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Save(t.Context(), strings.NewReader("some text"), nil, 0)
		if got := errors.Is(err, skein.ErrUnavailable); got != tt.refused {
			t.Errorf("%s: got %v, want refused: %v", name, err, tt.refused)
		}
		if left := names(t, dir); tt.refused && len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
	if !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the operator is not told: %q", log.String())
	}
}

func TestAnUploadEndsWhenTheSpaceDoes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	file := strings.NewReader(strings.Repeat("some text ", 1<<20))
	r := readerFunc(func(p []byte) (int, error) {
		if file.Len() < 5<<20 {
			s.minFree = 1 << 62 // as if something else had filled the disk
		}
		return file.Read(p)
	})
	_, err := s.Save(t.Context(), r, nil, 0)
	if !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("got %v, want it unavailable", err)
	}
	if file.Len() == 0 {
		t.Error("it was read to its end")
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
