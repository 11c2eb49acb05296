package transfer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

// records reads rows of one app as records.
type records struct {
	connection

	app      string
	key      int64
	unknowns bool // some records have unknown fields
	holders  transfer.Holders
}

func (x *records) begin(key int64) (err error) {
	x.key = key
	if x.unknowns, err = x.Row(nil, `SELECT 1 FROM unknown_fields WHERE kind > 0 LIMIT 1`); err != nil {
		return err
	}
	x.holders = transfer.Holders{Erased: map[string]int64{}, Renewed: map[string]int64{}}
	return errors.Join(
		x.Rows(func(r *sqlite3.Stmt) { x.holders.Erased[r.ColumnText(0)] = r.ColumnInt64(1) },
			`SELECT client_id, incarnation FROM erasures WHERE app_key = ?1 ORDER BY erasure_key`, key),
		x.Rows(func(r *sqlite3.Stmt) { x.holders.Renewed[r.ColumnText(0)] = r.ColumnInt64(1) },
			`SELECT id, incarnation FROM clients INDEXED BY clients_again WHERE app_key = ?1 AND incarnation > 1`, key),
	)
}

func (x *records) unknown(kind int, thing, place int64) (fields []byte, err error) {
	if !x.unknowns {
		return nil, nil
	}
	_, err = x.Row(func(r *sqlite3.Stmt) { fields = engine.Bytes(r, 0) },
		`SELECT fields FROM unknown_fields WHERE kind = ?1 AND thing_key = ?2 AND place = ?3`, kind, thing, place)
	return fields, err
}

func (x *records) clientRecord(id string) (c *store.ClientRecord, found bool, err error) {
	var key int64
	c = new(store.ClientRecord)
	found, err = x.Row(func(r *sqlite3.Stmt) {
		c.Client = tx.ReadClient(r, x.app)
		key = r.ColumnInt64(tx.ClientColumnCount)
	}, `SELECT `+tx.ClientColumns+`, client_key FROM clients WHERE app_key = ?1 AND id = ?2`, x.key, id)
	c.Rev, c.Incarnation = 0, 0 // this store's own
	if err == nil && found {
		c.Unknown, err = x.unknown(transfer.UnknownClient, key, 0)
	}
	return c, found, err
}

func (x *records) conversationRecord(key int64, c skein.Conversation) (*store.ConversationRecord, error) {
	record := &store.ConversationRecord{Conversation: c}
	record.RosterRev = 0 // this store's own
	err := x.Rows(func(r *sqlite3.Stmt) {
		record.Sanctions = append(record.Sanctions, store.Sanction{
			Client: r.ColumnText(0), BannedUntil: engine.Millis(r, 1), MutedUntil: engine.Millis(r, 2),
		})
	}, `SELECT client_id, banned_until, muted_until FROM sanctions WHERE conv_key = ?1 ORDER BY client_id`, key)
	if err == nil {
		record.Unknown, err = x.unknown(transfer.UnknownConversation, key, 0)
	}
	return record, err
}

// member is a client as a member; nil: it is not one.
func (x *records) member(conv int64, id skein.ID, client string) (*store.MemberRecord, error) {
	var key int64
	record := &store.MemberRecord{Conv: id}
	found, err := x.Row(func(r *sqlite3.Stmt) {
		key = r.ColumnInt64(0)
		record.Member, record.Adder = tx.ReadMember(r, 1), r.ColumnText(1+tx.MemberColumnCount)
	}, `SELECT m.member_key, `+tx.MemberColumns+`, m.adder FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = ?1 AND m.client_id = ?2`, conv, client)
	if err != nil || !found {
		return nil, err
	}
	record.Unknown, err = x.unknown(transfer.UnknownMember, key, 0)
	return record, err
}

