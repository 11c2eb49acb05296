package sqlite

import (
	"bytes"
	"context"
	"reflect"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// CreateClient adds a client; see store.Clients. Logins call it, mostly about
// clients that are there, so it reads before it asks for a commit.
func (s *Store) CreateClient(ctx context.Context, c skein.Client) (skein.Client, bool, error) {
	there, err := s.Client(ctx, c.App, c.ID)
	if err == nil && !there.Deleted {
		return there, false, nil
	}
	type result struct {
		client  skein.Client
		created bool
	}
	r, err := tx.Write(ctx, s.db, tx.Job{App: c.App, Bytes: tx.SmallJob + len(c.Ext)}, func(g group) (r result, err error) {
		r.client, r.created, err = g.createClient(c)
		return r, err
	})
	return r.client, r.created, err
}

// createPiece is how many clients are created in one commit, and createRows how many
// rows each costs: itself and what is looked up.
const (
	createPiece = 100
	createRows  = 3
)

// CreateClients adds clients; see store.Clients.
func (s *Store) CreateClients(ctx context.Context, app string, clients []skein.Client) ([]store.CreatedClient, error) {
	all := make([]store.CreatedClient, 0, len(clients))
	for piece := range slices.Chunk(clients, createPiece) {
		size := tx.SmallJob
		for _, c := range piece {
			size += 64 + len(c.Ext)
		}
		created, err := tx.Write(ctx, s.db, tx.Job{App: app, Bytes: size, Rows: createRows * len(piece)}, func(g group) (created []store.CreatedClient, err error) {
			for _, c := range piece {
				c.App = app
				var one store.CreatedClient
				if one.Client, one.Created, err = g.createClient(c); err != nil {
					return nil, err
				}
				created = append(created, one)
			}
			return created, nil
		})
		if err != nil {
			return nil, err
		}
		all = append(all, created...)
	}
	return all, nil
}

func (g group) createClient(c skein.Client) (skein.Client, bool, error) {
	app, err := g.KnownApp(c.App)
	if err != nil {
		return c, false, err
	}
	there, found, err := g.conn().client(c.App, c.ID)
	switch {
	case err != nil:
		return c, false, err
	case found && !there.Deleted:
		return there, false, nil
	case found:
		// A new row, since it is created now and listed by creation.
		c.Cut = max(c.Cut, there.Cut)
		if err := g.Exec(`DELETE FROM clients WHERE app_key = ?1 AND id = ?2`, app, c.ID); err != nil {
			return c, false, err
		}
	}
	c.Seen, c.Deleted, c.AddBy = 0, false, skein.AddByDefault
	c.Rev, c.Incarnation = there.Rev+1, there.Incarnation+1
	err = g.Exec(`INSERT INTO clients (app_key, id, ext, created, updated, banned_until, ban_reason, cut, rev, incarnation)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
		app, c.ID, engine.RawText(c.Ext), c.Created, c.Updated, c.BannedUntil, c.BanReason, c.Cut, c.Rev, c.Incarnation)
	if err == nil {
		err = g.NameUploads(c.App, tx.ByClient, g.DB.LastInsertRowID(), c.Uploads())
	}
	if err == nil {
		err = g.Event(store.Entry{Kind: store.EntryClientCreated, App: c.App, Client: c.ID})
	}
	return c, true, err
}

// Client is one client; see store.Clients.
func (s *Store) Client(ctx context.Context, app, id string) (client skein.Client, err error) {
	err = tx.Caller(ctx, s.db, app, func(c connection) error {
		var found bool
		client, found, err = c.client(app, id)
		if err == nil && !found {
			err = skein.About(skein.ErrUnknownClient, id)
		}
		return err
	})
	return client, err
}

// UpdateClient alters a client; see store.Clients.
func (s *Store) UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob}, func(g group) (skein.Client, error) {
		before, found, err := g.conn().client(app, id)
		if err == nil && (!found || before.Deleted) {
			err = skein.About(skein.ErrUnknownClient, id)
		}
		if err != nil {
			return skein.Client{}, err
		}
		c := before
		if err := change(&c); err != nil {
			return skein.Client{}, err
		}
		c.App, c.ID, c.Created, c.Seen, c.Deleted = before.App, before.ID, before.Created, before.Seen, false
		c.Rev, c.Incarnation = before.Rev, before.Incarnation
		if reflect.DeepEqual(c, before) {
			return c, nil
		}
		c.Rev++
		g.Known.ForgetSender(app, id)
		cuts, err := tx.EncodeCuts(c.DeviceCuts)
		if err != nil {
			return skein.Client{}, err
		}
		var key int64
		_, err = g.Row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) },
			`UPDATE clients SET ext = ?3, updated = ?4, banned_until = ?5, ban_reason = ?6, cut = ?7, device_cuts = ?8, add_by = ?9, rev = ?10
			WHERE app_key = `+tx.AppKey+` AND id = ?2 RETURNING client_key`,
			app, id, engine.RawText(c.Ext), c.Updated, c.BannedUntil, c.BanReason, c.Cut, cuts, c.AddBy, c.Rev)
		if err == nil {
			err = g.noteCuts(before, c)
		}
		if err == nil && (!bytes.Equal(c.Ext, before.Ext) || c.BanReason != before.BanReason) {
			err = g.RenameUploads(app, tx.ByClient, key, c.Uploads())
		}
		if err == nil {
			err = g.clientEvents(before, c)
		}
		return c, err
	})
}

// leavePiece is how many conversations a client who is deleted leaves in one commit.
const leavePiece = 100

// DeleteClient leaves a stub of a client; see store.Clients. One who is in many
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

// isInMany reports whether a living client has more to leave than one commit may hold.
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

// leaveSome takes a client who is about to be deleted out of some conversations, with
// all that it had of them, and forgets as many that it had left before. It answers those
// that live.
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
			WHERE conv_key = ?1 AND deleted = 0 AND expires > ?5 RETURNING app_key, id`, conv, g.Stamp, at, tx.PeriodOf(at), g.Now)
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
	err = g.Exec(`DELETE FROM private_pairs WHERE app_key = `+tx.AppKey+` AND conv_key IN
		(SELECT conv_key FROM members WHERE app_key = `+tx.AppKey+` AND client_id = ?2)`, app, id)
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

// forgetInbox removes what a client had of its conversations, those it left too:
// who is created later with its id begins without.
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

// leaveAll counts the client out of its living conversations and answers them;
// the member rows are still there.
func (g group) leaveAll(app, client string, at skein.Millis) (left []skein.ID, err error) {
	err = g.Rows(func(r *sqlite3.Stmt) {
		g.Note(r.ColumnInt64(0), r.ColumnInt64(1))
		left = append(left, engine.ID(r, 3))
	},
		`UPDATE conversations SET member_count = member_count - 1, roster_rev = roster_rev + 1, `+tx.Touched+`, moved = ?6
			WHERE conv_key IN (SELECT conv_key FROM members WHERE app_key = `+tx.AppKey+` AND client_id = ?2)
			AND deleted = 0 AND expires > ?5`+tx.ReturningMoves+`, id`, app, client, at, tx.PeriodOf(at), g.Now, g.Stamp)
	return left, err
}

// Clients is a page of clients; see store.Clients.
func (s *Store) Clients(ctx context.Context, app string, q skein.ClientQuery) (page skein.ClientPage, err error) {
	err = tx.Search(ctx, s.db, app, "user.list", func(c connection) error {
		page, err = c.clients(app, q)
		return err
	})
	return page, err
}

func (c connection) clients(app string, q skein.ClientQuery) (page skein.ClientPage, err error) {
	where := tx.Filter{}
	where.And(`app_key = (SELECT app_key FROM apps WHERE id = ? AND deleted = 0) AND deleted = 0`, app)
	if q.IDs != nil {
		where.And(`id IN (`+tx.Marks(len(q.IDs))+`)`, tx.Anys(q.IDs)...)
	}
	err = c.Ask(func(r *sqlite3.Stmt) { page.Total = int(r.ColumnInt64(0)) },
		`SELECT count(*) FROM clients WHERE `+where.SQL(), where.Args)
	if err != nil || q.Limit <= 0 || q.After.IsZero() && q.Offset >= page.Total {
		return page, err
	}
	offset := q.Offset
	if !q.After.IsZero() {
		where.And(`client_key > ?`, q.After.Tie)
		offset = 0
	}
	var keys []int64
	err = c.Ask(func(r *sqlite3.Stmt) {
		page.Clients = append(page.Clients, tx.ReadClient(r, app))
		keys = append(keys, r.ColumnInt64(tx.ClientColumnCount))
	}, `SELECT `+tx.ClientColumns+`, client_key FROM clients WHERE `+where.SQL()+` ORDER BY client_key LIMIT ? OFFSET ?`,
		append(where.Args, q.Limit+1, offset))
	if len(keys) > q.Limit {
		page.Clients = page.Clients[:q.Limit]
		page.Next = skein.Cursor{Tie: keys[q.Limit-1]}
	}
	return page, err
}

// client is a client or what is left of it.
func (c connection) client(app, id string) (client skein.Client, found bool, err error) {
	found, err = c.Row(func(r *sqlite3.Stmt) { client = tx.ReadClient(r, app) },
		`SELECT `+tx.ClientColumns+` FROM clients WHERE app_key = `+tx.AppKey+` AND id = ?2`, app, id)
	return client, found, err
}
