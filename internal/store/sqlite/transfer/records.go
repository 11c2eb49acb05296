package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// records reads rows of one app as records.
type records struct {
	connection

	app      string
	key      int64
	unknowns bool                  // some records have unknown fields
	erased   map[string]tx.Erasure // clients whose messages are being erased
	renewed  map[string]int64      // incarnations of clients that were created anew
}

func (x *records) begin(key int64) (err error) {
	x.key = key
	if x.unknowns, err = x.Row(nil, `SELECT 1 FROM unknown_fields WHERE kind > 0 LIMIT 1`); err != nil {
		return err
	}
	x.erased, x.renewed = map[string]tx.Erasure{}, map[string]int64{}
	return errors.Join(
		x.Rows(func(r *sqlite3.Stmt) {
			x.erased[r.ColumnText(1)] = tx.Erasure{Key: r.ColumnInt64(0), Client: r.ColumnText(1), Incarnation: r.ColumnInt64(2)}
		}, `SELECT erasure_key, client_id, incarnation FROM erasures WHERE app_key = ?1 ORDER BY erasure_key`, key),
		x.Rows(func(r *sqlite3.Stmt) { x.renewed[r.ColumnText(0)] = r.ColumnInt64(1) },
			`SELECT id, incarnation FROM clients INDEXED BY clients_again WHERE app_key = ?1 AND incarnation > 1`, key),
	)
}

// Kinds of unknown_fields. The first four are those of tx.Naming.
const (
	unknownMessage      = int(tx.ByMessage)
	unknownConversation = int(tx.ByExtend)
	unknownClient       = int(tx.ByClient)
	unknownMember       = int(tx.ByMember)
	unknownUpload       = 5
	unknownChange       = 6
	unknownApp          = 7
)

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
		c.Unknown, err = x.unknown(unknownClient, key, 0)
	}
	return c, found, err
}

func (x *records) conversationRecord(conv tx.ConvRow) (*store.ConversationRecord, error) {
	record := &store.ConversationRecord{Conversation: conv.Conversation}
	record.RosterRev = 0 // this store's own
	err := x.Rows(func(r *sqlite3.Stmt) {
		record.Sanctions = append(record.Sanctions, store.Sanction{
			Client: r.ColumnText(0), BannedUntil: engine.Millis(r, 1), MutedUntil: engine.Millis(r, 2),
		})
	}, `SELECT client_id, banned_until, muted_until FROM sanctions WHERE conv_key = ?1 ORDER BY client_id`, conv.Key)
	if err == nil {
		record.Unknown, err = x.unknown(unknownConversation, conv.Key, 0)
	}
	return record, err
}

func (x *records) member(conv tx.ConvRow, client string, see func(*store.MemberRecord)) error {
	var key int64
	record := &store.MemberRecord{Conv: conv.ID}
	found, err := x.Row(func(r *sqlite3.Stmt) {
		key = r.ColumnInt64(0)
		record.Member, record.Adder = tx.ReadMember(r, 1), r.ColumnText(1+tx.MemberColumnCount)
	}, `SELECT m.member_key, `+tx.MemberColumns+`, m.adder FROM conversations c JOIN members m ON m.conv_key = c.conv_key
		WHERE c.conv_key = ?1 AND m.client_id = ?2`, conv.Key, client)
	if err != nil || !found {
		return err
	}
	record.Unknown, err = x.unknown(unknownMember, key, 0)
	see(record)
	return err
}

