package transfer

import (
	"context"
	"errors"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// exportPage is how many rows an export holds in memory at a time.
const exportPage = 256

// Export gives the sink all of an app; see store.Transfer. It reads on its own connection in
// one read transaction. Until that ends, the log cannot restart and grows.
func (s *Store) Export(ctx context.Context, app, client string, sink store.Sink) (at skein.Millis, err error) {
	c, err := engine.OpenConn(s.db.Engine().Path(), sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		return 0, engine.Unavailable("export", err)
	}
	c.DB.SetInterrupt(ctx)
	x := &export{records: records{connection: connection{tx.Conn{Conn: c}}, app: app}, only: client, sink: sink}
	at, err = x.run(s.db.Millis)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		err = ctx.Err()
	}
	c.DB.SetInterrupt(context.Background())
	return at, errors.Join(err, c.Close())
}

// export is one call of Export.
type export struct {
	records

	at         skein.Millis
	only       string // client; empty: all
	private    bool   // the app's history is private
	lastUpload int64  // key, at the moment
	sink       store.Sink
}

func (x *export) run(now func() skein.Millis) (at skein.Millis, err error) {
	if err := x.Exec(`BEGIN`); err != nil {
		return 0, err
	}
	err = x.begin(now)
	if err == nil {
		err = x.clients()
	}
	if err == nil {
		err = x.conversations()
	}
	if err = errors.Join(err, x.Exec(`COMMIT`)); err != nil {
		return 0, err
	}
	return x.at, x.uploads()
}

// begin reads the app and what the records need, and begins the sink.
func (x *export) begin(now func() skein.Millis) error {
	var app skein.App
	key, err := x.KnownApp(x.app)
	if err != nil {
		return err
	}
	x.at = now()
	var appErr error
	if _, err := x.Row(func(r *sqlite3.Stmt) { app, appErr = tx.ReadApp(r) },
		`SELECT `+tx.AppColumns+` FROM apps WHERE app_key = ?1`, key); err != nil || appErr != nil {
		return errors.Join(err, appErr)
	}
	x.private = app.Settings.PrivateHistory
	if err := x.records.begin(key); err != nil {
		return err
	}
	var messages int64
	if err := errors.Join(
		x.Rows(func(r *sqlite3.Stmt) { messages = r.ColumnInt64(0) },
			`SELECT coalesce(sum(last_seq), 0) FROM conversations WHERE app_key = ?1 AND deleted = 0 AND expires > ?2`, key, x.at),
		x.Rows(func(r *sqlite3.Stmt) { x.lastUpload = r.ColumnInt64(0) }, `SELECT coalesce(max(upload_key), 0) FROM uploads`),
	); err != nil {
		return err
	}
	unknown, err := x.unknown(unknownApp, key, 0)
	if err != nil {
		return err
	}
	return x.sink.Begin(store.AppRecord{App: app, Unknown: unknown}, messages)
}

