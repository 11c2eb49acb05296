// Package purge removes, in short transactions, the rows that no method shows any more.
package purge

import (
	"context"
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Store is the methods of the store that this package has.
type Store struct {
	db      *tx.DB
	horizon horizon
}

// New purges a database.
func New(db *tx.DB) *Store { return &Store{db: db} }

// purgeRows bounds the rows that one call of Purge removes, and that one of its transactions
// does.
const purgeRows = 500

// Purge removes rows that no other method can reach any more; see store.Upkeep. It looks for
// one thing to remove after the other and removes some of its rows in a transaction. Whoever
// purges at the same time finds fewer rows, and does no harm. It also renews the planner's
// statistics of tables that have grown.
func (s *Store) Purge(ctx context.Context, now skein.Millis) (more bool, err error) {
	if err := errors.Join(s.watchHorizon(ctx), s.analyse(ctx)); err != nil {
		return false, err
	}
	for left := purgeRows; ; {
		remove, err := s.nextPurge(ctx, now)
		if err != nil || remove == nil || left <= 0 {
			return remove != nil, err
		}
		p := removal{now: now, left: left}
		err = s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
			p.Tx, p.left = t, left
			return remove(ctx, &p)
		})
		if err != nil {
			return false, err
		}
		left = min(p.left, left-1) // so that it ends, also where the rows were gone
	}
}

// removal is one transaction of Purge.
type removal struct {
	*tx.Tx

	now  skein.Millis
	left int // rows that may still be removed
}

// dead is what there is to remove. A deleted app's files go first, because the disk still
// holds them. Its conversations go before the app that they belong to. Rows that are too old go
// last.
const dead = `SELECT
	(SELECT u.app_key FROM apps a JOIN uploads u ON u.app_key = a.app_key WHERE a.deleted LIMIT 1),
	coalesce((SELECT min(conv_key) FROM conversations WHERE deleted = 1),
		(SELECT conv_key FROM conversations WHERE expires <= $1 AND expires < 9007199254740991 ORDER BY expires LIMIT 1),
		(SELECT c.conv_key FROM apps a JOIN conversations c ON c.app_key = a.app_key WHERE a.deleted AND c.deleted <> 1 LIMIT 1)),
	(SELECT app_key FROM apps WHERE deleted LIMIT 1),
	(SELECT at FROM cuts ORDER BY cut_key LIMIT 1) < $2,
	(SELECT at FROM events WHERE xid > events_forgotten ORDER BY xid, event_key LIMIT 1) < $3,
	(SELECT at FROM batches WHERE xid > batches_forgotten ORDER BY xid LIMIT 1) < $4,
	(SELECT min(at) FROM departures) < $5,
	(SELECT min(at) FROM webhook_attempts) < $6,
	(SELECT min(first) FROM webhook_failures) < $7,
	(SELECT min(day) FROM app_usage) < $8,
	(SELECT min(at) FROM key_uses) < $9,
	retry_since FROM history`

// nextPurge finds the first thing to remove and returns what removes some of its rows; nil:
// there is nothing.
func (s *Store) nextPurge(ctx context.Context, now skein.Millis) (remove func(context.Context, *removal) error, err error) {
	var files, conv, app *int64
	var cuts, events, batches, departures, attempts, failures, usage, keys *bool
	var retries skein.Millis
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		return c.QueryRow(ctx, dead, now, cutHorizon(now), eventHorizon(now), batchHorizon(now), departureHorizon(now),
			now.Add(-skein.AttemptsKept), now.Add(-skein.DeadLettersKept), int64(usageHorizon(now)), usageHorizon(now).Begin()).
			Scan(&files, &conv, &app, &cuts, &events, &batches, &departures, &attempts, &failures, &usage, &keys, &retries)
	})
	of := func(key *int64, remove func(*removal, context.Context, int64) error) func(context.Context, *removal) error {
		return func(ctx context.Context, p *removal) error { return remove(p, ctx, *key) }
	}
	old := func(remove func(*removal, context.Context) error) func(context.Context, *removal) error {
		return func(ctx context.Context, p *removal) error { return remove(p, ctx) }
	}
	is := func(found *bool) bool { return found != nil && *found }
	switch {
	case err != nil:
		return nil, err
	case files != nil:
		return of(files, (*removal).uploads), nil
	case conv != nil:
		return of(conv, (*removal).conversation), nil
	case app != nil:
		return of(app, (*removal).app), nil
	case is(cuts):
		return old((*removal).forgetCuts), nil
	case is(events):
		return old((*removal).forgetEvents), nil
	case is(batches):
		return old((*removal).forgetBatches), nil
	case is(departures):
		return old((*removal).forgetDepartures), nil
	case is(attempts):
		return old((*removal).forgetAttempts), nil
	case is(failures):
		return old((*removal).forgetFailures), nil
	case is(usage):
		return old((*removal).forgetUsage), nil
	case is(keys):
		return old((*removal).forgetKeyUses), nil
	case retriesOver(retries, now):
		return old((*removal).turnRetries), nil
	}
	return nil, nil //nolint:nilnil // nil says that there is nothing to remove
}

// uploads releases files of a deleted app, even those that something still names.
func (p *removal) uploads(ctx context.Context, app int64) error {
	return p.remove(ctx, app,
		`DELETE FROM upload_uses WHERE ctid = ANY (ARRAY(SELECT s.ctid FROM upload_uses s WHERE upload_key IN
			(SELECT upload_key FROM uploads WHERE app_key = $1 ORDER BY due LIMIT $2) LIMIT $2))`,
		`DELETE FROM uploads WHERE ctid = ANY (ARRAY(SELECT ctid FROM uploads WHERE app_key = $1 ORDER BY due LIMIT $2))`)
}

// app removes rows of a deleted app that has no conversations left, its own row last. Whoever
// creates a conversation holds the app's row, and may have begun before the app was deleted.
func (p *removal) app(ctx context.Context, key int64) error {
	if _, err := p.Exec(ctx, `SELECT 1 FROM apps WHERE app_key = $1 FOR UPDATE`, key); err != nil {
		return err
	}
	var used bool
	err := p.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM conversations WHERE app_key = $1)`, key).Scan(&used)
	if err != nil || used {
		return err
	}
	return p.remove(ctx, key,
		`DELETE FROM clients WHERE ctid = ANY (ARRAY(SELECT ctid FROM clients WHERE app_key = $1 LIMIT $2))`,
		`DELETE FROM departures WHERE ctid = ANY (ARRAY(SELECT ctid FROM departures WHERE app_key = $1 LIMIT $2))`,
		`DELETE FROM cuts WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM erasures WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM storage WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM word_lists WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM app_usage WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM key_uses WHERE app_key = $1 AND $2::int > 0`,
		`DELETE FROM apps WHERE app_key = $1 AND deleted AND $2::int > 0`)
}

// remove runs the deletes in order. Each removes at most $2 rows about the key $1; the next
// one begins when the one before has nothing left to remove.
func (p *removal) remove(ctx context.Context, key int64, deletes ...string) error {
	for _, sql := range deletes {
		gone, err := p.Exec(ctx, sql, key, p.left)
		if err != nil {
			return err
		}
		p.left -= int(gone.RowsAffected())
		if p.left <= 0 {
			return nil
		}
	}
	return nil
}

// unlessNoRows is err, or nil if it says that there is no such row.
func unlessNoRows(err error) error { return tx.Missing(err, nil) }
