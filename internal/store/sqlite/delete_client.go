package sqlite

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// leavePiece is how many conversations a client that is being deleted leaves in one commit.
const leavePiece = 100

// DeleteClient deletes a client except for a stub; see store.Clients. A client in many
// conversations leaves them first, some in each commit.
func (s *Store) DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) (left []skein.ID, rev int64, err error) {
	for more := true; more; {
		if more, err = s.isInMany(ctx, app, id); err != nil || !more {
			break
		}
		piece, err := tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob, Rows: memberRows * leavePiece}, func(g group) ([]skein.ID, error) {
			return g.leaveSome(app, id, at)
		})
		if err != nil {
			return nil, 0, err
		}
		left = append(left, piece...)
	}
	if err != nil {
		return nil, 0, err
	}
	last, err := tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob, Rows: memberRows * leavePiece}, func(g group) (last []skein.ID, err error) {
		last, rev, err = g.deleteClient(app, id, at, erase)
		return last, err
	})
	if err != nil {
		return nil, 0, err
	}
	return append(left, last...), rev, nil
}

// isInMany reports whether a client has more to leave than one commit may hold.
func (s *Store) isInMany(ctx context.Context, app, id string) (many bool, err error) {
	err = tx.Read(ctx, s.db, app, func(c connection) error {
		n, err := c.Count(`SELECT (SELECT count(*) FROM (SELECT 1 FROM members WHERE app_key = `+tx.AppKey+` AND client_id = ?2 LIMIT ?3))
			+ (SELECT count(*) FROM (SELECT 1 FROM departures WHERE app_key = `+tx.AppKey+` AND client_id = ?2 LIMIT ?3))`,
			app, id, leavePiece+1)
		many = n > leavePiece
		return err
	})
	return many, err
}

