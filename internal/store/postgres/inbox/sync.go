package inbox

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// A round of Sync returns the conversations that moved at the cursor's Since or later, in the
// order of their keys and in as many pages as needed. Key is the last one returned. Upto is
// set when the round begins; the next round begins there. It is the horizon of the round's
// first page: every transaction that this page did not see has that stamp or a greater one.
// So a conversation that such a transaction moves is in the next round, whenever it commits;
// one that a finished transaction above the horizon moved is told twice.

// Sync is what has changed for a client; see store.Inbox.
func (s *Store) Sync(ctx context.Context, app, client string, after skein.SyncCursor, limit int) (page skein.SyncPage, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, conn tx.Conn) error {
		r := round{connection: connection{conn}, moves: s.db.Moves, app: app, client: client, limit: max(limit, 1)}
		page, err = r.page(ctx, after)
		return err
	})
	if err != nil {
		return skein.SyncPage{}, err
	}
	return page, nil
}

// round is one page's work.
type round struct {
	connection

	moves       *tx.Moves
	app, client string
	limit       int
	skein.SyncCursor
}

func (r *round) page(ctx context.Context, after skein.SyncCursor) (page skein.SyncPage, err error) {
	known, err := r.begin(ctx, after)
	if err != nil || !known {
		return skein.SyncPage{Next: skein.SyncCursor{Epoch: r.Epoch}, Reset: true}, err
	}
	found, err := r.changed(ctx)
	if err != nil {
		return page, err
	}
	tell, err := r.teller(ctx, found[:min(len(found), r.limit)])
	if err != nil {
		return page, err
	}
	return rows.SyncPage(r.SyncCursor, found, r.limit, tell)
}

// begin sets the cursor of this page. It reports whether the given cursor belongs to this
// history and is not older than the departures that are still known.
func (r *round) begin(ctx context.Context, after skein.SyncCursor) (known bool, err error) {
	now, err := r.moves.CatchUp(ctx, r.Conn)
	if err != nil {
		return false, err
	}
	r.Epoch = now.Epoch
	if !after.IsZero() && after.Epoch != now.Epoch || max(after.Since, after.Upto) > now.Next ||
		after.Since != 0 && after.Since <= now.Forgotten {
		return false, nil
	}
	r.Since, r.Upto, r.Key = after.Since, after.Upto, after.Key
	if r.Upto == 0 {
		r.Upto = max(r.Since, now.Horizon, now.Forgotten+1)
	}
	return true, nil
}

// changed lists the next conversations that moved in the order of their keys, up to one more
// than the limit.
func (r *round) changed(ctx context.Context) ([]rows.Changed, error) {
	if r.Since == 0 { // the beginning needs no departures
		found, err := r.Query(ctx, syncAll, r.app, r.client, r.Key, r.limit+1)
		return readChanges(found, err)
	}
	list, departures, err := r.mine(ctx)
	if err != nil || len(departures) == 0 {
		return list, err
	}
	list = append(list, departures...)
	slices.SortStableFunc(list, func(a, b rows.Changed) int { return cmp.Compare(a.Key, b.Key) })
	return list[:min(len(list), r.limit+1)], nil
}

// mostListed bounds how many moved conversations of all apps are held against the client's
// memberships in SQL. If more moved, its memberships are held against memory.
const mostListed = 512

// mine lists those of the client's conversations that moved, or in which its own row did, and its
// departures, in one round trip.
func (r *round) mine(ctx context.Context) (list, departures []rows.Changed, err error) {
	var b pgx.Batch
	moved, complete := r.moves.Since(r.Since, mostListed)
	byMemory := !complete && r.moves.Covers(r.Since)
	switch {
	case complete:
		b.Queue(syncListed, r.app, r.client, r.Key, r.limit+1, r.Since, moved)
	case byMemory:
		b.Queue(syncMemberships, r.app, r.client, r.Key, r.Since)
	default:
		b.Queue(syncByRows, r.app, r.client, r.Key, r.limit+1, r.Since)
	}
	b.Queue(syncDepartures, r.app, r.client, r.Key, r.limit+1, r.Since)
	answers := r.SendBatch(ctx, &b)
	var all, own []int64
	if found, failed := answers.Query(); byMemory {
		all, own, err = readMemberships(found, failed)
	} else {
		list, err = readChanges(found, failed)
	}
	if err == nil {
		departures, err = readChanges(answers.Query())
	}
	if err = cmp.Or(err, answers.Close()); err != nil || !byMemory {
		return list, departures, err
	}
	if moved, complete = r.moves.Among(all, r.Since); complete {
		return r.first(append(moved, own...)), departures, nil
	}
	found, err := r.Query(ctx, syncByRows, r.app, r.client, r.Key, r.limit+1, r.Since) // the memory was dropped at this moment
	list, err = readChanges(found, err)
	return list, departures, err
}

