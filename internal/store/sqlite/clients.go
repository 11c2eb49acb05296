package sqlite

import (
	"bytes"
	"context"
	"reflect"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/admin"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// CreateClient adds a client; see store.Clients. Logins call it, mostly for clients that
// exist, so it reads before it queues a write.
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

// createPiece is how many clients one commit creates; createRows is how many rows each
// writes or reads.
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
		// A new row: clients are listed in the order of creation, and this one is created now.
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

// UpdateClient changes a client; see store.Clients.
func (s *Store) UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob}, func(g group) (skein.Client, error) {
		return g.updateClient(app, id, change)
	})
}

// UpdateClientBy changes a client by an operator's deed; see store.Clients.
func (s *Store) UpdateClientBy(ctx context.Context, d skein.Deed, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: tx.SmallJob}, func(g group) (skein.Client, error) {
		c, err := g.updateClient(app, id, change)
		if err == nil {
			_, err = admin.Record(g.Group, d)
		}
		return c, err
	})
}

func (g group) updateClient(app, id string, change func(*skein.Client) error) (skein.Client, error) {
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
	cuts, err := rows.EncodeCuts(c.DeviceCuts)
	if err != nil {
		return skein.Client{}, err
	}
	var key int64
	_, err = g.Row(func(r *sqlite3.Stmt) { key = r.ColumnInt64(0) },
		`UPDATE clients SET ext = ?3, updated = ?4, banned_until = ?5, ban_reason = ?6, cut = ?7, device_cuts = ?8, add_by = ?9, rev = ?10
			WHERE app_key = `+tx.AppKey+` AND id = ?2 RETURNING client_key`,
		app, id, engine.RawText(c.Ext), c.Updated, c.BannedUntil, c.BanReason, c.Cut, engine.RawText(cuts), c.AddBy, c.Rev)
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
}

// clientEvents adds an event for each thing that a change of a client did.
func (g group) clientEvents(before, after skein.Client) error {
	for _, kind := range rows.ClientEvents(before, after) {
		if err := g.Event(store.Entry{Kind: kind, App: before.App, Client: before.ID}); err != nil {
			return err
		}
	}
	return nil
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

// client is a client, or the stub of a deleted one.
func (c connection) client(app, id string) (client skein.Client, found bool, err error) {
	found, err = c.Row(func(r *sqlite3.Stmt) { client = tx.ReadClient(r, app) },
		`SELECT `+tx.ClientColumns+` FROM clients WHERE app_key = `+tx.AppKey+` AND id = ?2`, app, id)
	return client, found, err
}
