package files

import (
	"errors"
	"io/fs"
	"os"

	"github.com/skein-im/skein"
)

// Remove removes a file for good; one that is not there is no error. Who reads it
// at the moment reads to its end. Errors: skein.ErrMalformed for what is no name of
// Save's, skein.ErrUnavailable where the disk fails.
func (s *Store) Remove(name string) error {
	if !namePattern.MatchString(name) {
		return skein.Malformed("name", "is none of an upload")
	}
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskFault("remove an upload", err)
	}
	return syncDir(s.dir)
}
