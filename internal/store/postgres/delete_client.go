package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// leavePiece is how many conversations a client that is being deleted leaves in one
// transaction: it holds the locks of all of them.
const leavePiece = 100

// DeleteClient deletes a client except for a stub; see store.Clients. A client in many
// conversations leaves them first, some in each transaction.
func (s *Store) DeleteClient(ctx context.Context, app, id string, at skein.Millis, erase bool) (left []skein.ID, rev int64, err error) {
	d := deletion{app: app, id: id, at: at, erase: erase}
	for more := true; more; {
		if more, err = s.isInMany(ctx, app, id); err != nil || !more {
			break
		}
		piece, err := tx.Result(ctx, s.db, app, d.leaveSome)
		if err != nil {
			return nil, 0, err
		}
		left = append(left, piece...)
	}
	if err != nil {
		return nil, 0, err
	}
	last, err := settled(ctx, s.db, app, d.deleteClient)
	if err != nil {
		return nil, 0, err
	}
	return append(left, last.left...), last.rev, nil
}

// isInMany reports whether a client has more to leave than one transaction may hold.
func (s *Store) isInMany(ctx context.Context, app, id string) (many bool, err error) {
	err = s.db.Each(ctx, app, func(ctx context.Context, c tx.Conn) error {
		return c.QueryRow(ctx, `SELECT (SELECT count(*) FROM (SELECT 1 FROM members WHERE app_key = `+tx.AppKey+` AND client_id = $2 LIMIT $3) m)
			+ (SELECT count(*) FROM (SELECT 1 FROM departures WHERE app_key = `+tx.AppKey+` AND client_id = $2 LIMIT $3) d) >= $3`,
			app, id, leavePiece+1).Scan(&many)
	})
	return many, err
}

// deletion is a client that is being deleted.
type deletion struct {
	app, id string
	at      skein.Millis
	erase   bool
}

// leaveSome removes the client from some conversations, with all it had in them, and forgets
// as many conversations that it left earlier. It returns those that still exist.
func (d deletion) leaveSome(ctx context.Context, t *tx.Tx) ([]skein.ID, error) {
	app, err := t.KnownApp(ctx, d.app)
	if err != nil {
		return nil, err
	}
	found, err := t.Query(ctx, `SELECT conv_key FROM members WHERE app_key = $1 AND client_id = $2 LIMIT $3`, app, d.id, leavePiece)
	convs, err := collectList[int64](found, err)
	if err == nil {
		err = t.LockConversations(ctx, convs...)
	}
	if err != nil {
		return nil, err
	}
	found, err = t.Query(ctx, `DELETE FROM members WHERE conv_key = ANY($1) AND client_id = $2 RETURNING conv_key`, convs, d.id)
	if convs, err = collectList[int64](found, err); err != nil {
		return nil, err
	}
	left, err := d.leave(ctx, t, convs)
	if err != nil {
		return nil, err
	}
	found, err = t.Query(ctx, `DELETE FROM departures WHERE app_key = $1 AND client_id = $2 AND conv_id IN
		(SELECT conv_id FROM departures WHERE app_key = $1 AND client_id = $2 LIMIT $3) RETURNING conv_key`, app, d.id, leavePiece)
	before, err := collectList[int64](found, err)
	if err == nil {
		_, err = t.Exec(ctx, `DELETE FROM hidden WHERE conv_key = ANY($1) AND client_id = $2`, slices.Concat(convs, before), d.id)
	}
	if err == nil {
		err = t.Event(ctx, d.leftEvents(left)...)
	}
	return left, err
}

// deleted is what deleteClient answers.
type deleted struct {
	left []skein.ID
	rev  int64
}

