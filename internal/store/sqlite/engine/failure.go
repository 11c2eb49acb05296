package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

// errClosed is the error of a closed store.
var errClosed = fmt.Errorf("store is closed: %w", skein.ErrUnavailable)

// Outage reports whether err means that the engine cannot work at all at the moment: the disk
// is full, a read, write or sync failed, or another process locks the file. The open
// transaction must then be rolled back.
func Outage(err error) bool {
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case sqlite3.ERROR, sqlite3.CONSTRAINT, sqlite3.MISMATCH, sqlite3.TOOBIG, sqlite3.RANGE, sqlite3.MISUSE:
		return false // about one statement, not the engine
	default:
		return true
	}
}

// Unavailable adds what was attempted and marks an outage as ErrUnavailable. It leaves other
// errors as they are.
func Unavailable(attempt string, err error) error {
	if err == nil || !Outage(err) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}

// outageLog logs failed commits, but not each one: during an outage hundreds may fail in a
// second.
type outageLog struct {
	told   time.Time
	silent int // failures since then that were not logged
}

// outagePause is the shortest time between two log lines.
const outagePause = 10 * time.Second

// tell logs a failed commit with SQLite's extended code, if there is one: it distinguishes a
// failed write (778, also for a full disk) from a failed sync (1034).
func (o *outageLog) tell(log *slog.Logger, now time.Time, err error) {
	if now.Sub(o.told) < outagePause {
		o.silent++
		return
	}
	var code sqlite3.ExtendedErrorCode
	errors.As(err, &code)
	log.Error("store cannot commit", slog.Any("error", err), slog.Int("sqlite", int(code)), slog.Int("failed_before", o.silent))
	o.told, o.silent = now, 0
}

// syncFailed reports whether err means that written data may never reach the disk, although
// it can be read.
func syncFailed(err error) bool {
	return errors.Is(err, sqlite3.IOERR_FSYNC) || errors.Is(err, sqlite3.IOERR_DIR_FSYNC)
}

// ErrDamaged is the error of Ping once a corrupt page was found in the file. Calls that do not
// read that page still succeed.
var ErrDamaged = fmt.Errorf("a page of the store is not what was written: %w", skein.ErrUnavailable)

// damage records whether a corrupt page was found. Safe for concurrent use.
type damage struct {
	log   *slog.Logger
	met   prometheus.Counter
	found atomic.Bool
}

// note counts err if it is about a corrupt page, and logs the first one.
func (d *damage) note(err error) {
	if !Corrupt(err) {
		return
	}
	d.met.Inc()
	if !d.found.Swap(true) {
		d.log.Error("store is damaged: a page of its file is not what was written; look at the disk and restore a backup", slog.Any("error", err))
	}
}

// Corrupt reports whether err means that a page of the file is corrupt.
func Corrupt(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}
