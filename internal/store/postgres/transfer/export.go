package transfer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

// exportPage is how many rows an export holds in memory at a time.
const exportPage = 256

// Export gives the sink all of an app; see store.Transfer. It is one transaction that sees one
// moment. Until it ends, the rows that are replaced meanwhile stay in their tables; it has no
// transaction id, so it stops no cursor.
func (s *Store) Export(ctx context.Context, app, client string, sink store.Sink) (at skein.Millis, err error) {
	err = s.db.Read(ctx, app, func(ctx context.Context, c tx.Conn) error {
		// A sink may be slow, and the walk over the conversations takes as long as there are many.
		if _, err := c.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		key, err := c.KnownApp(ctx, app)
		if err != nil {
			return err
		}
		x := &source{records: records{Conn: c, ctx: ctx, app: app, key: key}}
		at = c.Now
		if err := x.begin(); err != nil {
			return err
		}
		if err := transfer.Export(x, client, sink); err != nil {
			return err
		}
		return transfer.ExportUploads(x, client, sink)
	})
	if err != nil {
		return 0, err
	}
	return at, nil
}

// source reads an app for an export; it implements transfer.Source.
type source struct {
	records
}

func (x *source) Begin() (app store.AppRecord, messages int64, err error) {
	if app.App, err = tx.ReadApp(x.QueryRow(x.ctx, `SELECT `+tx.AppColumns+` FROM apps WHERE app_key = $1`, x.key)); err != nil {
		return app, 0, err
	}
	err = x.QueryRow(x.ctx, `SELECT coalesce(sum(last_seq), 0)::bigint, (SELECT fields FROM unknown_fields WHERE kind = $3 AND thing_key = $1)
		FROM conversations WHERE app_key = $1 AND deleted = 0 AND expires > $2`, x.key, x.Now, transfer.UnknownApp).Scan(&messages, &app.Unknown)
	return app, messages, err
}

// walk calls each for the rows of a query, which are fetched some at a time. Its name must be
// of this query alone. Its values are numbers, written into the text: a cursor takes no
// parameters everywhere.
func walk[T any](x *records, name, sql string, read func(pgx.Row) (T, error), each func([]T) error) error {
	if _, err := x.Exec(x.ctx, `DECLARE `+name+` NO SCROLL CURSOR FOR `+sql); err != nil {
		return err
	}
	for {
		rows, err := x.Query(x.ctx, fmt.Sprintf(`FETCH FORWARD %d FROM %s`, exportPage, name))
		if err != nil {
			return err
		}
		page, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (T, error) { return read(r) })
		if err != nil {
			return err
		}
		if len(page) == 0 {
			_, err := x.Exec(x.ctx, `CLOSE `+name)
			return err
		}
		if err := each(page); err != nil {
			return err
		}
	}
}

// one makes a function that takes one thing one that takes some.
func one[T any](each func(T) error) func([]T) error {
	return func(some []T) error {
		for _, t := range some {
			if err := each(t); err != nil {
				return err
			}
		}
		return nil
	}
}

func (x *source) Client(id string) (*store.ClientRecord, bool, error) { return x.clientRecord(id) }

func (x *source) Clients(each func(*store.ClientRecord) error) error {
	return walk(&x.records, "export_clients", fmt.Sprintf(`SELECT `+clientColumns+` FROM clients c WHERE app_key = %d ORDER BY client_key`, x.key), x.readClient, one(each))
}

func (x *source) Conversations(each func(transfer.Conv) error) error {
	return walk(&x.records, "export_conversations", fmt.Sprintf(`SELECT `+tx.ConversationColumns+`, `+unknownOf+`%d AND thing_key = c.conv_key)
		FROM conversations c WHERE app_key = %d AND deleted = 0 AND expires > %d ORDER BY conv_key`, transfer.UnknownConversation, x.key, x.Now),
		func(r pgx.Row) (transfer.Conv, error) {
			record := new(store.ConversationRecord)
			conv, err := tx.ReadConversation(r, x.app, &record.Unknown)
			record.Conversation = conv.Conversation
			record.RosterRev = 0 // this store's own
			return transfer.Conv{ConversationRecord: record, Key: conv.Key}, err
		},
		func(page []transfer.Conv) error {
			if err := x.sanctions(page); err != nil {
				return err
			}
			return one(each)(page)
		})
}

func (x *source) Member(c transfer.Conv, client string) (*store.MemberRecord, error) {
	return x.member(c.Key, c.ID, client)
}

func (x *source) Members(c transfer.Conv, each func(*store.MemberRecord) error) error {
	for after := int64(0); ; {
		rows, err := x.Query(x.ctx, memberSelect+` WHERE m.conv_key = $1 AND m.member_key > $2 AND m.member_key > 0 ORDER BY m.member_key LIMIT $3`, c.Key, after, exportPage)
		if err != nil {
			return err
		}
		page, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*store.MemberRecord, error) { return readMember(r, c.ID, &after) })
		if err != nil {
			return err
		}
		if err := one(each)(page); err != nil || len(page) < exportPage {
			return err
		}
	}
}

func (x *source) Messages(c transfer.Conv, each func(*store.MessageRecord) error) error {
	for after := int64(0); after < c.LastSeq; after += exportPage {
		page, err := x.messages(c.Key, c.ID, after, min(after+exportPage, c.LastSeq))
		if err == nil {
			err = one(each)(page)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *source) Changes(c transfer.Conv, each func(*store.ChangeRecord) error) error {
	for after := int64(0); after < c.Changes; after += exportPage {
		page, err := x.changes(c.Key, c.ID, after, min(after+exportPage, c.Changes))
		if err == nil {
			err = one(each)(page)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *source) Uploads(each func(*store.UploadRecord) error) error {
	return walk(&x.records, "export_uploads", fmt.Sprintf(`SELECT `+uploadColumns+` FROM uploads c WHERE app_key = %d AND due > %d ORDER BY upload_key`, x.key, x.Now),
		func(r pgx.Row) (*store.UploadRecord, error) { return readUpload(r, x.app) }, one(each))
}
