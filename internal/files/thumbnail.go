package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files/thumb"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/share"
)

// widthParam is the parameter of a link that asks for a thumbnail.
const widthParam = "w"

const (
	thumbnailWait = 10 * time.Second // how long a thumbnail waits for its turn
	thumbnailTime = time.Minute      // bounds the making of one, with the reads of its image
	maxFailed     = 10_000           // images without a thumbnail that are remembered
)

// thumbnails makes thumbnails: each once, a few at a time, in a bounded memory. Apps take turns.
type thumbnails struct {
	memory  int64 // bytes; zero: there are no thumbnails
	room    *semaphore.Weighted
	turns   *share.Places
	queue   *share.Queue
	flights singleflight.Group
	failed  *recent.Shared[string, error] // by the name of the image

	seconds prometheus.Histogram
	served  *prometheus.CounterVec
}

func newThumbnails(memory int64, r prometheus.Registerer) *thumbnails {
	t := &thumbnails{
		memory: memory, room: semaphore.NewWeighted(memory), queue: share.NewQueues().Of("thumbnails"),
		turns:  share.NewPlaces(min(4, max(1, runtime.GOMAXPROCS(0)/2)), 0),
		failed: recent.NewShared[string, error](maxFailed),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "skein_thumbnails_seconds", Help: "Duration of making a thumbnail, without the wait for a turn.",
			Buckets: []float64{.003, .01, .03, .1, .3, 1, 3, 10},
		}),
		served: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_thumbnails_total", Help: "Thumbnails asked for, by result: kept (made earlier), made, refused (the image cannot be shrunk), failed.",
		}, []string{"result"}),
	}
	if r != nil {
		r.MustRegister(t.seconds, t.served)
	}
	return t
}

// thumbnailName is the name of a thumbnail of a file beside it. It begins with a dot, so that
// it is not taken for an upload.
func thumbnailName(name string, width int) string { return "." + name + "-" + strconv.Itoa(width) }

// thumbnailNames are all thumbnails that a file may have; none if its kind has none.
func thumbnailNames(name string) (names []string) {
	if !thumb.Has(name[33:]) {
		return nil
	}
	for _, width := range thumb.Widths() {
		names = append(names, thumbnailName(name, width))
	}
	return names
}

// serveThumbnail answers with a thumbnail of an image. Errors: skein.ErrMalformed for a width out
// of range, skein.ErrFileType, skein.ErrTooLarge, fs.ErrNotExist, skein.ErrUnavailable.
func (s *Store) serveThumbnail(w http.ResponseWriter, r *http.Request, u skein.Upload, name string, left time.Duration) error {
	width, err := strconv.Atoi(r.URL.Query().Get(widthParam))
	if err != nil || width < thumb.MinWidth || width > thumb.MaxWidth {
		return skein.Malformed(widthParam, "must be 64 to 1280")
	}
	if s.thumbs.memory == 0 || !thumb.Has(name[33:]) {
		return &skein.Fault{Err: skein.ErrFileType, Field: widthParam, Detail: "no thumbnails of files of this type"}
	}
	width = thumb.Round(width)
	small, err := s.thumbnail(r.Context(), u.App, name, width)
	if err != nil {
		return err
	}
	s.setHeaders(w.Header(), thumb.ContentType(small), name[:32]+"-"+strconv.Itoa(width), left)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(small))
	return nil
}

