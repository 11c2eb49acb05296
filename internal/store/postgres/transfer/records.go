package transfer

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

// records reads rows of one app as records, in the transaction of one call.
type records struct {
	tx.Conn

	ctx     context.Context //nolint:containedctx // of the one call that this lives for; transfer.Source takes none
	app     string
	key     int64
	holders transfer.Holders
}

// begin reads who holds the ids of senders.
func (x *records) begin() error {
	x.holders = transfer.Holders{Erased: map[string]int64{}, Renewed: map[string]int64{}}
	q := new(pgx.Batch)
	for _, list := range []struct {
		sql string
		of  map[string]int64
	}{
		{`SELECT client_id, incarnation FROM erasures WHERE app_key = $1 ORDER BY erasure_key`, x.holders.Erased},
		{`SELECT id, incarnation FROM clients WHERE app_key = $1 AND incarnation > 1`, x.holders.Renewed},
	} {
		q.Queue(list.sql, x.key).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var client string
				var incarnation int64
				if err := rows.Scan(&client, &incarnation); err != nil {
					return err
				}
				list.of[client] = incarnation
			}
			return rows.Err()
		})
	}
	return x.SendBatch(x.ctx, q).Close()
}

// unknownOf begins SQL for the fields of a record that only others know. The kind, the key and
// a closing parenthesis must follow.
const unknownOf = `(SELECT fields FROM unknown_fields WHERE kind = `

var (
	clientColumns = tx.ClientColumns + `, ` + unknownOf + strconv.Itoa(transfer.UnknownClient) + ` AND thing_key = c.client_key)`
	uploadColumns = `name, client_id, created, size, title, app_key, ` + unknownOf + strconv.Itoa(transfer.UnknownUpload) + ` AND thing_key = c.upload_key)`
	memberSelect  = `SELECT ` + tx.MemberColumns + `, m.adder, m.member_key, ` + unknownOf + strconv.Itoa(transfer.UnknownMember) + ` AND thing_key = m.member_key)
		FROM members m JOIN conversations c ON c.conv_key = m.conv_key`
)

func (x *records) readClient(r pgx.Row) (*store.ClientRecord, error) {
	c := new(store.ClientRecord)
	client, err := tx.ReadClient(r, x.app, &c.Unknown)
	client.Rev, client.Incarnation = 0, 0 // this store's own
	c.Client = client
	return c, err
}

func (x *records) clientRecord(id string) (c *store.ClientRecord, found bool, err error) {
	c, err = x.readClient(x.QueryRow(x.ctx, `SELECT `+clientColumns+` FROM clients c WHERE app_key = $1 AND id = $2`, x.key, id))
	found, err = tx.Found(err)
	return c, found, err
}

func readUpload(r pgx.Row, app string, more ...any) (*store.UploadRecord, error) {
	u := &store.UploadRecord{Upload: skein.Upload{App: app}}
	var key int64
	if len(more) == 0 {
		more = []any{&key}
	}
	return u, r.Scan(append(append([]any{&u.Name, &u.Client, &u.At, &u.Size, &u.Title}, more...), &u.Unknown)...)
}

// sanctions adds the sanctions to conversations.
func (x *records) sanctions(page []transfer.Conv) error {
	of := make(map[int64]*store.ConversationRecord, len(page))
	keys := make([]int64, len(page))
	for i, c := range page {
		of[c.Key], keys[i] = c.ConversationRecord, c.Key
	}
	rows, err := x.Query(x.ctx, `SELECT conv_key, client_id, banned_until, muted_until FROM sanctions WHERE conv_key = ANY($1) ORDER BY conv_key, client_id`, keys)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var s store.Sanction
		if err := rows.Scan(&key, &s.Client, &s.BannedUntil, &s.MutedUntil); err != nil {
			return err
		}
		of[key].Sanctions = append(of[key].Sanctions, s)
	}
	return rows.Err()
}

func (x *records) conversationRecord(key int64, c skein.Conversation) (*store.ConversationRecord, error) {
	record := &store.ConversationRecord{Conversation: c}
	record.RosterRev = 0 // this store's own
	if err := x.sanctions([]transfer.Conv{{ConversationRecord: record, Key: key}}); err != nil {
		return nil, err
	}
	return record, x.QueryRow(x.ctx, `SELECT `+unknownOf+`$1 AND thing_key = $2)`, transfer.UnknownConversation, key).Scan(&record.Unknown)
}