func (x *records) members(conv tx.ConvRow, see func(*store.MemberRecord) error) error {
	for after := int64(0); ; {
		var page []*store.MemberRecord
		var keys []int64
		err := x.Rows(func(r *sqlite3.Stmt) {
			keys = append(keys, r.ColumnInt64(0))
			page = append(page, &store.MemberRecord{Conv: conv.ID, Member: tx.ReadMember(r, 1), Adder: r.ColumnText(1 + tx.MemberColumnCount)})
		}, `SELECT m.member_key, `+tx.MemberColumns+`, m.adder FROM conversations c JOIN members m ON m.conv_key = c.conv_key
			WHERE c.conv_key = ?1 AND m.member_key > ?2 ORDER BY m.member_key LIMIT ?3`, conv.Key, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i, m := range page {
			if m.Unknown, err = x.unknown(unknownMember, keys[i], 0); err != nil {
				return err
			}
			if err := see(m); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

// messages calls see for the messages of a conversation in the order of seq.
func (x *records) messages(conv tx.ConvRow, see func(*store.MessageRecord) error) error {
	for after := int64(0); after < conv.LastSeq; {
		page, err := x.messagePage(conv, after, conv.LastSeq, exportPage)
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
func (x *records) messagePage(conv tx.ConvRow, after, upto int64, limit int) (page []*store.MessageRecord, err error) {
	var keys []int64
	err = x.Rows(func(r *sqlite3.Stmt) {
		flags, key, incarnation := r.ColumnInt64(6), r.ColumnInt64(tx.MessageColumnCount), r.ColumnInt64(tx.MessageColumnCount+2)
		m := &store.MessageRecord{
			Message: tx.ReadMessage(r, conv.ID), Hash: engine.Bytes(r, tx.MessageColumnCount+1), ByServer: flags&rows.FlagServer != 0,
		}
		m.Former = incarnation != max(1, x.renewed[m.Sender])
		if m.Reactions = nil; m.Status == skein.StatusNormal && bytes.Equal(m.Hash, rows.ContentHash(rows.Canonical(m.Body))) {
			m.Hash = nil
		}
		if e, erased := x.erased[m.Sender]; erased && incarnation <= e.Incarnation {
			m.Blank(skein.StatusDeleted)
			m.Hash = nil
		}
		page, keys = append(page, m), append(keys, key)
	}, `SELECT `+tx.MessageColumns+`, message_key, content_hash, incarnation FROM messages
		WHERE conv_key = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4`, conv.Key, after, upto, limit)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	if err := x.besides(conv.Key, page); err != nil {
		return nil, err
	}
	for i, m := range page {
		if !x.unknowns || m.Status != skein.StatusNormal {
			continue
		}
		if m.Unknown, err = x.unknown(unknownMessage, keys[i], 0); err != nil {
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
			e, erased := x.erased[one.Client]
			if m := at(r.ColumnInt64(0)); m.Status == skein.StatusNormal && (!erased || r.ColumnInt64(4) > e.Incarnation) {
				m.Reacted = append(m.Reacted, one)
			}
		}, `SELECT seq, emoji, client_id, place, incarnation FROM reactions WHERE conv_key = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq, place`, conv, first, last),
		x.Rows(func(r *sqlite3.Stmt) {
			m := at(r.ColumnInt64(0))
			m.Hidden = append(m.Hidden, r.ColumnText(1))
		}, `SELECT seq, client_id FROM hidden INDEXED BY hidden_by_message WHERE conv_key = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq, client_id`, conv, first, last),
	)
	return err
}

func (x *records) changes(conv tx.ConvRow, see func(*store.ChangeRecord) error) error {
	for after := int64(0); after < conv.Changes; {
		page, err := x.changePage(conv, after, conv.Changes, exportPage)
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

func (x *records) changePage(conv tx.ConvRow, after, upto int64, limit int) (page []*store.ChangeRecord, err error) {
	err = x.Rows(func(r *sqlite3.Stmt) {
		page = append(page, &store.ChangeRecord{
			Conv: conv.ID, Seq: r.ColumnInt64(0), Kind: engine.Small[skein.ChangeKind](r, 1), Message: r.ColumnInt64(2),
			By: r.ColumnText(3), At: engine.Millis(r, 4), Emoji: r.ColumnText(5), On: r.ColumnBool(6),
		})
	}, `SELECT change_seq, kind, m.seq, l.client_id, at, emoji, on_off FROM changes l CROSS JOIN messages m ON m.message_key = l.message_key
		WHERE l.conv_key = ?1 AND change_seq > ?2 AND change_seq <= ?3 ORDER BY change_seq LIMIT ?4`, conv.Key, after, upto, limit)
	for _, c := range page {
		if err == nil {
			c.Unknown, err = x.unknown(unknownChange, conv.Key, c.Seq)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return page, nil
}
