package postgres

import (
	"bytes"
	"context"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/admin"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// CreateClient adds a client; see store.Clients. Logins call it, mostly for clients that
// exist, so it reads before it writes.
func (s *Store) CreateClient(ctx context.Context, c skein.Client) (skein.Client, bool, error) {
	there, err := s.Client(ctx, c.App, c.ID)
	if err == nil && !there.Deleted {
		return there, false, nil
	}
	all, err := s.CreateClients(ctx, c.App, []skein.Client{c})
	if err != nil {
		return skein.Client{}, false, err
	}
	return all[0].Client, all[0].Created, nil
}

// createPiece is how many clients one transaction creates.
const createPiece = 500

// CreateClients adds clients; see store.Clients.
func (s *Store) CreateClients(ctx context.Context, app string, clients []skein.Client) ([]store.CreatedClient, error) {
	all := make([]store.CreatedClient, 0, len(clients))
	for piece := range slices.Chunk(clients, createPiece) {
		created, err := settled(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) ([]store.CreatedClient, error) {
			return createClients(ctx, t, app, piece)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, created...)
	}
	return all, nil
}

// createClients adds those clients that are not there. Of two with the same id the first
// counts.
func createClients(ctx context.Context, t *tx.Tx, app string, clients []skein.Client) ([]store.CreatedClient, error) {
	key, err := holdApp(ctx, t, app)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(clients))
	for i, c := range clients {
		ids[i] = c.ID
	}
	there, gone, err := clientRows(ctx, t, app, key, ids)
	if err != nil {
		return nil, err
	}
	// A deleted client gets a new row: clients are listed in the order of creation, and this
	// one is created now.
	if len(gone) > 0 {
		if _, err := t.Exec(ctx, `DELETE FROM clients WHERE client_key = ANY($1)`, gone); err != nil {
			return nil, err
		}
	}
	answers := make([]store.CreatedClient, len(clients))
	var added []skein.Client
	for i, c := range clients {
		before, found := there[c.ID]
		if found && !before.Deleted {
			answers[i].Client = before
			continue
		}
		c.App, c.Cut = app, max(c.Cut, before.Cut)
		c.Seen, c.Deleted, c.AddBy, c.DeviceCuts = 0, false, skein.AddByDefault, nil
		c.Rev, c.Incarnation = before.Rev+1, before.Incarnation+1
		answers[i] = store.CreatedClient{Client: c, Created: true}
		there[c.ID] = c
		added = append(added, c)
	}
	return answers, insertClients(ctx, t, app, key, added)
}

// clientRows are the clients with these ids, the stubs of deleted ones among them, and the
// keys of the stubs.
func clientRows(ctx context.Context, t *tx.Tx, app string, key int64, ids []string) (there map[string]skein.Client, gone []int64, err error) {
	there = make(map[string]skein.Client, len(ids))
	found, err := t.Query(ctx, `SELECT `+tx.ClientColumns+`, client_key FROM clients WHERE app_key = $1 AND id = ANY($2)`, key, ids)
	if err != nil {
		return nil, nil, err
	}
	defer found.Close()
	for found.Next() {
		var clientKey int64
		c, err := tx.ReadClient(found, app, &clientKey)
		if err != nil {
			return nil, nil, err
		}
		if there[c.ID] = c; c.Deleted {
			gone = append(gone, clientKey)
		}
	}
	return there, gone, found.Err()
}

// insertClients adds the rows of new clients. Errors: errChanged when another transaction has
// created one of them.
func insertClients(ctx context.Context, t *tx.Tx, app string, key int64, clients []skein.Client) error {
	n := len(clients)
	if n == 0 {
		return nil
	}
	ids, exts, reasons := make([]string, n), make([][]byte, n), make([]string, n)
	created, updated, banned, cuts := make([]skein.Millis, n), make([]skein.Millis, n), make([]skein.Millis, n), make([]skein.Millis, n)
	revs, incarnations := make([]int64, n), make([]int64, n)
	events := make([]store.Entry, n)
	for i, c := range clients {
		ids[i], exts[i], reasons[i] = c.ID, c.Ext, c.BanReason
		created[i], updated[i], banned[i], cuts[i] = c.Created, c.Updated, c.BannedUntil, c.Cut
		revs[i], incarnations[i] = c.Rev, c.Incarnation
		events[i] = store.Entry{Kind: store.EntryClientCreated, App: app, Client: c.ID}
	}
	found, err := t.Query(ctx, `INSERT INTO clients (app_key, id, ext, created, updated, banned_until, ban_reason, cut, rev, incarnation)
		SELECT $1, u.id, u.ext, u.created, u.updated, u.banned_until, u.ban_reason, u.cut, u.rev, u.incarnation
		FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])
			WITH ORDINALITY u(id, ext, created, updated, banned_until, ban_reason, cut, rev, incarnation, n) ORDER BY u.n
		ON CONFLICT DO NOTHING RETURNING id, client_key`,
		key, ids, exts, created, updated, banned, reasons, cuts, revs, incarnations)
	keys, err := collectMap[string, int64](found, err)
	if err != nil {
		return err
	}
	if len(keys) < n {
		return errChanged
	}
	for _, c := range clients {
		if err := t.NameUploads(ctx, key, tx.Thing{Kind: tx.ByClient, Key: keys[c.ID]}, c.Uploads()); err != nil {
			return err
		}
	}
	return t.Event(ctx, events...)
}

