package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

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
	defer s.discard(tmp)
	if src.left > 0 || hex.EncodeToString(hash.Sum(nil)) != sum {
		return skein.Malformed("sha256", "does not match the content")
	}
	return s.storage.Keep(ctx, tmp, name)
}
