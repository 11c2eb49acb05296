package inbox

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// View is one conversation as a member sees it; see store.Inbox.
func (s *Store) View(ctx context.Context, app string, id skein.ID, client string) (v skein.View, err error) {
	now := s.db.Millis()
	err = tx.Snapshot(ctx, s.db, app, func(c connection) error {
		m, err := c.Membership(app, id, client, now)
		if err == nil {
			v, err = c.view(m)
		}
		return err
	})
	return v, err
}

// view adds to a member's row and its conversation the peer, the counts and the last message.
func (c connection) view(m tx.MemberRow) (v skein.View, err error) {
	v = skein.View{Conversation: m.Conv.Conversation, Member: m.Member}
	if v.Type == skein.Private {
		_, err = c.Row(func(r *sqlite3.Stmt) { v.Peer = r.ColumnText(0) },
			`SELECT iif(first_id = ?2, second_id, first_id) FROM private_pairs WHERE conv_key = ?1`, m.Conv.Key, v.Member.Client)
	}
	if err != nil || v.LastSeq == 0 {
		return v, err
	}
	if v.Unread() > 0 {
		if v.Mentions, err = c.mentionsOf(m.Conv.Key, m.Member); err != nil {
			return skein.View{}, err
		}
		if v.Silent, err = c.silentFor(m.Conv.Key, m.Member); err != nil {
			return skein.View{}, err
		}
	}
	if v.LastSeq > m.Member.ClearedSeq {
		v.Last, err = c.lastSeen(m)
	}
	return v, err
}

// mentionsOf counts the unread messages that mention a member, except those that it deleted
// for itself.
func (c connection) mentionsOf(conv int64, m skein.Member) (n int64, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { n = r.ColumnInt64(0) }, mentionsOf, conv, m.Client, m.Read())
	return n, err
}

// A message that mentions both everyone and the member by name has two rows. The count is the
// rows for everyone, plus the member's rows without a row for everyone, less the hidden
// messages among them. It only counts index entries: a client that mentions everyone in each
// message may have sent thousands.
const mentionsOf = `SELECT
	(SELECT count(*) FROM mentions WHERE conv_key = ?1 AND client_id = '' AND seq > ?3)
	+ (SELECT count(*) FROM mentions n WHERE n.conv_key = ?1 AND n.client_id = ?2 AND n.seq > ?3
		AND NOT EXISTS (SELECT 1 FROM mentions e WHERE e.conv_key = ?1 AND e.client_id = '' AND e.seq = n.seq))
	- (SELECT count(*) FROM hidden h WHERE h.conv_key = ?1 AND h.client_id = ?2 AND h.seq > ?3
		AND (EXISTS (SELECT 1 FROM mentions e WHERE e.conv_key = ?1 AND e.client_id = '' AND e.seq = h.seq)
			OR EXISTS (SELECT 1 FROM mentions n WHERE n.conv_key = ?1 AND n.client_id = ?2 AND n.seq = h.seq)))`

// silentFor counts the unread messages that are blank for a member: recalled or deleted.
func (c connection) silentFor(conv int64, m skein.Member) (n int64, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) { n = r.ColumnInt64(0) }, silentFor, conv, m.Client, m.Read())
	return n, err
}

// Both counts use indexes that hold only such messages.
const silentFor = `SELECT
	(SELECT count(*) FROM messages INDEXED BY messages_blank WHERE conv_key = ?1 AND seq > ?3 AND status <> 1)
	+ (SELECT count(*) FROM hidden h WHERE h.conv_key = ?1 AND h.client_id = ?2 AND h.seq > ?3
		AND NOT EXISTS (SELECT 1 FROM messages m INDEXED BY messages_blank WHERE m.conv_key = h.conv_key AND m.seq = h.seq AND m.status <> 1))`

// lastSeen is the newest message as the member sees it.
func (c connection) lastSeen(m tx.MemberRow) (last *skein.Message, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) {
		message := tx.ReadSeen(r, m.Conv.ID)
		last = &message
	}, lastSeen, m.Conv.Key, m.Conv.LastSeq, m.Member.Client)
	return last, err
}

const lastSeen = `SELECT ` + tx.MessageColumns + `, ` + tx.HiddenFrom + `?3) FROM messages m WHERE conv_key = ?1 AND seq = ?2`

// Views is a page of a client's conversations; see store.Inbox.
func (s *Store) Views(ctx context.Context, app, client string, q skein.ViewQuery) (page skein.ViewPage, err error) {
	now := s.db.Millis()
	if q.After.Since == 0 {
		q.After.Since = s.db.Reached.Load() // before the snapshot, so that later moves have a greater stamp
	}
	err = tx.Search(ctx, s.db, app, "conv.list", func(c connection) error {
		page, err = c.views(app, client, q, now)
		return err
	})
	if err != nil {
		return skein.ViewPage{}, err
	}
	return page, nil
}