// deleteClient turns the client into a stub and removes the rest. Once its row is locked
// nobody adds it to a conversation any more. If somebody just did, the lock of that
// conversation is missing. Errors: errChanged then.
func (d deletion) deleteClient(ctx context.Context, t *tx.Tx) (r deleted, err error) {
	app, err := t.KnownApp(ctx, d.app)
	if errors.Is(err, skein.ErrUnknownApp) {
		err = skein.About(skein.ErrUnknownClient, d.id)
	}
	if err != nil {
		return r, err
	}
	convs, err := memberships(ctx, t, app, d.id)
	if err == nil {
		err = t.LockConversations(ctx, convs...)
	}
	if err != nil {
		return r, err
	}
	var key, incarnation int64
	err = t.QueryRow(ctx, `UPDATE clients SET deleted = true, ext = NULL, updated = 0, banned_until = 0, ban_reason = '', device_cuts = NULL, seen = 0, add_by = 0,
		cut = greatest(cut, $3), rev = rev + 1 WHERE app_key = $1 AND id = $2 AND NOT deleted RETURNING client_key, rev, incarnation`,
		app, d.id, d.at).Scan(&key, &r.rev, &incarnation)
	if err != nil {
		return r, tx.Missing(err, skein.About(skein.ErrUnknownClient, d.id))
	}
	still, err := memberships(ctx, t, app, d.id)
	if err != nil {
		return r, err
	}
	for _, conv := range still {
		if !slices.Contains(convs, conv) {
			return r, errChanged
		}
	}
	if r.left, err = d.leave(ctx, t, still); err != nil {
		return r, err
	}
	for _, mine := range []string{`first_id`, `second_id`} { // also of conversations that it was removed from
		if _, err := t.Exec(ctx, `DELETE FROM private_pairs WHERE app_key = $1 AND `+mine+` = $2`, app, d.id); err != nil {
			return r, err
		}
	}
	stub := skein.Client{App: d.app, ID: d.id, Deleted: true, Rev: r.rev}
	err = noteCuts(ctx, t, app, skein.CutsBetween(skein.Client{}, stub))
	if err == nil {
		err = t.RenameUploads(ctx, app, tx.Thing{Kind: tx.ByClient, Key: key}, nil)
	}
	if err == nil {
		err = d.forgetInbox(ctx, t, app)
	}
	if err == nil && d.erase {
		_, err = t.Exec(ctx, `INSERT INTO erasures (app_key, client_id, incarnation) VALUES ($1, $2, $3)`, app, d.id, incarnation)
	}
	if err == nil {
		err = t.Event(ctx, append(d.leftEvents(r.left), store.Entry{Kind: store.EntryClientDeleted, App: d.app, Client: d.id})...)
	}
	return r, err
}

// memberships are the conversations that a client is in.
func memberships(ctx context.Context, t *tx.Tx, app int64, client string) ([]int64, error) {
	found, err := t.Query(ctx, `SELECT conv_key FROM members WHERE app_key = $1 AND client_id = $2`, app, client)
	return collectList[int64](found, err)
}

// leave takes the client out of the member counts of conversations and returns those that still
// exist.
func (d deletion) leave(ctx context.Context, t *tx.Tx, convs []int64) ([]skein.ID, error) {
	if len(convs) == 0 {
		return nil, nil
	}
	found, err := t.Query(ctx, `UPDATE conversations SET member_count = member_count - 1, roster_rev = roster_rev + 1, `+touched+`, moved = `+tx.Stamp+`
		WHERE conv_key = ANY($1) AND deleted = 0 AND expires > $2 RETURNING id`, convs, t.Now, d.at, rows.PeriodOf(d.at))
	return collectList[skein.ID](found, err)
}

// forgetInbox removes what a client had in its conversations, also in those that it left. A
// client created later with the same id begins without any of it.
func (d deletion) forgetInbox(ctx context.Context, t *tx.Tx, app int64) error {
	for _, sql := range []string{
		`DELETE FROM hidden h USING conversations c WHERE h.client_id = $2 AND c.conv_key = h.conv_key AND c.app_key = $1`,
		`DELETE FROM departures WHERE app_key = $1 AND client_id = $2`,
		`DELETE FROM sanctions WHERE app_key = $1 AND client_id = $2`,
		`DELETE FROM members WHERE app_key = $1 AND client_id = $2`,
	} {
		if _, err := t.Exec(ctx, sql, app, d.id); err != nil {
			return err
		}
	}
	return nil
}

// leftEvents tell that the client left conversations because it was deleted.
func (d deletion) leftEvents(left []skein.ID) (events []store.Entry) {
	for _, conv := range left {
		events = append(events, store.Entry{Kind: store.EntryMembersRemoved, App: d.app, Conv: conv, Clients: []string{d.id}})
	}
	return events
}
