package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/skein-im/skein"
)

// SaveAs stores the content of r under a name that Save made on another installation. The
// content must have the given size and SHA-256 (hexadecimal). After an error nothing is
// stored. Errors: those of Save; skein.ErrMalformed also for an invalid name, size or
// SHA-256.
func (s *Store) SaveAs(ctx context.Context, name string, r io.Reader, size int64, sum string) error {
	if !namePattern.MatchString(name) {
		return skein.Malformed("name", "not the name of an upload")
	}
	if err := s.checkFree(); err != nil {
		return err
	}
	hash := sha256.New()
	src := &source{ctx: ctx, r: io.TeeReader(r, hash), left: size, max: size, room: s.checkFree}
	tmp, err := s.write(nil, src)
	if errors.Is(err, skein.ErrTooLarge) {
		return skein.Malformed("size", "the content is longer than declared")
	}
	if err != nil {
		return err
	}
	if src.left > 0 || hex.EncodeToString(hash.Sum(nil)) != sum {
		s.discard(tmp)
		return skein.Malformed("sha256", "does not match the content")
	}
	if err := os.Rename(tmp, s.path(name)); err != nil {
		s.discard(tmp)
		return diskFault("name an upload", err)
	}
	return syncDir(s.dir)
}