// Client is one client; see store.Clients.
func (s *Store) Client(ctx context.Context, app, id string) (client skein.Client, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		client, err = tx.ReadClient(c.QueryRow(ctx, `SELECT `+tx.ClientColumns+` FROM clients WHERE app_key = `+tx.AppKey+` AND id = $2`, app, id), app)
		return tx.Missing(err, skein.About(skein.ErrUnknownClient, id))
	})
	return client, err
}

// UpdateClient changes a client; see store.Clients.
func (s *Store) UpdateClient(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) (skein.Client, error) {
		return updateClient(ctx, t, app, id, change)
	})
}

// UpdateClientBy changes a client by an operator's deed; see store.Clients.
func (s *Store) UpdateClientBy(ctx context.Context, d skein.Deed, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) (skein.Client, error) {
		c, err := updateClient(ctx, t, app, id, change)
		if err == nil {
			_, err = admin.Record(ctx, t, d)
		}
		return c, err
	})
}

func updateClient(ctx context.Context, t *tx.Tx, app, id string, change func(*skein.Client) error) (skein.Client, error) {
	var appKey, key int64
	before, err := tx.ReadClient(t.QueryRow(ctx, `SELECT `+tx.ClientColumns+`, app_key, client_key FROM clients
			WHERE app_key = `+tx.AppKey+` AND id = $2 AND NOT deleted FOR UPDATE`, app, id), app, &appKey, &key)
	if err != nil {
		return skein.Client{}, tx.Missing(err, skein.About(skein.ErrUnknownClient, id))
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
	cuts, err := rows.EncodeCuts(c.DeviceCuts)
	if err != nil {
		return skein.Client{}, err
	}
	_, err = t.Exec(ctx, `UPDATE clients SET ext = $2, updated = $3, banned_until = $4, ban_reason = $5, cut = $6, device_cuts = $7, add_by = $8, rev = $9
			WHERE client_key = $1`, key, c.Ext, c.Updated, c.BannedUntil, c.BanReason, c.Cut, cuts, c.AddBy, c.Rev)
	if err == nil {
		err = noteCuts(ctx, t, appKey, skein.CutsBetween(before, c))
	}
	if err == nil && (!bytes.Equal(c.Ext, before.Ext) || c.BanReason != before.BanReason) {
		err = t.RenameUploads(ctx, appKey, tx.Thing{Kind: tx.ByClient, Key: key}, c.Uploads())
	}
	var events []store.Entry
	for _, kind := range rows.ClientEvents(before, c) {
		events = append(events, store.Entry{Kind: kind, App: app, Client: id})
	}
	if err == nil {
		err = t.Event(ctx, events...)
	}
	return c, err
}

// Clients is a page of clients; see store.Clients.
func (s *Store) Clients(ctx context.Context, app string, q skein.ClientQuery) (page skein.ClientPage, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		page, err = clients(ctx, c, app, q)
		return err
	})
	return page, err
}

// The clients of app $1: all, or those with the ids $2. A few ids are looked up one by one,
// which OFFSET 0 makes the planner do.
const (
	livingClients = `clients WHERE app_key = ` + tx.AppKey + ` AND NOT deleted AND $2::text[] IS NULL`
	namedClients  = `(SELECT ` + tx.ClientColumns + `, client_key FROM clients WHERE app_key = ` + tx.AppKey + ` AND NOT deleted AND id = ANY($2) OFFSET 0) c WHERE true`
)

func clients(ctx context.Context, c tx.Conn, app string, q skein.ClientQuery) (page skein.ClientPage, err error) {
	from := livingClients
	if q.IDs != nil {
		from = namedClients
	}
	err = c.QueryRow(ctx, `SELECT count(*) FROM `+from, app, q.IDs).Scan(&page.Total)
	if err != nil || q.Limit <= 0 || q.After.IsZero() && q.Offset >= page.Total {
		return page, err
	}
	offset := q.Offset
	if !q.After.IsZero() {
		offset = 0
	}
	var keys []int64
	found, err := c.Query(ctx, `SELECT `+tx.ClientColumns+`, client_key FROM `+from+` AND client_key > $3 AND client_key > 0 ORDER BY client_key LIMIT $4 OFFSET $5`,
		app, q.IDs, q.After.Tie, q.Limit+1, offset)
	page.Clients, err = collect(found, err, func(r pgx.CollectableRow) (skein.Client, error) {
		var key int64
		one, err := tx.ReadClient(r, app, &key)
		keys = append(keys, key)
		return one, err
	})
	if len(keys) > q.Limit {
		page.Clients = page.Clients[:q.Limit]
		page.Next = skein.Cursor{Tie: keys[q.Limit-1]}
	}
	return page, err
}

// holdApp is the key of a living app to which the transaction adds rows. The app's row is not
// removed before the transaction ends.
func holdApp(ctx context.Context, t *tx.Tx, id string) (key int64, err error) {
	err = t.QueryRow(ctx, `SELECT app_key FROM apps WHERE id = $1 AND NOT deleted FOR KEY SHARE`, id).Scan(&key)
	return key, tx.Missing(err, skein.ErrUnknownApp)
}
