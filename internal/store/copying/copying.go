// Package copying moves all of a store into an empty one while servers write to the first, row
// by row, with every key and number kept. It has the order of the steps and the comparison; an engine
// reads and writes rows. See docs/decisions/0028.
package copying

import (
	"context"
	"errors"
)

// ErrFinished says that the target of a migration is finished already.
var ErrFinished = errors.New("the migration is finished already")

// Reader reads rows.
type Reader interface {
	// Page returns the first rows whose keys come after the given ones, in the order of their
	// keys; nil: from the beginning. With upto it returns all rows up to those keys, and limit does not count.
	Page(ctx context.Context, t *Table, after, upto Row, limit int) ([]Row, error)
	// Rows returns the rows with these keys that are there, in any order.
	Rows(ctx context.Context, t *Table, keys []Row) ([]Row, error)
}

// Source is the store that is copied.
type Source interface {
	// Follow begins to note the keys of all rows that are written from now on, by whomever. A second
	// call does nothing. It names the migration.
	Follow(ctx context.Context) (id string, err error)
	// View shows one moment.
	View(ctx context.Context, do func(View) error) error
	// Forget removes notes up to a place.
	Forget(ctx context.Context, upto string) error
	// Secret is the salt of the store.
	Secret(ctx context.Context) ([]byte, error)
	// Free reports whether no server has the store open.
	Free(ctx context.Context) (bool, error)
	// Seal ends all writes, for good: no server opens the store again. A second call does nothing.
	Seal(ctx context.Context) error
	// Numbers are what the target must not give out again.
	Numbers(ctx context.Context) (Numbers, error)
	Close() error
}

// Numbers are the highest that a store gave out.
type Numbers struct {
	Stamp int64            // of the generation of a login
	Keys  map[string]int64 // by table
}

// Keyed are the tables whose first column is a number that the store gives out.
var Keyed = []string{"apps", "clients", "conversations", "members", "uploads", "erasures"}

// View is a Source at one moment.
type View interface {
	Reader

	// Notes returns the keys of rows that were written after a place, at most limit, in their order, and
	// the place behind them. The place before all is empty. Without all it leaves out notes of which an older one may
	// still come; whatever it returns may be forgotten.
	Notes(ctx context.Context, after string, limit int, all bool) (notes []Note, next string, err error)
}

// Note says that a row was stored, changed or removed.
type Note struct {
	Table *Table
	Key   Row
}

// Target is the store that is filled. No server opens it before Finish.
type Target interface {
	Reader

	// Begin prepares the store for a migration, or returns how far this one has come. Errors: ErrFinished.
	Begin(ctx context.Context, id string, salt []byte) (State, error)
	// Write replaces rows in one transaction and keeps how far the migration has come.
	Write(ctx context.Context, s State, puts []Put) error
	// Analyze lets the engine plan for the rows that are there.
	Analyze(ctx context.Context) error
	// Finish makes the store one that a server opens, with cursors of its own.
	Finish(ctx context.Context, given Numbers) error
	Close() error
}

// Put replaces the rows with these keys by the rows given, which have some of the keys.
type Put struct {
	Table *Table
	Keys  []Row
	Rows  []Row
}

// State is how far a migration has come, as a target keeps it.
type State struct {
	Table string `json:"table"` // that is being copied; empty: none yet
	After string `json:"after"` // the keys of the last row copied, as JSON; empty: none yet
	All   bool   `json:"all"`   // all tables are copied
	Equal bool   `json:"equal"` // all tables were compared
	Place string `json:"place"` // notes up to here are done
}
