package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files"
)

// largestPut is the largest file that S3 takes in one request. A file that is put in one
// request is there whole or not at all.
const largestPut = 5 << 30

// Keep implements files.Storage. The server compares an MD5 of the content with what it got.
func (s *Storage) Keep(ctx context.Context, path, name string) (err error) {
	defer s.metrics.observe("keep", time.Now(), &err)
	f, err := os.Open(path) //nolint:gosec // a temporary file of package files
	if err != nil {
		return fmt.Errorf("read an upload: %w: %w", skein.ErrUnavailable, err)
	}
	defer func() { _ = f.Close() }() // opened only for reading
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read an upload: %w: %w", skein.ErrUnavailable, err)
	}
	_, err = s.core.Client.PutObject(ctx, s.bucket, s.prefix+name, f, info.Size(), minio.PutObjectOptions{
		ContentType: "application/octet-stream", SendContentMd5: true, DisableMultipart: info.Size() <= largestPut,
	})
	if err == nil {
		return nil
	}
	s.takeBack(ctx, name)
	return s.fault(ctx, "keep an upload", err)
}

// takeBack removes a file whose Keep failed: the server may have it although no answer came.
// If this fails too, the file stays until the daily check finds that no row names it.
func (s *Storage) takeBack(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.core.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{})
}

// Open implements files.Storage.
func (s *Storage) Open(ctx context.Context, name string) (_ io.ReadSeekCloser, _ files.Info, err error) {
	defer s.metrics.observe("open", time.Now(), &err)
	info, err := s.stat(ctx, name)
	if err != nil {
		return nil, files.Info{}, err
	}
	return &object{ctx: ctx, storage: s, key: s.prefix + name, size: info.Size}, info, nil
}

// stat returns fs.ErrNotExist, or what fault makes of an error.
func (s *Storage) stat(ctx context.Context, name string) (files.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	o, err := s.core.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
	if err == nil {
		return files.Info{Size: o.Size, At: o.LastModified}, nil
	}
	if err = s.missing(ctx, err); errors.Is(err, fs.ErrNotExist) {
		return files.Info{}, fs.ErrNotExist
	}
	return files.Info{}, s.fault(ctx, "look for an upload", err)
}

// Remove implements files.Storage.
func (s *Storage) Remove(ctx context.Context, name string) (size int64, err error) {
	defer s.metrics.observe("remove", time.Now(), &err)
	info, err := s.stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	if err := s.core.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return 0, s.fault(ctx, "remove an upload", err)
	}
	return info.Size, nil
}

// Discard implements files.Storage, in one request.
func (s *Storage) Discard(ctx context.Context, names []string) (err error) {
	defer s.metrics.observe("discard", time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	objects := func(yield func(minio.ObjectInfo) bool) {
		for _, name := range names {
			if !yield(minio.ObjectInfo{Key: s.prefix + name}) {
				return
			}
		}
	}
	results, err := s.core.RemoveObjectsWithIter(ctx, s.bucket, objects, minio.RemoveObjectsOptions{})
	if err != nil {
		return s.fault(ctx, "remove thumbnails", err)
	}
	for r := range results {
		err = errors.Join(err, r.Err)
	}
	return s.fault(ctx, "remove thumbnails", err)
}

// walkedAtOnce is how many files Walk passes on at a time: as many as one answer may list.
const walkedAtOnce = 1000

// Walk implements files.Storage.
func (s *Storage) Walk(ctx context.Context, look func([]skein.StoredFile) error) (err error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when look fails
	defer cancel()
	var stored []skein.StoredFile
	for o := range s.core.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix}) {
		if o.Err != nil {
			s.metrics.observe("list", time.Now(), &o.Err)
			return s.fault(ctx, "list uploads", o.Err)
		}
		name := strings.TrimPrefix(o.Key, s.prefix)
		if !files.ValidName(name) {
			continue
		}
		if stored = append(stored, skein.StoredFile{Name: name, Size: o.Size, At: skein.MillisOf(o.LastModified)}); len(stored) == walkedAtOnce {
			if err := look(stored); err != nil {
				return err
			}
			stored = nil
		}
	}
	if err := ctx.Err(); err != nil || len(stored) == 0 {
		return err
	}
	return look(stored)
}

// object reads a file. It asks for the content at the first Read after a Seek. Not safe for
// concurrent use.
type object struct {
	ctx     context.Context //nolint:containedctx // of one download
	storage *Storage
	key     string
	size    int64
	at      int64
	body    io.ReadCloser // of the content from at; nil: not asked for yet
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (n int, err error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if o.body == nil {
		if err := o.get(); err != nil {
			return 0, err
		}
	}
	n, err = o.body.Read(p)
	o.at += int64(n)
	switch {
	case errors.Is(err, io.EOF) && o.at < o.size:
		err = o.storage.fault(o.ctx, "read an upload", io.ErrUnexpectedEOF)
	case err != nil && !errors.Is(err, io.EOF):
		err = o.storage.fault(o.ctx, "read an upload", err)
	}
	return n, err
}

func (o *object) get() (err error) {
	s := o.storage
	defer s.metrics.observe("read", time.Now(), &err)
	var opts minio.GetObjectOptions
	if o.at > 0 {
		if err := opts.SetRange(o.at, 0); err != nil {
			return err
		}
	}
	body, _, _, err := s.core.GetObject(o.ctx, s.bucket, o.key, opts)
	if err != nil {
		return s.fault(o.ctx, "read an upload", err)
	}
	o.body = body
	return nil
}

// Seek implements io.Seeker. It calls nobody.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return o.at, errors.New("seek before the start of a file")
	}
	if offset == o.at {
		return o.at, nil
	}
	err := o.Close()
	o.at = offset
	return o.at, err
}

// Close implements io.Closer.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	err := o.body.Close()
	o.body = nil
	return err
}
