package files

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strconv"

	"github.com/skein-im/skein"
)

// sniffed is how much of a file's beginning and end is looked at to tell its
// type, in bytes. It is all that Save holds in memory of a file.
const sniffed = 64 << 10

// Save stores what r gives and returns its name, "<32 lower-case hex>.<ext>",
// once the file and its name are on the disk. The extension is what the content
// proves to be, whatever the uploader called it. On any error nothing is left.
//
// Types are the extensions that may come in (nil: DefaultTypes), maxBytes how
// large the file may be (0: 100 MiB).
//
// The end of ctx is seen between two reads of r; a read that hangs is r's to end.
// Errors: skein.ErrMalformed for an empty file, skein.ErrFileType,
// skein.ErrTooLarge, skein.ErrUnavailable where the disk fails, the error of ctx
// or of r, wrapped.
func (s *Store) Save(ctx context.Context, r io.Reader, types []string, maxBytes int64) (string, error) {
	maxBytes = cmp.Or(maxBytes, skein.DefaultMaxFileBytes)
	if err := s.checkFree(); err != nil {
		return "", err
	}
	src := &source{ctx: ctx, r: r, left: maxBytes, max: maxBytes, room: s.checkFree}
	head, err := readHead(src)
	if err != nil {
		return "", err
	}
	k, err := sniff(head)
	if err != nil {
		return "", err
	}
	if k != archive && k != compound { // these tell only as a whole what they are
		if err := allow(types, k); err != nil {
			return "", err
		}
	}
	tmp, err := s.write(head, src)
	if err != nil {
		return "", err
	}
	name, err := s.name(tmp, head, k, types)
	if err != nil {
		s.discard(tmp)
	}
	return name, err
}

// readHead reads the first bytes, sniffed at most.
func readHead(src *source) ([]byte, error) {
	head := make([]byte, sniffed)
	n, err := io.ReadFull(src, head)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, skein.Malformed("file", "must not be empty")
	case err != nil && src.err != nil:
		return nil, src.err
	}
	return head[:n], nil
}

// write streams the whole file under a temporary name and waits until it is on
// the disk. It returns the path, closed.
func (s *Store) write(head []byte, src *source) (path string, err error) {
	f, err := os.CreateTemp(s.dir, temporary)
	if err != nil {
		return "", diskFault("create an upload", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // perhaps closed already; the first error is the one to tell
			s.discard(f.Name())
		}
	}()
	if _, err := f.Write(head); err != nil {
		return "", diskFault("write an upload", err)
	}
	if _, err := io.Copy(f, src); err != nil {
		if src.err != nil {
			return "", src.err
		}
		return "", diskFault("write an upload", err)
	}
	if err := f.Sync(); err != nil {
		return "", diskFault("sync an upload", err)
	}
	if err := f.Close(); err != nil {
		return "", diskFault("close an upload", err)
	}
	return f.Name(), nil
}

// name gives the finished file its lasting name.
func (s *Store) name(tmp string, head []byte, k *kind, types []string) (string, error) {
	if k == archive || k == compound {
		var err error
		if k, err = kindInside(k, tmp, head); err != nil {
			return "", err
		}
		if err := allow(types, k); err != nil {
			return "", err
		}
	}
	var id [16]byte
	if _, err := io.ReadFull(s.rand, id[:]); err != nil {
		return "", diskFault("make a name", err)
	}
	name := hex.EncodeToString(id[:]) + "." + k.ext
	if err := os.Rename(tmp, s.path(name)); err != nil {
		return "", diskFault("name an upload", err)
	}
	if err := syncDir(s.dir); err != nil {
		s.discard(s.path(name))
		return "", err
	}
	return name, nil
}

// kindInside is the kind of what a container holds, a whole file at path.
func kindInside(container *kind, path string, head []byte) (*kind, error) {
	f, err := os.Open(path) //nolint:gosec // a name of our own
	if err != nil {
		return nil, diskFault("read an upload", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if container == compound {
		return compoundKind(f)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, diskFault("read an upload", err)
	}
	tail := make([]byte, min(sniffed, info.Size()))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return nil, diskFault("read an upload", err)
	}
	return archiveKind(head, tail)
}

// syncDir makes the names of a folder durable, which a rename alone is not.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder of the options
	if err != nil {
		return diskFault("open the folder of uploads", err)
	}
	defer func() { _ = d.Close() }() // nothing of it is written
	if err := d.Sync(); err != nil {
		return diskFault("sync the folder of uploads", err)
	}
	return nil
}

func (s *Store) discard(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("an upload that failed stays on the disk", slog.Any("err", err))
	}
}

// source reads an upload, and ends with err where its context ends, its reader
// fails or the limit is passed, so that Save can tell these from a failing disk.
type source struct {
	ctx  context.Context //nolint:containedctx // lives for one Save
	r    io.Reader
	left int64 // bytes that may still come
	max  int64
	err  error

	room    func() error // whether there is room for more; asked every freeStep
	written int64        // bytes since it was asked
}

// Read reads one byte past the limit at most.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, s.fail(fmt.Errorf("receive an upload: %w", err))
	}
	if int64(len(p)) > s.left+1 {
		p = p[:s.left+1]
	}
	n, err := s.r.Read(p)
	s.left -= int64(n)
	if s.written += int64(n); s.written >= freeStep {
		s.written = 0
		if err := s.room(); err != nil {
			return 0, s.fail(err)
		}
	}
	switch {
	case s.left < 0:
		return 0, s.fail(tooLarge(s.max))
	case err != nil && !errors.Is(err, io.EOF):
		return n, s.fail(fmt.Errorf("receive an upload: %w", err))
	}
	return n, err
}

func (s *source) fail(err error) error {
	s.err = err
	return err
}

func tooLarge(limit int64) error {
	return &skein.Fault{Err: skein.ErrTooLarge, Field: "file", Detail: "at most " + strconv.FormatInt(limit, 10) + " bytes"}
}