func readMember(r pgx.Row, conv skein.ID, key *int64) (*store.MemberRecord, error) {
	m := &store.MemberRecord{Conv: conv}
	var adder *string
	err := r.Scan(append(tx.MemberFields(&m.Member), &adder, key, &m.Unknown)...)
	if adder != nil {
		m.Adder = *adder
	}
	return m, err
}

// member is a client as a member; nil: it is not one.
func (x *records) member(conv int64, id skein.ID, client string) (*store.MemberRecord, error) {
	var key int64
	m, err := readMember(x.QueryRow(x.ctx, memberSelect+` WHERE m.conv_key = $1 AND m.client_id = $2`, conv, client), id, &key)
	if found, err := tx.Found(err); err != nil || !found {
		return nil, err
	}
	return m, nil
}

// messages reads the messages behind a seq, up to another, with what is beside them.
func (x *records) messages(conv int64, id skein.ID, after, upto int64) (page []*store.MessageRecord, err error) {
	q := new(pgx.Batch)
	q.Queue(`SELECT `+tx.MessageColumns+`, m.flags, m.content_hash, m.incarnation, `+unknownOf+`$4 AND thing_key = m.conv_key AND place = m.seq)
		FROM messages m WHERE m.conv_key = $1 AND m.seq > $2 AND m.seq <= $3 ORDER BY m.seq`, conv, after, upto, transfer.UnknownMessage).
		Query(func(rows pgx.Rows) (err error) {
			page, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (*store.MessageRecord, error) { return x.readMessage(r, id) })
			return err
		})
	at := func(seq int64) *store.MessageRecord {
		i, found := slices.BinarySearchFunc(page, seq, func(m *store.MessageRecord, seq int64) int { return int(m.Seq - seq) })
		if !found {
			return new(store.MessageRecord)
		}
		return page[i]
	}
	q.Queue(`SELECT seq, emoji, client_id, place, incarnation FROM reactions WHERE conv_key = $1 AND seq > $2 AND seq <= $3 ORDER BY seq, place`, conv, after, upto).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var seq, incarnation int64
				var one store.ReactionRecord
				if err := rows.Scan(&seq, &one.Emoji, &one.Client, &one.Change, &incarnation); err != nil {
					return err
				}
				x.holders.React(at(seq), one, incarnation)
			}
			return rows.Err()
		})
	q.Queue(`SELECT seq, client_id FROM hidden WHERE conv_key = $1 AND seq > $2 AND seq <= $3 ORDER BY seq, client_id`, conv, after, upto).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var seq int64
				var client string
				if err := rows.Scan(&seq, &client); err != nil {
					return err
				}
				m := at(seq)
				m.Hidden = append(m.Hidden, client)
			}
			return rows.Err()
		})
	return page, x.SendBatch(x.ctx, q).Close()
}

func (x *records) readMessage(r pgx.Row, conv skein.ID) (*store.MessageRecord, error) {
	m := new(store.MessageRecord)
	var flags, incarnation int64
	var unknown []byte
	message, err := tx.ReadMessage(r, conv, &flags, &m.Hash, &incarnation, &unknown)
	if err != nil {
		return nil, err
	}
	m.Message = message
	if x.holders.Finish(m, flags, incarnation); m.Status == skein.StatusNormal {
		m.Unknown = unknown
	}
	return m, nil
}

// changes reads lines of the log of changes.
func (x *records) changes(conv int64, id skein.ID, after, upto int64) ([]*store.ChangeRecord, error) {
	rows, err := x.Query(x.ctx, `SELECT change_seq, kind, seq, client_id, at, emoji, on_off, `+unknownOf+`$4 AND thing_key = l.conv_key AND place = l.change_seq)
		FROM changes l WHERE conv_key = $1 AND change_seq > $2 AND change_seq <= $3 ORDER BY change_seq`, conv, after, upto, transfer.UnknownChange)
	if err != nil {
		return nil, err
	}
	page, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*store.ChangeRecord, error) {
		c := &store.ChangeRecord{Conv: id}
		return c, r.Scan(&c.Seq, &c.Kind, &c.Message, &c.By, &c.At, &c.Emoji, &c.On, &c.Unknown)
	})
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return page, nil
}