// Members implements transfer.Source.
func (x *records) Members(c transfer.Conv, each func(*store.MemberRecord) error) error {
	for after := int64(0); ; {
		var page []*store.MemberRecord
		var keys []int64
		err := x.Rows(func(r *sqlite3.Stmt) {
			keys = append(keys, r.ColumnInt64(0))
			page = append(page, &store.MemberRecord{Conv: c.ID, Member: tx.ReadMember(r, 1), Adder: r.ColumnText(1 + tx.MemberColumnCount)})
		}, `SELECT m.member_key, `+tx.MemberColumns+`, m.adder FROM conversations c JOIN members m ON m.conv_key = c.conv_key
			WHERE c.conv_key = ?1 AND m.member_key > ?2 ORDER BY m.member_key LIMIT ?3`, c.Key, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i, m := range page {
			if m.Unknown, err = x.unknown(transfer.UnknownMember, keys[i], 0); err != nil {
				return err
			}
			if err := each(m); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

// Messages implements transfer.Source.
func (x *records) Messages(c transfer.Conv, see func(*store.MessageRecord) error) error {
	for after := int64(0); after < c.LastSeq; {
		page, err := x.messagePage(c.Key, c.ID, after, c.LastSeq, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := see(m); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Seq
	}
	return nil
}

// messagePage reads the messages after a seq, up to another.
func (x *records) messagePage(conv int64, id skein.ID, after, upto int64, limit int) (page []*store.MessageRecord, err error) {
	var keys []int64
	err = x.Rows(func(r *sqlite3.Stmt) {
		flags, key, incarnation := r.ColumnInt64(6), r.ColumnInt64(tx.MessageColumnCount), r.ColumnInt64(tx.MessageColumnCount+2)
		m := &store.MessageRecord{Message: tx.ReadMessage(r, id), Hash: engine.Bytes(r, tx.MessageColumnCount+1)}
		x.holders.Finish(m, flags, incarnation)
		page, keys = append(page, m), append(keys, key)
	}, `SELECT `+tx.MessageColumns+`, message_key, content_hash, incarnation FROM messages
		WHERE conv_key = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4`, conv, after, upto, limit)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	if err := x.besides(conv, page); err != nil {
		return nil, err
	}
	for i, m := range page {
		if !x.unknowns || m.Status != skein.StatusNormal {
			continue
		}
		if m.Unknown, err = x.unknown(transfer.UnknownMessage, keys[i], 0); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// besides adds reactions and hidings to consecutive messages.
func (x *records) besides(conv int64, page []*store.MessageRecord) error {
	first, last := page[0].Seq, page[len(page)-1].Seq
	at := func(seq int64) *store.MessageRecord {
		i, _ := slices.BinarySearchFunc(page, seq, func(m *store.MessageRecord, seq int64) int { return int(m.Seq - seq) })
		return page[i]
	}
	err := errors.Join(
		x.Rows(func(r *sqlite3.Stmt) {
			one := store.ReactionRecord{Emoji: r.ColumnText(1), Client: r.ColumnText(2), Change: r.ColumnInt64(3)}
			x.holders.React(at(r.ColumnInt64(0)), one, r.ColumnInt64(4))
		}, `SELECT seq, emoji, client_id, place, incarnation FROM reactions WHERE conv_key = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq, place`, conv, first, last),
		x.Rows(func(r *sqlite3.Stmt) {
			m := at(r.ColumnInt64(0))
			m.Hidden = append(m.Hidden, r.ColumnText(1))
		}, `SELECT seq, client_id FROM hidden INDEXED BY hidden_by_message WHERE conv_key = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq, client_id`, conv, first, last),
	)
	return err
}

// Changes implements transfer.Source.
func (x *records) Changes(c transfer.Conv, see func(*store.ChangeRecord) error) error {
	for after := int64(0); after < c.Changes; {
		page, err := x.changePage(c.Key, c.ID, after, c.Changes, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			if err := see(c); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Seq
	}
	return nil
}

func (x *records) changePage(conv int64, id skein.ID, after, upto int64, limit int) (page []*store.ChangeRecord, err error) {
	err = x.Rows(func(r *sqlite3.Stmt) {
		page = append(page, &store.ChangeRecord{
			Conv: id, Seq: r.ColumnInt64(0), Kind: engine.Small[skein.ChangeKind](r, 1), Message: r.ColumnInt64(2),
			By: r.ColumnText(3), At: engine.Millis(r, 4), Emoji: r.ColumnText(5), On: r.ColumnBool(6),
		})
	}, `SELECT change_seq, kind, m.seq, l.client_id, at, emoji, on_off FROM changes l CROSS JOIN messages m ON m.message_key = l.message_key
		WHERE l.conv_key = ?1 AND change_seq > ?2 AND change_seq <= ?3 ORDER BY change_seq LIMIT ?4`, conv, after, upto, limit)
	for _, c := range page {
		if err == nil {
			c.Unknown, err = x.unknown(transfer.UnknownChange, conv, c.Seq)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return page, nil
}
