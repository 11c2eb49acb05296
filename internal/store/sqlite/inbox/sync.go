package inbox

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/moves"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// A round of Sync returns the conversations that moved after the cursor's Since, in the order
// of their keys and in as many pages as needed. Key is the last one returned. Upto is set
// when the round begins; the next round begins there. A conversation that moves during a
// round has a stamp above Upto, so the next round returns it, even if this one already did.

// appProbe bounds how many of an app's moved conversations are checked for the client's
// membership. If more moved, the client's memberships are read instead.
const appProbe = 2048

// Sync is what has changed for a client; see store.Inbox.
func (s *Store) Sync(ctx context.Context, app, client string, after skein.SyncCursor, limit int) (page skein.SyncPage, err error) {
	now := s.db.Millis()
	// Read before the snapshot is taken: a later commit may be missing from the snapshot.
	reached := s.db.Reached.Load()
	err = tx.Walk(ctx, s.db, app, func(c connection) error {
		r := round{connection: c, moves: s.db.Moves, app: app, client: client, now: now, limit: max(limit, 1)}
		page, err = r.page(after, reached)
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

	moves       *moves.Map
	app, client string
	now         skein.Millis
	limit       int
	skein.SyncCursor
}

func (r *round) page(after skein.SyncCursor, reached int64) (page skein.SyncPage, err error) {
	known, err := r.begin(after, reached)
	if err != nil || !known {
		return skein.SyncPage{Next: skein.SyncCursor{Epoch: r.Epoch}, Reset: true}, err
	}
	found, err := r.changed()
	if err != nil {
		return page, err
	}
	return rows.SyncPage(r.SyncCursor, found, r.limit, r.tell)
}

// begin sets the cursor of this page. It reports whether the given cursor belongs to this
// history and is not older than the departures that are still known.
func (r *round) begin(after skein.SyncCursor, reached int64) (known bool, err error) {
	var ceiling, forgotten int64
	_, err = r.Row(func(s *sqlite3.Stmt) {
		r.Epoch, ceiling, forgotten = s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2)
	}, `SELECT epoch, ceiling, forgotten FROM history`)
	if err != nil {
		return false, err
	}
	if !after.IsZero() && after.Epoch != r.Epoch || max(after.Since, after.Upto) > ceiling ||
		after.Since != 0 && after.Since < forgotten {
		return false, nil
	}
	for _, stamp := range []int64{after.Since, after.Upto} {
		if foreign, err := r.Paused(stamp); err != nil || foreign {
			return false, err
		}
	}
	r.Since, r.Upto, r.Key = after.Since, after.Upto, after.Key
	if r.Upto == 0 {
		r.Upto = max(r.Since, reached, forgotten)
	}
	return true, nil
}

// changed lists the next conversations that moved in the order of their keys, up to one more
// than the limit.
func (r *round) changed() (list []rows.Changed, err error) {
	moved, known, err := r.moved()
	if err != nil {
		return nil, err
	}
	query := syncByRows
	switch {
	case r.Since == 0: // the beginning needs no departures
		query = syncAll
	case known:
		query = syncMine
	}
	err = r.Rows(func(s *sqlite3.Stmt) {
		list = append(list, rows.Changed{Key: s.ColumnInt64(0), Gone: engine.ID(s, 1)})
	}, query, r.app, r.client, r.Since, r.Key, r.limit+1)
	return r.merge(list, moved), err
}

// merge adds the conversations that moved to those found, in the order of their keys.
func (r *round) merge(list []rows.Changed, moved []int64) []rows.Changed {
	if len(moved) == 0 {
		return list
	}
	for _, key := range moved {
		list = append(list, rows.Changed{Key: key})
	}
	slices.SortStableFunc(list, func(a, b rows.Changed) int { return cmp.Compare(a.Key, b.Key) })
	list = slices.Compact(list)
	return list[:min(len(list), r.limit+1)]
}

// moved lists the client's conversations that moved since the cursor. known is false if the
// memory of moves does not reach back that far. It starts from the app's moves or from the
// client's memberships, whichever are fewer. To find out, it counts both with a growing
// limit: most clients are in few conversations, and in most apps many moved.
func (r *round) moved() (moved []int64, known bool, err error) {
	if r.Since == 0 || !r.moves.Covers(r.Since) {
		return nil, false, nil
	}
	app, err := r.KnownApp(r.app)
	if errors.Is(err, skein.ErrUnknownApp) {
		return nil, true, nil
	}
	for limit := appProbe / 64; err == nil && limit <= appProbe; limit *= 8 {
		convs, complete := r.moves.Since(r.Since, app, limit)
		if complete {
			moved, err = r.mine(convs)
			return moved, true, err
		}
		var mine int
		if mine, err = r.Count(countMine, r.app, r.client, r.Key, limit); mine < limit {
			break
		}
	}
	if err != nil {
		return nil, false, err
	}
	var all []int64
	err = r.Rows(func(s *sqlite3.Stmt) { all = append(all, s.ColumnInt64(0)) }, allMine, r.app, r.client, r.Key)
	moved, known = r.moves.Moved(r.Since, all, r.limit+1)
	return moved, known, err
}

// mine lists those of convs after Key that the client is a member of.
func (r *round) mine(convs []int64) (mine []int64, err error) {
	for _, conv := range convs {
		if conv <= r.Key {
			continue
		}
		in, err := r.Row(nil, `SELECT 1 FROM members WHERE conv_key = ?1 AND client_id = ?2`, conv, r.client)
		if err != nil {
			return nil, err
		}
		if in {
			mine = append(mine, conv)
		}
	}
	slices.Sort(mine)
	return mine, nil
}

const (
	// Of client ?2, with a key after ?3.
	ofMine    = ` FROM members INDEXED BY members_by_client WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2 AND conv_key > ?3`
	countMine = `SELECT count(*) FROM (SELECT 1` + ofMine + ` LIMIT ?4)`
	allMine   = `SELECT conv_key` + ofMine

	// Of client ?2, moved after ?3, with a key after ?4, at most ?5.
	myRows = `SELECT conv_key, NULL FROM members INDEXED BY members_by_move
		WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2 AND moved > ?3 AND conv_key > ?4`
	myDepartures = `SELECT conv_key, conv_id FROM departures INDEXED BY departures_by_move
		WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2 AND moved > ?3 AND conv_key > ?4`
	myConversations = `SELECT m.conv_key, NULL FROM members m INDEXED BY members_by_client
		CROSS JOIN conversations c ON c.conv_key = m.conv_key
		WHERE m.app_key = ` + tx.AppKey + ` AND m.client_id = ?2 AND m.conv_key > ?4 AND c.moved > ?3`

	syncAll    = myConversations + ` AND c.deleted = 0 ORDER BY m.conv_key LIMIT ?5`
	syncMine   = myRows + ` UNION ` + myDepartures + ` ORDER BY 1 LIMIT ?5`
	syncByRows = myRows + ` UNION ` + myDepartures + ` UNION ` + myConversations + ` ORDER BY 1 LIMIT ?5`
)

// tell adds a conversation to the page. An expired one is added when Purge has marked it as
// deleted.
func (r *round) tell(page *skein.SyncPage, c rows.Changed) error {
	v, living, err := r.viewAt(r.app, r.client, c.Key, r.now)
	if err != nil {
		return err
	}
	if living {
		page.Views = append(page.Views, v)
		return nil
	}
	_, err = r.Row(func(s *sqlite3.Stmt) { page.Gone = append(page.Gone, engine.ID(s, 0)) },
		`SELECT id FROM conversations WHERE conv_key = ?1 AND deleted = 1`, c.Key)
	return err
}
