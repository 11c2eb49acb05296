package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/files"
)

// bucket lists the bucket of the uploads, keeps a file there, reads it back and removes it: all
// that a server does.
func (e *examination) bucket(ctx context.Context, c config.Store, b config.Bucket) {
	began := time.Now()
	storage, err := datadir.OpenUploads(c, nil)
	if err == nil {
		err = storage.Check(ctx)
	}
	if err == nil {
		err = tryOut(ctx, storage)
	}
	if err != nil {
		e.add("uploads", Fail, err.Error(), "check --uploads, the server's clock, and that the credentials may list the bucket and get, put and delete objects")
		return
	}
	e.add("uploads", OK, fmt.Sprintf("%s: a file was kept, read and removed within %v", b, time.Since(began).Round(time.Millisecond)), "")
}

// tryOut keeps a file, reads it back and removes it.
func tryOut(ctx context.Context, storage files.Storage) (err error) {
	host, _ := os.Hostname()
	staged, err := os.CreateTemp("", "skein-doctor-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(staged.Name()) }() // of no use to anybody
	_, err = staged.WriteString(host)
	if err := errors.Join(err, staged.Close()); err != nil {
		return err
	}
	name := seen + host
	if err := storage.Keep(ctx, staged.Name(), name); err != nil {
		return err
	}
	kept, _, err := storage.Open(ctx, name)
	if err != nil {
		return err
	}
	back, err := io.ReadAll(kept)
	if err := errors.Join(err, kept.Close()); err != nil {
		return err
	}
	if string(back) != host {
		return fmt.Errorf("%s does not hold what was written", name)
	}
	_, err = storage.Remove(ctx, name)
	return err
}