// thumbnail reads a thumbnail, or makes it. Callers that ask for the same one share it.
func (s *Store) thumbnail(ctx context.Context, app, name string, width int) ([]byte, error) {
	if err, known := s.thumbs.failed.Get(name); known {
		s.thumbs.served.WithLabelValues("refused").Inc()
		return nil, err
	}
	kept := thumbnailName(name, width)
	if small, err := s.readAll(ctx, kept); !errors.Is(err, fs.ErrNotExist) {
		s.thumbs.count("kept", err)
		return small, err
	}
	made, err, _ := s.thumbs.flights.Do(kept, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thumbnailTime) // others may wait for it
		defer cancel()
		if small, err := s.readAll(ctx, kept); !errors.Is(err, fs.ErrNotExist) { // kept since this caller looked
			return small, err
		}
		small, err := s.makeThumbnail(ctx, app, name, width)
		if err == nil {
			s.keepThumbnail(ctx, name, kept, small)
		}
		return small, err
	})
	if err != nil && (errors.Is(err, skein.ErrFileType) || errors.Is(err, skein.ErrTooLarge)) {
		s.thumbs.failed.Put(name, err)
		s.thumbs.served.WithLabelValues("refused").Inc()
		return nil, err
	}
	s.thumbs.count("made", err)
	small, _ := made.([]byte)
	return small, err
}

func (t *thumbnails) count(result string, err error) {
	if err != nil {
		result = "failed"
	}
	t.served.WithLabelValues(result).Inc()
}

// makeThumbnail reads and decodes an image when it is the turn of the app and the memory for it is
// free.
func (s *Store) makeThumbnail(ctx context.Context, app, name string, width int) (small []byte, err error) {
	t := s.thumbs
	wait, cancel := context.WithTimeout(ctx, thumbnailWait)
	defer cancel()
	if err := t.turns.Enter(wait, app, t.queue); err != nil {
		return nil, skein.ErrUnavailable
	}
	began := time.Now()
	defer func() { t.turns.Leave(app, time.Since(began), t.queue) }()
	file, _, err := s.storage.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // opened only for reading
	img, err := thumb.Look(name[33:], file)
	if err == nil && img.Memory > t.memory {
		err = thumb.ErrTooLarge
	}
	if err != nil {
		return nil, imageFault(err)
	}
	if err := t.room.Acquire(wait, img.Memory); err != nil {
		return nil, skein.ErrUnavailable
	}
	defer t.room.Release(img.Memory)
	small, err = img.Thumbnail(width)
	t.seconds.Observe(time.Since(began).Seconds())
	return small, imageFault(err)
}

// imageFault is an error of package thumb as callers see it; others stay as they are.
func imageFault(err error) error {
	switch {
	case errors.Is(err, thumb.ErrTooLarge):
		return &skein.Fault{Err: skein.ErrTooLarge, Field: widthParam, Detail: "the image is too large for a thumbnail: at most 40 megapixels, and less where decoding takes much memory"}
	case errors.Is(err, thumb.ErrDamaged):
		return &skein.Fault{Err: skein.ErrFileType, Field: widthParam, Detail: "the image cannot be decoded"}
	}
	return err
}

// keepThumbnail keeps a thumbnail beside its image. If the image was released meanwhile, its
// removal may not have seen the thumbnail, so keepThumbnail removes it. A failure costs the next
// caller another decoding.
func (s *Store) keepThumbnail(ctx context.Context, name, kept string, small []byte) {
	err := s.checkFree()
	if err == nil {
		err = s.writeThumbnail(ctx, kept, small)
	}
	if err == nil {
		_, found, e := s.find(ctx, name)
		if e != nil || !found {
			err = errors.Join(e, s.storage.Discard(context.WithoutCancel(ctx), []string{kept}))
		}
	}
	if err != nil {
		s.log.Warn("cannot keep a thumbnail", slog.Any("err", err))
	}
}

func (s *Store) writeThumbnail(ctx context.Context, kept string, small []byte) error {
	f, err := os.CreateTemp(s.dir, temporary)
	if err != nil {
		return fault("create a thumbnail", err)
	}
	defer s.discard(f.Name())
	_, err = f.Write(small)
	if err == nil && s.syncs { // a crash must not leave an empty one
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fault("write a thumbnail", err)
	}
	return s.storage.Keep(ctx, f.Name(), kept)
}

// readAll reads a small file of the storage.
func (s *Store) readAll(ctx context.Context, name string) ([]byte, error) {
	f, _, err := s.storage.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened only for reading
	return io.ReadAll(f)
}
