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

// sniffed is how many bytes at the start and at the end of a file are read to find its
// type. Save holds no more of a file in memory.
const sniffed = 64 << 10

// Save stores the content of r and returns its name, "<32 lower-case hex>.<ext>", once the
// file and its name are durable. The extension follows from the content, not from the
// uploader's file name. After an error nothing is stored.
//
// types are the allowed extensions (nil: DefaultTypes); maxBytes is how large the file may
// be (0: 100 MiB).
//
// Save checks ctx between two reads of r; it cannot interrupt a read that hangs. Errors:
// skein.ErrMalformed for an empty file, skein.ErrFileType, skein.ErrTooLarge,
// skein.ErrUnavailable if the disk or the storage fails, and the wrapped error of ctx or of r.
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
	if k != archive && k != compound { // their kind is known only when the file is complete
		if err := allow(types, k); err != nil {
			return "", err
		}
	}
	tmp, err := s.write(head, src)
	if err != nil {
		return "", err
	}
	defer s.discard(tmp)
	return s.name(ctx, tmp, head, k, types)
}

// readHead reads the first bytes, at most sniffed.
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

// write writes the whole file under a temporary name, and syncs it if it stays in this
// folder. It returns the path.
func (s *Store) write(head []byte, src *source) (path string, err error) {
	f, err := os.CreateTemp(s.dir, temporary)
	if err != nil {
		return "", fault("create an upload", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // perhaps closed already; the first error is returned
			s.discard(f.Name())
		}
	}()
	if _, err := f.Write(head); err != nil {
		return "", fault("write an upload", err)
	}
	if _, err := io.Copy(f, src); err != nil {
		if src.err != nil {
			return "", src.err
		}
		return "", fault("write an upload", err)
	}
	if s.syncs {
		if err := f.Sync(); err != nil {
			return "", fault("sync an upload", err)
		}
	}
	if err := f.Close(); err != nil {
		return "", fault("close an upload", err)
	}
	return f.Name(), nil
}

// name moves the finished file into the storage under its final name.
func (s *Store) name(ctx context.Context, tmp string, head []byte, k *kind, types []string) (string, error) {
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
		return "", fault("make a name", err)
	}
	name := hex.EncodeToString(id[:]) + "." + k.ext
	return name, s.storage.Keep(ctx, tmp, name)
}

// kindInside is the kind of the document in a container; path is the complete file.
func kindInside(container *kind, path string, head []byte) (*kind, error) {
	f, err := os.Open(path) //nolint:gosec // a path that write made
	if err != nil {
		return nil, fault("read an upload", err)
	}
	defer func() { _ = f.Close() }() // opened only for reading
	if container == compound {
		return compoundKind(f)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fault("read an upload", err)
	}
	tail := make([]byte, min(sniffed, info.Size()))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return nil, fault("read an upload", err)
	}
	return archiveKind(head, tail)
}

// discard removes a temporary file, unless the storage took it.
func (s *Store) discard(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("cannot remove a temporary file", slog.Any("err", err))
	}
}

// source reads an upload. If the context ends, the reader fails or the file is too large,
// it keeps the error in err, so that Save can tell these from a failing disk.
type source struct {
	ctx  context.Context //nolint:containedctx // lives for one Save
	r    io.Reader
	left int64 // bytes that may still be read
	max  int64
	err  error

	room    func() error // called every freeStep bytes; an error ends the upload
	written int64        // bytes since room was called
}

// Read reads at most one byte beyond the limit.
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
