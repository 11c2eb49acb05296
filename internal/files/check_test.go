package files

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// lost is a storage that does not answer, and counts how often it is asked.
type lost struct {
	Folder

	asked, removed int
}

func (l *lost) Check(context.Context) error {
	l.asked++
	return fmt.Errorf("no route: %w", skein.ErrUnavailable)
}

func (l *lost) Remove(context.Context, string) (int64, error) {
	l.removed++
	return 0, skein.ErrUnavailable
}

func TestAStorageThatIsAwayIsNotAskedByEveryCaller(t *testing.T) {
	storage := &lost{}
	s, err := Open(Options{Dir: t.TempDir(), Storage: storage, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("0", 32) + ".png"
	for range 3 {
		_, removing := s.Remove(t.Context(), name)
		walking := s.Walk(t.Context(), func([]skein.StoredFile) error { return nil })
		for what, err := range map[string]error{"check": s.Check(t.Context()), "remove": removing, "walk": walking} {
			if !errors.Is(err, skein.ErrUnavailable) {
				t.Errorf("%s: got %v, want %v", what, err, skein.ErrUnavailable)
			}
		}
	}
	if storage.removed != 0 || storage.asked == 0 {
		t.Errorf("the storage was asked %d times and to remove %d times, want it asked first", storage.asked, storage.removed)
	}
}
