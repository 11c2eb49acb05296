package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// Classes and codes of PostgreSQL's errors.
const (
	classConnection = "08"
	classResources  = "53"
	classOperator   = "57" // cancelled, shut down
	classSystem     = "58"
	serialization   = "40001"
	deadlock        = "40P01"
	uniqueViolation = "23505"
	readOnly        = "25006" // this server is a standby now
	lockTimeout     = "55P03"
	statementEnded  = "57014"
	idleEnded       = "25P03" // the transaction waited too long for its node
)

// GivenUp reports whether PostgreSQL gave a transaction up for another one, so that it may be
// run again.
func GivenUp(err error) bool {
	code := codeOf(err)
	return code == serialization || code == deadlock
}

// Duplicate reports whether err is about a unique constraint of that name; an empty name: any.
func Duplicate(err error, constraint string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == uniqueViolation && (constraint == "" || e.ConstraintName == constraint)
}

// Overtime reports whether a statement was ended because it took longer than Options.Limit.
func Overtime(err error) bool { return codeOf(err) == statementEnded }

func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// Unavailable says what was attempted and marks an outage as ErrUnavailable; other errors
// stay what they are.
func Unavailable(attempt string, err error) error {
	if err == nil || errors.Is(err, skein.ErrUnavailable) || !Outage(err) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", attempt, skein.ErrUnavailable, err)
}

// Outage reports whether err means that the database cannot work now: it is away, going
// down, full, or a standby.
func Outage(err error) bool {
	if code := codeOf(err); code != "" {
		switch {
		case strings.HasPrefix(code, classConnection), strings.HasPrefix(code, classResources),
			strings.HasPrefix(code, classOperator), strings.HasPrefix(code, classSystem):
			return true
		}
		return code == readOnly || code == lockTimeout || code == idleEnded || GivenUp(err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, errAway) || errors.Is(err, share.ErrClosed) || errors.Is(err, puddle.ErrClosedPool) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, ErrUnknownOutcome) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, pgx.ErrTxCommitRollback)
}

// ErrUnknownOutcome is about a commit that PostgreSQL has written, but that may not be on the
// synchronous standby, or whose answer was lost. The transaction may be there or not, and may
// go when the standby takes over. Whoever needs to know runs it again in a way that finds out.
var ErrUnknownOutcome = errors.New("commit: the outcome is unknown")

// warned is the key of a connection's custom data: a warning came.
const warned = "skein.warned"

// noticed keeps that a warning came. PostgreSQL answers a commit whose wait for the
// synchronous standby was cancelled with success and a warning.
func noticed(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warned] = n.Message
	}
}

// Commit runs the commit of a transaction on a connection. Errors: ErrUnknownOutcome.
func Commit(ctx context.Context, conn *pgx.Conn, commit func(context.Context) error) error {
	delete(conn.PgConn().CustomData(), warned)
	err := commit(ctx)
	if warning, ok := conn.PgConn().CustomData()[warned]; ok && err == nil {
		return fmt.Errorf("%w: %w: %v", ErrUnknownOutcome, skein.ErrUnavailable, warning)
	}
	if err == nil || GivenUp(err) || errors.Is(err, pgx.ErrTxCommitRollback) || codeOf(err) != "" && !Outage(err) {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrUnknownOutcome, skein.ErrUnavailable, err)
}