func (c connection) views(app, client string, q skein.ViewQuery, now skein.Millis) (page skein.ViewPage, err error) {
	page.Total, err = c.Count(countViews, app, client, q.Archived, now)
	offset := q.Offset
	if rows.Listed(q.After) {
		offset = 0
	}
	if err != nil || q.Limit <= 0 || offset >= page.Total {
		return page, err
	}
	var keys, ranks []int64
	read := func(r *sqlite3.Stmt) {
		keys = append(keys, r.ColumnInt64(0))
		ranks = append(ranks, r.ColumnInt64(1))
	}
	since := q.After.Since
	switch {
	case q.After.Again:
		err = c.Rows(read, viewsAgain, app, client, q.Archived, now, q.Limit+1, since, q.After.Tie, since/1000+1)
	case rows.Listed(q.After):
		err = c.Rows(read, nextViews, app, client, q.Archived, now, q.Limit+1, q.After.Sort, q.After.Tie)
	default:
		err = c.Rows(read, firstViews, app, client, q.Archived, now, q.Limit+1, offset)
	}
	if err != nil {
		return page, err
	}
	switch {
	case len(keys) > q.Limit:
		page.Next = skein.Cursor{Sort: ranks[q.Limit-1], Tie: keys[q.Limit-1], Since: since, Again: q.After.Again}
		keys = keys[:q.Limit]
	case rows.Listed(q.After) && !q.After.Again: // see rows.Listed
		err = c.Rows(func(*sqlite3.Stmt) { page.Next = skein.Cursor{Since: since, Again: true} },
			viewsAgain, app, client, q.Archived, now, 1, since, 0, since/1000+1)
		if err != nil {
			return page, err
		}
	}
	for _, key := range keys {
		v, _, err := c.viewAt(app, client, key, now)
		if err != nil {
			return page, err
		}
		page.Views = append(page.Views, v)
	}
	return page, nil
}

// The list of client ?2's conversations, archived or not. CROSS JOIN fixes the join order: a
// client is in few conversations, an app has many. The rank puts pinned conversations first:
// a time is less than 1 << 53.
const (
	viewsOf = `FROM members m INDEXED BY members_by_client CROSS JOIN conversations c ON c.conv_key = m.conv_key
		WHERE m.app_key = ` + tx.AppKey + ` AND m.client_id = ?2 AND m.archived = ?3 AND c.deleted = 0 AND c.expires > ?4`
	viewRank   = `c.active + ((m.pinned > 0) << 53)`
	viewOrder  = ` ORDER BY ` + viewRank + ` DESC, c.conv_key DESC LIMIT ?5`
	countViews = `SELECT count(*) ` + viewsOf
	firstViews = `SELECT c.conv_key, ` + viewRank + ` ` + viewsOf + viewOrder + ` OFFSET ?6`
	nextViews  = `SELECT c.conv_key, ` + viewRank + ` ` + viewsOf + ` AND (` + viewRank + `, c.conv_key) < (?6, ?7)` + viewOrder
	viewsAgain = `SELECT c.conv_key, 0 ` + viewsOf + ` AND (c.moved > ?6 OR m.moved > ?6) AND c.conv_key > ?7 AND c.created <= ?8
		ORDER BY c.conv_key LIMIT ?5`
)

// viewAt is a conversation by its inner key as the client sees it. found is false if the
// client is not a member, or the conversation is deleted or has expired.
func (c connection) viewAt(app, client string, key int64, now skein.Millis) (v skein.View, found bool, err error) {
	var m tx.MemberRow
	found, err = c.Row(func(r *sqlite3.Stmt) {
		m = tx.MemberRow{Conv: tx.ReadConversation(r, app), Member: tx.ReadMember(r, tx.ConversationColumnCount)}
	}, `SELECT `+tx.ConversationColumns+`, `+tx.MemberColumns+` FROM conversations c
		JOIN members m ON m.conv_key = c.conv_key AND m.client_id = ?2
		WHERE c.conv_key = ?1 AND c.deleted = 0 AND c.expires > ?3`, key, client, now)
	if err != nil || !found {
		return skein.View{}, false, err
	}
	v, err = c.view(m)
	return v, err == nil, err
}

// CountReaders counts the members that received and read a message; see store.Members.
func (s *Store) CountReaders(ctx context.Context, app string, id skein.ID, seq int64) (n store.Readers, err error) {
	now := s.db.Millis()
	err = tx.Walk(ctx, s.db, app, func(c connection) error {
		conv, err := c.Conversation(app, id, now)
		if err != nil {
			return err
		}
		_, err = c.Row(func(r *sqlite3.Stmt) {
			n = store.Readers{Members: int(r.ColumnInt64(0)), Received: int(r.ColumnInt64(1)), Read: int(r.ColumnInt64(2))}
		}, `SELECT count(*), total(m.received_seq >= ?2 OR `+hasRead+`), total(`+hasRead+`)
			FROM conversations c JOIN members m ON m.conv_key = c.conv_key
			WHERE c.conv_key = ?1 AND m.join_seq <= ?2`, conv.Key, seq)
		return err
	})
	return n, err
}

// memberRead is skein.Member.Read, and hasRead that it is at or past ?2.
const (
	memberRead = `max(m.join_seq - 1, m.cleared_seq, m.read_seq, ` + tx.SentSeq + `)`
	hasRead    = memberRead + ` >= ?2`
)
