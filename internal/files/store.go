package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Options say where a Store keeps its files and whom it asks.
type Options struct {
	Dir        string       // created 0700; belongs to one Store at a time
	MinFree    int64        // bytes of the disk that uploads leave free; negative: a twentieth of the disk, 1 GiB at most
	Log        *slog.Logger // default: slog.Default()
	Rand       io.Reader    // makes names; safe for concurrent use; default: crypto/rand
	NotFound   http.Handler // answers for a name that is not there; default: http.NotFound
	NotAllowed http.Handler // answers for a method that is neither GET nor HEAD; default: a bare 405

	// Find looks up a file before it is served: one that is not found is served no
	// more, even if it still lies on the disk. Default: what lies there is served.
	Find       func(ctx context.Context, name string) (u skein.Upload, found bool, err error)
	Registerer prometheus.Registerer // nil: no metrics
}

// Store is a folder of uploads. Its methods are safe for concurrent use.
type Store struct {
	dir        string
	minFree    int64
	full       share.Warning
	log        *slog.Logger
	rand       io.Reader
	notFound   http.Handler
	notAllowed http.Handler
	find       func(ctx context.Context, name string) (skein.Upload, bool, error)

	removed, removedBytes prometheus.Counter
}

// temporary is the pattern of the names under which uploads are written. None of
// them is a name that Handler serves.
const temporary = ".upload-*"

// Open makes the folder where there is none and clears away what uploads that a
// crash cut short left in it.
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("open uploads: no folder given")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open uploads: %w", err)
	}
	s := &Store{dir: o.Dir, minFree: o.MinFree, log: o.Log, rand: o.Rand, notFound: o.NotFound, notAllowed: o.NotAllowed, find: o.Find}
	s.removed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_files_removed_total", Help: "Uploaded files removed from the disk.",
	})
	s.removedBytes = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_files_removed_bytes_total", Help: "Bytes of the uploaded files removed from the disk.",
	})
	if o.Registerer != nil {
		o.Registerer.MustRegister(s.removed, s.removedBytes)
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.notFound == nil {
		s.notFound = http.NotFoundHandler()
	}
	if s.notAllowed == nil {
		s.notAllowed = http.HandlerFunc(methodNotAllowed)
	}
	if s.find == nil {
		s.find = func(context.Context, string) (skein.Upload, bool, error) { return skein.Upload{}, true, nil }
	}
	return s, s.removeLeftovers()
}

func (s *Store) removeLeftovers() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("look for unfinished uploads: %w", err)
	}
	for _, e := range entries {
		if ok, _ := filepath.Match(temporary, e.Name()); !ok { // the pattern is a constant
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			return fmt.Errorf("remove an unfinished upload: %w", err)
		}
		s.log.Info("removed an unfinished upload", slog.String("name", e.Name()))
	}
	return nil
}

// path is where a name lies on the disk. The name is one that namePattern matches.
func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// diskFault is an error of the disk as a caller may see it: unavailable, the rest
// is for the log.
func diskFault(attempt string, err error) error {
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}