// leaveSome removes a client that is about to be deleted from some conversations, with all
// it had in them, and forgets as many conversations that it left earlier. It returns those
// that still exist.
func (g group) leaveSome(app, client string, at skein.Millis) (left []skein.ID, err error) {
	var convs, before []int64
	err = g.Rows(func(r *sqlite3.Stmt) { convs = append(convs, r.ColumnInt64(0)) },
		`SELECT conv_key FROM members WHERE app_key = `+tx.AppKey+` AND client_id = ?2 LIMIT ?3`, app, client, leavePiece)
	if err == nil {
		err = g.Rows(func(r *sqlite3.Stmt) { before = append(before, r.ColumnInt64(0)) },
			`DELETE FROM departures WHERE (app_key, client_id, conv_id) IN (SELECT app_key, client_id, conv_id FROM departures
				WHERE app_key = `+tx.AppKey+` AND client_id = ?2 LIMIT ?3) RETURNING conv_key`, app, client, leavePiece)
	}
	if err != nil {
		return nil, err
	}
	for _, conv := range convs {
		err := g.Rows(func(r *sqlite3.Stmt) {
			g.Note(r.ColumnInt64(0), conv)
			left = append(left, engine.ID(r, 1))
		}, `UPDATE conversations SET member_count = member_count - 1, roster_rev = roster_rev + 1, `+tx.Touched+`, moved = ?2
			WHERE conv_key = ?1 AND deleted = 0 AND expires > ?5 RETURNING app_key, id`, conv, g.Stamp, at, rows.PeriodOf(at), g.Now)
		if err == nil {
			err = g.Exec(`DELETE FROM private_pairs WHERE conv_key = ?1`, conv)
		}
		if err == nil {
			err = g.Exec(`DELETE FROM members WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, conv := range slices.Concat(convs, before) {
		if err := g.Exec(`DELETE FROM hidden WHERE conv_key = ?1 AND client_id = ?2`, conv, client); err != nil {
			return nil, err
		}
	}
	g.Known.ForgetClient(app, client, left)
	return left, g.leftEvents(app, client, left)
}

// deleteClient turns the client into a stub and removes the rest in one commit.
func (g group) deleteClient(app, id string, at skein.Millis, erase bool) (left []skein.ID, rev int64, err error) {
	var key, incarnation int64
	deleted, err := g.Row(func(r *sqlite3.Stmt) { key, rev, incarnation = r.ColumnInt64(0), r.ColumnInt64(1), r.ColumnInt64(2) },
		`UPDATE clients SET deleted = 1, ext = NULL, updated = 0, banned_until = 0, ban_reason = '', device_cuts = NULL, seen = 0, add_by = 0, cut = max(cut, ?3), rev = rev + 1
		WHERE app_key = `+tx.AppKey+` AND id = ?2 AND deleted = 0 RETURNING client_key, rev, incarnation`, app, id, at)
	if err == nil && !deleted {
		err = skein.About(skein.ErrUnknownClient, id)
	}
	if err == nil {
		err = g.noteCuts(skein.Client{}, skein.Client{App: app, ID: id, Deleted: true, Rev: rev})
	}
	if err == nil {
		err = g.RenameUploads(app, tx.ByClient, key, nil)
	}
	if err == nil {
		left, err = g.leaveAll(app, id, at)
	}
	if err != nil {
		return nil, 0, err
	}
	for _, mine := range []string{`first_id`, `second_id`} { // also of conversations that it was removed from
		if err == nil {
			err = g.Exec(`DELETE FROM private_pairs WHERE app_key = `+tx.AppKey+` AND `+mine+` = ?2`, app, id)
		}
	}
	if err == nil {
		err = g.forgetInbox(app, id)
	}
	if err == nil && erase {
		err = g.MarkForErasure(app, id, incarnation)
	}
	if err == nil {
		err = g.leftEvents(app, id, left)
	}
	if err == nil {
		err = g.Event(store.Entry{Kind: store.EntryClientDeleted, App: app, Client: id})
	}
	g.Known.ForgetClient(app, id, left)
	return left, rev, err
}

// forgetInbox removes what a client had in its conversations, also in those that it left. A
// client created later with the same id begins without any of it.
func (g group) forgetInbox(app, client string) error {
	for _, sql := range []string{
		`DELETE FROM hidden WHERE client_id = ?2 AND conv_key IN (SELECT h.conv_key FROM hidden h INDEXED BY hidden_by_client
			CROSS JOIN conversations c ON c.conv_key = h.conv_key WHERE h.client_id = ?2 AND c.app_key = ` + tx.AppKey + `)`,
		`DELETE FROM departures WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2`,
		`DELETE FROM sanctions WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2`,
		`DELETE FROM members WHERE app_key = ` + tx.AppKey + ` AND client_id = ?2`,
	} {
		if err := g.Exec(sql, app, client); err != nil {
			return err
		}
	}
	return nil
}

// leaveAll takes the client out of the member counts of its conversations and returns those
// that still exist. It leaves the member rows.
func (g group) leaveAll(app, client string, at skein.Millis) (left []skein.ID, err error) {
	err = g.Rows(func(r *sqlite3.Stmt) {
		g.Note(r.ColumnInt64(0), r.ColumnInt64(1))
		left = append(left, engine.ID(r, 3))
	},
		`UPDATE conversations SET member_count = member_count - 1, roster_rev = roster_rev + 1, `+tx.Touched+`, moved = ?6
			WHERE conv_key IN (SELECT conv_key FROM members WHERE app_key = `+tx.AppKey+` AND client_id = ?2)
			AND deleted = 0 AND expires > ?5`+tx.ReturningMoves+`, id`, app, client, at, rows.PeriodOf(at), g.Now, g.Stamp)
	return left, err
}

// leftEvents adds an event for each conversation that a client left because it was deleted.
func (g group) leftEvents(app, client string, left []skein.ID) error {
	for _, conv := range left {
		if err := g.Event(store.Entry{Kind: store.EntryMembersRemoved, App: app, Conv: conv, Clients: []string{client}}); err != nil {
			return err
		}
	}
	return nil
}
