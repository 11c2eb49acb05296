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

// freeStep is how many bytes of an upload are written between two checks of the disk.
const freeStep = 1 << 20

// errNoSpace refuses an upload: the rest of the disk is kept for messages.
var errNoSpace = &skein.Fault{Err: skein.ErrUnavailable, Field: "file", Detail: "too little space is left for uploads"}

// Free returns how much of the disk is free and how large it is, in bytes.
func (s *Store) Free() (free, size int64, err error) { return DiskSpace(s.dir) }

// checkFree refuses uploads while less than MinFree of the disk is free, so that messages
// can still be stored. It allows them if the platform cannot tell. Errors:
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
		return fault("look for free space", err)
	}
	least := s.minFree
	if least < 0 {
		least = min(size/freePart, mostFree)
	}
	if free >= least {
		return nil
	}
	s.full.Log(s.log, time.Now(), "upload refused: too little disk space", slog.Int64("free", free), slog.Int64("least", least))
	return errNoSpace
}
