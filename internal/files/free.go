package files

import (
	"errors"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
)

// Defaults of Options.MinFree.
const (
	freePart = 20 // of the disk
	mostFree = 1 << 30
)

// freeStep is how much of an upload is written between two looks at the disk, in
// bytes.
const freeStep = 1 << 20

// errNoSpace says that messages need the rest of the disk.
var errNoSpace = &skein.Fault{Err: skein.ErrUnavailable, Field: "file", Detail: "too little space is left for uploads"}

// Free is how much of the disk is free, in bytes, and how large it is.
func (s *Store) Free() (free, size int64, err error) { return diskSpace(s.dir) }

// checkFree refuses uploads before the disk is so full that messages are refused.
// Where the disk does not say, or cannot be asked, uploads go on. Errors:
// skein.ErrUnavailable.
func (s *Store) checkFree() error {
	if s.minFree == 0 {
		return nil
	}
	free, size, err := s.Free()
	if errors.Is(err, errors.ErrUnsupported) || size == 0 {
		return nil
	}
	if err != nil {
		return diskFault("look for free space", err)
	}
	least := s.minFree
	if least < 0 {
		least = min(size/freePart, mostFree)
	}
	if free >= least {
		return nil
	}
	s.full.Log(s.log, time.Now(), "uploads are refused: too little space is left", slog.Int64("free", free), slog.Int64("least", least))
	return errNoSpace
}
