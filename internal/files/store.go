package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Options configure a Store.
type Options struct {
	// Dir is where uploads are written until they are complete. It is created with mode
	// 0700, and only one Store may use it at a time, unless it is Shared.
	Dir     string
	Shared  bool         // the Stores of other nodes use Dir too
	Storage Storage      // keeps the complete files; nil: Dir does
	MinFree int64        // bytes of the disk that uploads leave free; negative: a twentieth of the disk, at most 1 GiB; zero: none
	Log     *slog.Logger // default: slog.Default()
	Rand    io.Reader    // makes names; safe for concurrent use; default: crypto/rand
	// ThumbnailMemory bounds the memory that decoding images for thumbnails takes, in bytes; zero:
	// there are no thumbnails.
	ThumbnailMemory int64

	NotFound   http.Handler // answers for an unknown name; default: http.NotFound
	Away       http.Handler // answers when the store or the storage fails; default: a bare 503
	NotAllowed http.Handler // answers for a method that is neither GET nor HEAD; default: a bare 405

	// Find looks up a file before it is served. If it reports false, the file is not
	// served, even if it is still stored. Default: every stored file is served.
	Find func(ctx context.Context, name string) (u skein.Upload, found bool, err error)
	// Admit decides whether a link with this signature may open a file, and for how much longer;
	// zero: the file is public. Errors: skein.ErrForbidden, which refuses the link,
	// skein.ErrUnknownApp, skein.ErrUnavailable. Default: all files are public.
	Admit func(ctx context.Context, u skein.Upload, signature string) (left time.Duration, err error)
	// Refuse answers with the error of Admit, or says why there is no thumbnail. Default: a bare 403.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)

	Registerer prometheus.Registerer // nil: no metrics
}

// Store takes uploads and serves them. Its methods are safe for concurrent use.
type Store struct {
	dir        string
	storage    Storage
	syncs      bool // Dir keeps the files
	asked      asked
	minFree    int64
	full       share.Warning
	log        *slog.Logger
	rand       io.Reader
	notFound   http.Handler
	away       http.Handler
	notAllowed http.Handler
	find       func(ctx context.Context, name string) (skein.Upload, bool, error)
	admit      func(ctx context.Context, u skein.Upload, signature string) (time.Duration, error)
	refuse     func(w http.ResponseWriter, r *http.Request, err error)

	thumbs *thumbnails

	removed, removedBytes, refusedLinks prometheus.Counter
}

// temporary is the pattern of names of unfinished uploads. Handler serves none of them.
const temporary = ".upload-*"

// leftoverAge is after what time without a write an unfinished upload in a shared folder is
// one that a crash left there: a running one that is slower is cut long before.
const leftoverAge = time.Hour

// Open creates the folder if there is none, and removes unfinished uploads that a crash
// left there; from a shared folder only those that no node can be writing any more.
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("open uploads: no folder given")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open uploads: %w", err)
	}
	s := &Store{dir: o.Dir, storage: o.Storage, minFree: o.MinFree, log: o.Log, rand: o.Rand, notFound: o.NotFound, away: o.Away, notAllowed: o.NotAllowed, find: o.Find, admit: o.Admit, refuse: o.Refuse, thumbs: newThumbnails(o.ThumbnailMemory, o.Registerer)}
	s.removed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_files_removed_total", Help: "Uploaded files removed from the storage.",
	})
	s.removedBytes = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_files_removed_bytes_total", Help: "Bytes of the uploaded files removed from the storage.",
	})
	s.refusedLinks = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "skein_files_refused_links_total", Help: "Downloads refused because their link was not signed, altered or expired.",
	})
	if s.storage == nil {
		s.storage = Folder(o.Dir)
	}
	_, s.syncs = s.storage.(Folder)
	if o.Registerer != nil {
		o.Registerer.MustRegister(s.removed, s.removedBytes, s.refusedLinks, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_files_storage_up", Help: "1 while the storage of uploads answers; a folder is never asked.",
		}, s.up))
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
	if s.away == nil {
		s.away = http.HandlerFunc(unavailable)
	}
	if s.notAllowed == nil {
		s.notAllowed = http.HandlerFunc(methodNotAllowed)
	}
	if s.find == nil {
		s.find = func(context.Context, string) (skein.Upload, bool, error) { return skein.Upload{}, true, nil }
	}
	if s.admit == nil {
		s.admit = func(context.Context, skein.Upload, string) (time.Duration, error) { return 0, nil }
	}
	if s.refuse == nil {
		s.refuse = forbidden
	}
	var age time.Duration
	if o.Shared {
		age = leftoverAge
	}
	return s, s.removeLeftovers(age)
}

// removeLeftovers removes the unfinished uploads that nobody has written to for that long.
func (s *Store) removeLeftovers(age time.Duration) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("look for unfinished uploads: %w", err)
	}
	for _, e := range entries {
		if ok, _ := filepath.Match(temporary, e.Name()); !ok { // the pattern is a constant
			continue
		}
		info, err := e.Info()
		if age > 0 && err == nil && time.Since(info.ModTime()) < age {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) { // another node may have been faster
			return fmt.Errorf("remove an unfinished upload: %w", err)
		}
		s.log.Info("removed an unfinished upload", slog.String("name", e.Name()))
	}
	return nil
}

// fault wraps an error of a disk in skein.ErrUnavailable. Callers see only that; the
// log has the rest.
func fault(attempt string, err error) error {
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}
