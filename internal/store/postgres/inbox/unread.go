package inbox

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// Unread sums up a client's unread messages; see store.Inbox.
func (s *Store) Unread(ctx context.Context, app, client string, muted bool) (total skein.UnreadTotal, err error) {
	err = s.db.Search(ctx, app, "conv.unread", func(ctx context.Context, c tx.Conn) error {
		var b pgx.Batch
		b.Queue(unreadTotal, app, client, c.Now, muted).QueryRow(func(row pgx.Row) error {
			return row.Scan(&total.Unread, &total.Mentions, &total.Conversations)
		})
		return engine.Last(ctx, c.Conn, &b).Close()
	})
	return total, err
}

// ToRead lists the conversations with unread messages; see store.Inbox.
func (s *Store) ToRead(ctx context.Context, app, client string) (all []skein.Receipt, err error) {
	err = s.db.Search(ctx, app, "conv.read_all", func(ctx context.Context, c tx.Conn) error {
		rows, err := c.Query(ctx, `SELECT c.id, c.last_seq `+toRead, app, client, c.Now)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[skein.Receipt])
		return err
	})
	return all, err
}

// toRead are the conversations of client $2 that have unread messages, or that it marked as
// unread.
const toRead = `FROM (SELECT * FROM members WHERE app_key = ` + tx.AppKey + ` AND client_id = $2 OFFSET 0) m
	CROSS JOIN LATERAL (SELECT * FROM conversations WHERE conv_key = m.conv_key AND deleted = 0 AND expires > $3 OFFSET 0) c
	WHERE (c.last_seq > ` + memberRead + ` OR m.unread_mark)`

// unreadTotal adds up what views counts for each of these.
const unreadTotal = `SELECT coalesce(sum(unread), 0)::bigint, coalesce(sum(mentions), 0)::bigint, count(*) FILTER (WHERE unread > 0 OR unread_mark)
	FROM (SELECT greatest(0, c.last_seq - ` + memberRead + ` - ` + silentFor + `) AS unread, ` + mentionsOf + ` AS mentions, m.unread_mark
		` + toRead + ` AND ($4 OR NOT m.muted)) u`
