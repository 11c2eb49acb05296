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

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("store is closed: %w", skein.ErrUnavailable)

// Outage reports whether err means that the engine cannot work now, whatever it
// is asked: the disk is full, a read, write or sync failed, another process holds
// the file. After it nothing of the open transaction may be trusted.
func Outage(err error) bool {
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

// Unavailable says what was attempted and marks an outage as ErrUnavailable;
// other errors stay what they are.
func Unavailable(attempt string, err error) error {
	if err == nil || !Outage(err) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}

// outageLog says that commits fail, and not for each of them: an outage may last,
// and at a full load hundreds of commits fail in a second.
type outageLog struct {
	told   time.Time
	silent int // failed since then, and not told
}

// outagePause is how long it says nothing more.
const outagePause = 10 * time.Second

// tell logs a commit that failed, with SQLite's extended code where it has one: it
// tells a write that failed (778, a full disk too) from a sync that failed (1034).
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

// syncFailed reports whether err means that something written may never get to the
// disk, although it can be read.
func syncFailed(err error) bool {
	return errors.Is(err, sqlite3.IOERR_FSYNC) || errors.Is(err, sqlite3.IOERR_DIR_FSYNC)
}

// ErrDamaged is what Ping answers once a page of the file was found to be corrupt.
// Calls that do not meet that page are answered as ever.
var ErrDamaged = fmt.Errorf("a page of the store is not what was written: %w", skein.ErrUnavailable)

// damage is what is known of corrupt pages. Safe for concurrent use.
type damage struct {
	log   *slog.Logger
	met   prometheus.Counter
	found atomic.Bool
}

// note looks whether err is about a corrupt page. It says so once: who meets the page
// once meets it again.
func (d *damage) note(err error) {
	if !Corrupt(err) {
		return
	}
	d.met.Inc()
	if !d.found.Swap(true) {
		d.log.Error("store is damaged: a page of its file is not what was written; look at the disk and restore a backup", slog.Any("error", err))
	}
}

// Corrupt reports whether err means that a page of the file is not what it was.
func Corrupt(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}
