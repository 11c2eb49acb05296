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

// SaveAs stores what r gives under a name that Save gave it elsewhere, once it is on
// the disk and has the size and the SHA-256 (hexadecimal) that it is said to have. On
// any error nothing is left. Errors as of Save; skein.ErrMalformed also for a name that
// is none, and for another content.
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
