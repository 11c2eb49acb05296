package sqlite

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("store is closed: %w", skein.ErrUnavailable)

// outage reports whether err means that the engine cannot work now, whatever it
// is asked: the disk is full, a read, write or sync failed, another process holds
// the file. After it nothing of the open transaction may be trusted.
func outage(err error) bool {
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case sqlite3.ERROR, sqlite3.CONSTRAINT, sqlite3.MISMATCH, sqlite3.TOOBIG, sqlite3.RANGE, sqlite3.MISUSE:
		return false // about one statement, not about the engine
	default:
		return true
	}
}

// unavailable says what was attempted and marks an outage as ErrUnavailable;
// other errors stay what they are.
func unavailable(attempt string, err error) error {
	if err == nil || !outage(err) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}
