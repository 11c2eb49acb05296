package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Migration is what a database knows of a migration of the store to or from it.
type Migration struct {
	ID     string // empty: there is none
	Other  string // the other store, for people
	Sealed bool   // a source that has moved: nothing may be written any more
	State  string // of a target, how far it has come; empty: a source
}

// Migrating is the migration that a database is a part of.
func Migrating(ctx context.Context, c interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (m Migration, err error) {
	var there bool
	if err := c.QueryRow(ctx, `SELECT to_regclass('moving') IS NOT NULL`).Scan(&there); err != nil || !there {
		return m, err
	}
	err = c.QueryRow(ctx, `SELECT id, other, sealed, coalesce(state, '') FROM moving`).Scan(&m.ID, &m.Other, &m.Sealed, &m.State)
	if errors.Is(err, pgx.ErrNoRows) { // a migration that was ended as it began
		err = nil
	}
	return m, err
}

// refusal is why nothing may open the database; nil: it may.
func (m Migration) refusal() error {
	switch {
	case m.State != "":
		return errors.New("skein migrate is filling this database: wait until it has ended, or start it again if it was stopped")
	case m.Sealed:
		return fmt.Errorf("this database has moved to %s: start the server there; to give up what was written there, skein migrate --cancel", m.Other)
	}
	return nil
}
