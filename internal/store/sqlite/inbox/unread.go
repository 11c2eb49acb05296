package inbox

import (
	"context"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Unread sums up a client's unread messages; see store.Inbox.
func (s *Store) Unread(ctx context.Context, app, client string, muted bool) (total skein.UnreadTotal, err error) {
	now := s.db.Millis()
	err = tx.Search(ctx, s.db, app, "conv.unread", func(c connection) error {
		total = skein.UnreadTotal{} // drop the result of a first try
		return c.Rows(func(r *sqlite3.Stmt) {
			unread := max(0, r.ColumnInt64(0))
			total.Unread += unread
			total.Mentions += r.ColumnInt64(1)
			if unread > 0 || r.ColumnBool(2) {
				total.Conversations++
			}
		}, unreadCounts, app, client, now, muted)
	})
	return total, err
}

// ToRead lists the conversations with unread messages; see store.Inbox.
func (s *Store) ToRead(ctx context.Context, app, client string) (all []skein.Receipt, err error) {
	now := s.db.Millis()
	err = tx.Search(ctx, s.db, app, "conv.read_all", func(c connection) error {
		all = nil
		return c.Rows(func(r *sqlite3.Stmt) {
			all = append(all, skein.Receipt{Conv: engine.ID(r, 0), Seq: r.ColumnInt64(1)})
		}, `SELECT c.id, c.last_seq `+toRead, app, client, now)
	})
	return all, err
}

// toRead are the conversations of client ?2 that have unread messages, or that it marked as
// unread.
const toRead = `FROM members m INDEXED BY members_by_client CROSS JOIN conversations c ON c.conv_key = m.conv_key
	WHERE m.app_key = ` + tx.AppKey + ` AND m.client_id = ?2 AND c.deleted = 0 AND c.expires > ?3
	AND (c.last_seq > ` + memberRead + ` OR m.unread_mark)`

// unreadCounts counts for each of these what view counts for one.
var unreadCounts = `SELECT u.last_seq - u.read - (` + ofEach(silentFor) + `), (` + ofEach(mentionsOf) + `), u.unread_mark
	FROM (SELECT m.conv_key, m.client_id, m.unread_mark, c.last_seq, ` + memberRead + ` AS read ` + toRead + ` AND (?4 OR m.muted = 0)) u`

// ofEach turns a count for one member into one for each row of u.
func ofEach(count string) string {
	return strings.NewReplacer("?1", "u.conv_key", "?2", "u.client_id", "?3", "u.read").Replace(count)
}