// first lists the first of these conversations, up to one more than the limit.
func (r *round) first(keys []int64) []rows.Changed {
	slices.Sort(keys)
	list := make([]rows.Changed, min(len(keys), r.limit+1))
	for i := range list {
		list[i].Key = keys[i]
	}
	return list
}

// readMemberships reads the rows of syncMemberships: own are those in which the member's own row
// moved, all are the others.
func readMemberships(found pgx.Rows, failed error) (all, own []int64, err error) {
	if failed != nil {
		return nil, nil, failed
	}
	var key int64
	var itself bool
	_, err = pgx.ForEachRow(found, []any{&key, &itself}, func() error {
		if itself {
			own = append(own, key)
		} else {
			all = append(all, key)
		}
		return nil
	})
	return all, own, err
}

func readChanges(found pgx.Rows, failed error) (list []rows.Changed, err error) {
	if failed != nil {
		return nil, failed
	}
	var key int64
	var gone *skein.ID
	_, err = pgx.ForEachRow(found, []any{&key, &gone}, func() error {
		one := rows.Changed{Key: key}
		if gone != nil {
			one.Gone = *gone
		}
		list = append(list, one)
		return nil
	})
	return list, err
}

const (
	// Of client $2, with a key after $3, at most $4, moved at $5 or later.
	memberships = ` FROM (SELECT * FROM members WHERE app_key = ` + tx.AppKey + ` AND client_id = $2 AND conv_key > $3 ORDER BY conv_key OFFSET 0) m`
	theirs      = memberships + ` CROSS JOIN LATERAL (SELECT moved, deleted FROM conversations WHERE conv_key = m.conv_key OFFSET 0) c`
	inOrder     = ` ORDER BY m.conv_key LIMIT $4`

	syncAll         = `SELECT m.conv_key, NULL::uuid` + theirs + ` WHERE c.deleted = 0` + inOrder
	syncByRows      = `SELECT m.conv_key, NULL::uuid` + theirs + ` WHERE m.moved >= $5 OR c.moved >= $5` + inOrder
	syncListed      = `SELECT m.conv_key, NULL::uuid` + memberships + ` WHERE m.moved >= $5 OR m.conv_key = ANY ($6::bigint[])` + inOrder
	syncMemberships = `SELECT conv_key, moved >= $4 FROM members WHERE app_key = ` + tx.AppKey + ` AND client_id = $2 AND conv_key > $3`
	syncDepartures  = `SELECT conv_key, conv_id FROM departures WHERE app_key = ` + tx.AppKey + ` AND client_id = $2 AND conv_key > $3 AND moved >= $5
		ORDER BY conv_key LIMIT $4`
)

// teller reads what a page tells of. Conversations that did not move after all, as this
// transaction sees them, are not told. An expired one is told when Purge has marked it as
// deleted.
func (r *round) teller(ctx context.Context, found []rows.Changed) (rows.Tell, error) {
	var keys []int64
	for _, f := range found {
		if f.Gone.IsZero() {
			keys = append(keys, f.Key)
		}
	}
	deleted := map[int64]skein.ID{}
	views, err := r.views(ctx, r.app, r.client, keys, func(b *pgx.Batch) {
		if r.Since > 0 { // at the beginning only living ones were found
			r.deleted(b, keys, deleted)
		}
	})
	if err != nil {
		return nil, err
	}
	return func(page *skein.SyncPage, f rows.Changed) error {
		v, living := views[f.Key]
		id, gone := deleted[f.Key]
		switch {
		case living && v.moved >= r.Since:
			page.Views = append(page.Views, v.View)
		case gone:
			page.Gone = append(page.Gone, id)
		}
		return nil
	}, nil
}

// deleted queues a query that adds the ids of those conversations that were deleted since the cursor.
func (r *round) deleted(b *pgx.Batch, keys []int64, all map[int64]skein.ID) {
	b.Queue(`SELECT conv_key, id FROM conversations WHERE conv_key = ANY ($1) AND deleted = 1 AND moved >= $2`, keys, r.Since).Query(func(found pgx.Rows) error {
		var key int64
		var id skein.ID
		_, err := pgx.ForEachRow(found, []any{&key, &id}, func() error {
			all[key] = id
			return nil
		})
		return err
	})
}