func (x *export) clients() error {
	if x.only != "" {
		c, found, err := x.clientRecord(x.only)
		if err != nil {
			return err
		}
		if !found {
			return skein.About(skein.ErrUnknownClient, x.only)
		}
		return x.sink.Record(c)
	}
	for after := int64(0); ; {
		var page []*store.ClientRecord
		var keys []int64
		err := x.Rows(func(r *sqlite3.Stmt) {
			c := &store.ClientRecord{Client: tx.ReadClient(r, x.app)}
			c.Rev, c.Incarnation = 0, 0 // this store's own
			page = append(page, c)
			keys = append(keys, r.ColumnInt64(tx.ClientColumnCount))
		}, `SELECT `+tx.ClientColumns+`, client_key FROM clients NOT INDEXED
			WHERE app_key = ?1 AND client_key > ?2 ORDER BY client_key LIMIT ?3`, x.key, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i, c := range page {
			if c.Unknown, err = x.unknown(unknownClient, keys[i], 0); err != nil {
				return err
			}
			if err := x.sink.Record(c); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

func (x *export) conversations() error {
	for after := int64(0); ; {
		var page []tx.ConvRow
		err := x.Rows(func(r *sqlite3.Stmt) { page = append(page, tx.ReadConversation(r, x.app)) },
			`SELECT `+tx.ConversationColumns+` FROM conversations c NOT INDEXED
				WHERE app_key = ?1 AND conv_key > ?2 AND deleted = 0 AND expires > ?3 ORDER BY conv_key LIMIT ?4`,
			x.key, after, x.at, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, conv := range page {
			if x.only != "" {
				err = x.mine(conv)
			} else {
				err = x.conversation(conv)
			}
			if err != nil {
				return err
			}
		}
		after = page[len(page)-1].Key
	}
}

// conversation exports all of a conversation.
func (x *export) conversation(conv tx.ConvRow) error {
	record, err := x.conversationRecord(conv)
	if err != nil {
		return err
	}
	if err := x.sink.Record(record); err != nil {
		return err
	}
	err = x.members(conv, func(m *store.MemberRecord) error { return x.sink.Record(m) })
	if err == nil {
		err = x.messages(conv, func(m *store.MessageRecord) error { return x.sink.Record(m) })
	}
	if err == nil {
		err = x.changes(conv, func(c *store.ChangeRecord) error { return x.sink.Record(c) })
	}
	return err
}

// mine exports the client's part of a conversation: all that it may see if it is a member,
// else only what it sent.
func (x *export) mine(conv tx.ConvRow) error {
	record, err := x.conversationRecord(conv)
	if err != nil {
		return err
	}
	record.Sanctions = slices.DeleteFunc(record.Sanctions, func(s store.Sanction) bool { return s.Client != x.only })
	var member *store.MemberRecord
	err = x.member(conv, x.only, func(m *store.MemberRecord) { member = m })
	if err != nil {
		return err
	}
	shown := false
	show := func(r any) error {
		if !shown {
			shown = true
			if err := x.sink.Record(record); err != nil {
				return err
			}
		}
		return x.sink.Record(r)
	}
	if member == nil {
		record.Extend, record.Unknown = nil, nil
	} else if err := show(member); err != nil {
		return err
	}
	err = x.messages(conv, func(m *store.MessageRecord) error {
		if !x.sees(member, m) {
			return nil
		}
		if m.Hidden = nil; m.Sender != x.only {
			m.ClientMsgID, m.Hash, m.Unknown = "", nil, nil
		}
		return show(m)
	})
	if err != nil {
		return err
	}
	return x.changes(conv, func(c *store.ChangeRecord) error {
		if c.By != x.only {
			return nil
		}
		return show(c)
	})
}

// sees reports whether the client sent a message or may see it.
func (x *export) sees(member *store.MemberRecord, m *store.MessageRecord) bool {
	if m.Sender == x.only && !m.Former {
		return true
	}
	return member != nil && m.Seq > member.Floor(x.private) && !slices.Contains(m.Hidden, x.only)
}

// uploads exports the files that existed when the export began and still do. It needs no
// snapshot, because a file never changes.
func (x *export) uploads() error {
	for after := int64(0); after < x.lastUpload; {
		var page []*store.UploadRecord
		var keys []int64
		err := x.Rows(func(r *sqlite3.Stmt) {
			keys = append(keys, r.ColumnInt64(5))
			if x.only == "" || x.only == r.ColumnText(1) {
				page = append(page, readUpload(r, x.app))
			} else {
				page = append(page, nil)
			}
		}, `SELECT name, client_id, created, size, title, upload_key FROM uploads NOT INDEXED
			WHERE app_key = ?1 AND upload_key > ?2 AND upload_key <= ?3 AND due > ?4 ORDER BY upload_key LIMIT ?5`,
			x.key, after, x.lastUpload, x.at, exportPage)
		if err != nil || len(keys) == 0 {
			return err
		}
		for i, u := range page {
			if u == nil {
				continue
			}
			if u.Unknown, err = x.unknown(unknownUpload, keys[i], 0); err != nil {
				return err
			}
			if err := x.sink.Record(u); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
	return nil
}

func readUpload(r *sqlite3.Stmt, app string) *store.UploadRecord {
	return &store.UploadRecord{Upload: skein.Upload{
		App: app, Name: r.ColumnText(0), Client: r.ColumnText(1), At: engine.Millis(r, 2), Size: r.ColumnInt64(3), Title: r.ColumnText(4),
	}}
}
