package datadir

import (
	"context"
	"errors"
	"fmt"

	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/store/copying"
	postgrescopying "github.com/skein-im/skein/internal/store/postgres/copying"
	sqlitecopying "github.com/skein-im/skein/internal/store/sqlite/copying"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// Migration copies a store into another one while servers write to the first.
type Migration struct {
	From, To config.Store
	CutOver  bool // end the migration once no server has From open; otherwise it follows until ctx ends
	Tell     func(copying.Progress)
}

// Migrated is what a migration could not keep as it was.
type Migrated struct {
	Replaced map[string]int64 // texts with characters that PostgreSQL cannot hold, by table
}

// Run copies. It may be ended at any moment and run again.
func (m Migration) Run(ctx context.Context) (done Migrated, err error) {
	if !m.From.OnPostgres() && !m.To.OnPostgres() {
		return done, errors.New("--to: a move from one --data to another is a backup and a restore")
	}
	from, release, err := m.source(ctx)
	if err != nil {
		return done, fmt.Errorf("the store to copy: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close(), release()) }()
	to, unlock, err := m.target(ctx)
	if err != nil {
		return done, fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close(), unlock()) }()
	files, err := mirrorOf(ctx, m.From, m.To)
	if err != nil {
		return done, fmt.Errorf("--to-uploads: %w", err)
	}
	err = copying.Run(ctx, copying.Options{Source: from, Target: to, Files: files, Tell: m.Tell})
	if source, ok := from.(*sqlitecopying.Source); ok {
		done.Replaced = source.Replaced()
	}
	return done, err
}

func nothing() error { return nil }

// source opens the store that is copied. Of the embedded store it takes the lock of --data when no server holds it.
func (m Migration) source(ctx context.Context) (from copying.Source, release func() error, err error) {
	if m.From.OnPostgres() {
		from, err := postgrescopying.OpenSource(ctx, m.From.Database, Describe(m.To), m.CutOver)
		return from, nothing, err
	}
	data := m.From.Data
	if err := MustHaveStore("--data", data); err != nil {
		return nil, nil, err
	}
	unlocked := nothing // what release calls: the lock may come later
	held := false
	free := func() (bool, error) {
		if held || !m.CutOver {
			return held, nil
		}
		unlock, err := Lock(data, "migrate")
		if _, ok := errors.AsType[*HeldError](err); ok {
			return false, nil
		}
		if err == nil {
			held, unlocked = true, unlock
		}
		return held, err
	}
	unlock, err := Lock(data, "migrate")
	_, served := errors.AsType[*HeldError](err)
	if err != nil && !served {
		return nil, nil, err
	}
	if !served {
		held, unlocked = true, unlock
	}
	if !sqlitecopying.Sealed(StoreFile(data)) {
		err = schema.Bring(ctx, schema.Options{Path: StoreFile(data), Beside: served, Now: clock.Now})
	} else {
		err = nil
	}
	if err == nil {
		from, err = sqlitecopying.OpenSource(StoreFile(data), Describe(m.To), free)
	}
	if err != nil {
		return nil, nil, errors.Join(err, unlocked())
	}
	if held && !m.CutOver { // a server may be started
		held = false
		if err := unlocked(); err != nil {
			return nil, nil, errors.Join(err, from.Close())
		}
		unlocked = nothing
	}
	return from, func() error { return unlocked() }, nil
}

// target opens the store that is filled.
func (m Migration) target(ctx context.Context) (to copying.Target, unlock func() error, err error) {
	if m.To.OnPostgres() {
		to, err := postgrescopying.OpenTarget(ctx, m.To.Database, Describe(m.From))
		return to, nothing, err
	}
	if err := Make(m.To.Data, nil); err != nil {
		return nil, nil, err
	}
	if unlock, err = Lock(m.To.Data, "migrate"); err != nil {
		return nil, nil, err
	}
	to, err = sqlitecopying.OpenTarget(ctx, schema.Options{Path: StoreFile(m.To.Data), Now: clock.Now})
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return to, unlock, nil
}

// CancelMigration makes the source of a migration what it was before. What was copied is of no use.
func CancelMigration(ctx context.Context, from config.Store) error {
	if from.OnPostgres() {
		return postgrescopying.Cancel(ctx, from.Database)
	}
	if err := MustHaveStore("--data", from.Data); err != nil {
		return err
	}
	return sqlitecopying.Cancel(StoreFile(from.Data))
}
