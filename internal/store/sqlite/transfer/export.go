package transfer

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/transfer"
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
	x := &source{records: records{connection: connection{tx.Conn{Conn: c}}, app: app}}
	at, err = x.run(s.db.Millis, client, sink)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		err = ctx.Err()
	}
	c.DB.SetInterrupt(context.Background())
	return at, errors.Join(err, c.Close())
}

// source reads an app for an export; it implements transfer.Source.
type source struct {
	records

	at         skein.Millis
	messageSum int64 // about how many messages there are
	lastUpload int64 // key, at the moment
	appRecord  store.AppRecord
}

func (x *source) run(now func() skein.Millis, client string, sink store.Sink) (at skein.Millis, err error) {
	if err := x.Exec(`BEGIN`); err != nil {
		return 0, err
	}
	err = x.begin(now)
	if err == nil {
		err = transfer.Export(x, client, sink)
	}
	if err = errors.Join(err, x.Exec(`COMMIT`)); err != nil {
		return 0, err
	}
	return x.at, transfer.ExportUploads(x, client, sink) // they never change, so they need no snapshot
}

// begin reads the app and what the records need.
func (x *source) begin(now func() skein.Millis) error {
	key, err := x.KnownApp(x.app)
	if err != nil {
		return err
	}
	x.at = now()
	var appErr error
	if _, err := x.Row(func(r *sqlite3.Stmt) { x.appRecord.App, appErr = tx.ReadApp(r) },
		`SELECT `+tx.AppColumns+` FROM apps WHERE app_key = ?1`, key); err != nil || appErr != nil {
		return errors.Join(err, appErr)
	}
	if err := x.records.begin(key); err != nil {
		return err
	}
	if err := errors.Join(
		x.Rows(func(r *sqlite3.Stmt) { x.messageSum = r.ColumnInt64(0) },
			`SELECT coalesce(sum(last_seq), 0) FROM conversations WHERE app_key = ?1 AND deleted = 0 AND expires > ?2`, key, x.at),
		x.Rows(func(r *sqlite3.Stmt) { x.lastUpload = r.ColumnInt64(0) }, `SELECT coalesce(max(upload_key), 0) FROM uploads`),
	); err != nil {
		return err
	}
	x.appRecord.Unknown, err = x.unknown(transfer.UnknownApp, key, 0)
	return err
}

func (x *source) Begin() (store.AppRecord, int64, error) { return x.appRecord, x.messageSum, nil }

func (x *source) Client(id string) (*store.ClientRecord, bool, error) { return x.clientRecord(id) }

func (x *source) Clients(each func(*store.ClientRecord) error) error {
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
			if c.Unknown, err = x.unknown(transfer.UnknownClient, keys[i], 0); err != nil {
				return err
			}
			if err := each(c); err != nil {
				return err
			}
		}
		after = keys[len(keys)-1]
	}
}

func (x *source) Conversations(each func(transfer.Conv) error) error {
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
			record, err := x.conversationRecord(conv.Key, conv.Conversation)
			if err == nil {
				err = each(transfer.Conv{ConversationRecord: record, Key: conv.Key})
			}
			if err != nil {
				return err
			}
		}
		after = page[len(page)-1].Key
	}
}

func (x *source) Member(c transfer.Conv, client string) (*store.MemberRecord, error) {
	return x.member(c.Key, c.ID, client)
}

func (x *source) Uploads(each func(*store.UploadRecord) error) error {
	for after := int64(0); after < x.lastUpload; {
		var page []*store.UploadRecord
		var keys []int64
		err := x.Rows(func(r *sqlite3.Stmt) {
			keys = append(keys, r.ColumnInt64(5))
			page = append(page, readUpload(r, x.app))
		}, `SELECT name, client_id, created, size, title, upload_key FROM uploads NOT INDEXED
			WHERE app_key = ?1 AND upload_key > ?2 AND upload_key <= ?3 AND due > ?4 ORDER BY upload_key LIMIT ?5`,
			x.key, after, x.lastUpload, x.at, exportPage)
		if err != nil || len(keys) == 0 {
			return err
		}
		for i, u := range page {
			if u.Unknown, err = x.unknown(transfer.UnknownUpload, keys[i], 0); err != nil {
				return err
			}
			if err := each(u); err != nil {
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
