package query

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// FindConversations is a page of conversations; see store.Conversations.
func (s *Store) FindConversations(ctx context.Context, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	search := newSearch(app, q.Member, q.Where, s.db.Millis())
	if q.After.Since == 0 {
		q.After.Since = s.db.Reached.Load() // before the snapshot, so that later moves have a greater stamp
	}
	err = tx.Search(ctx, s.db, app, "where", func(c connection) error {
		switch {
		case q.ByCreation:
			page, err = c.inOrder(search, app, q)
			return err
		case q.After.Again:
			search, err = c.movedSince(search, app, q.After, s.db.Moves)
			if err == nil {
				page, err = c.inOrder(search, app, q)
			}
			return err
		}
		page, err = c.find(search, app, q)
		if err == nil && page.Next.IsZero() && rows.Listed(q.After) {
			page.Next, err = c.goOn(search, app, q, s.db.Moves)
		}
		return err
	})
	if err != nil {
		return skein.ConvPage{}, err
	}
	return page, nil
}

// find is a page in the order of activity.
func (c connection) find(search search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	if q.Count && q.Limit > 0 && search.looks {
		return c.walk(search, app, q)
	}
	page, last, err := c.page(&search, app, q, byActivity, search.after)
	if !page.Next.IsZero() {
		page.Next = skein.Cursor{Sort: int64(last.Active), Tie: last.Key, Since: q.After.Since}
	}
	return page, err
}

// inOrder is a page in the order of creation.
func (c connection) inOrder(search search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	page, _, err = c.page(&search, app, q, byCreation, func(after skein.Cursor) { search.And(`c.conv_key > ?`, after.Tie) })
	return page, err
}

// page is a page of a search in an order, and its last conversation with its inner key.
// after narrows the search to what follows a cursor.
func (c connection) page(s *search, app string, q skein.ConvQuery, order string, after func(skein.Cursor)) (page skein.ConvPage, last tx.ConvRow, err error) {
	listed := rows.Listed(q.After)
	if q.Count {
		err := c.Ask(func(r *sqlite3.Stmt) { page.Total = int(r.ColumnInt64(0)) },
			`SELECT count(*) FROM `+s.from+` WHERE `+s.SQL(), s.Args)
		if err != nil || !listed && q.Offset >= page.Total { // no page begins past the end
			return page, last, err
		}
	}
	if q.Limit <= 0 {
		return page, last, nil
	}
	offset := q.Offset
	if listed {
		after(q.After)
		offset = 0
	}
	err = c.Ask(func(r *sqlite3.Stmt) {
		if len(page.Conversations) == q.Limit {
			page.Next = skein.Cursor{Tie: last.Key, Since: q.After.Since, Again: q.After.Again}
			return
		}
		last = tx.ReadConversation(r, app)
		page.Conversations = append(page.Conversations, last.Conversation)
	}, `SELECT `+tx.ConversationColumns+` FROM `+s.from+` WHERE `+s.SQL()+order+` LIMIT ? OFFSET ?`, append(s.Args, q.Limit+1, offset))
	return page, last, err
}

// walk is find for a search that must read rows. Checking the conditions costs most, so it
// checks each row once for both the total and the page.
func (c connection) walk(search search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	var cursors []skein.Cursor // of the page, and of the next one's first
	err = c.Ask(func(r *sqlite3.Stmt) {
		page.Total++
		at := skein.Cursor{Sort: r.ColumnInt64(0), Tie: r.ColumnInt64(1), Since: q.After.Since}
		passed := page.Total <= q.Offset
		if rows.Listed(q.After) {
			passed = at.Sort > q.After.Sort || at.Sort == q.After.Sort && at.Tie >= q.After.Tie
		}
		if !passed && len(cursors) <= q.Limit {
			cursors = append(cursors, at)
		}
	}, `SELECT c.active, c.conv_key FROM `+search.from+` WHERE `+search.SQL()+byActivity, search.Args)
	if err != nil {
		return page, err
	}
	if len(cursors) > q.Limit {
		cursors = cursors[:q.Limit]
		page.Next = cursors[q.Limit-1]
	}
	for _, at := range cursors {
		_, err := c.Row(func(r *sqlite3.Stmt) {
			page.Conversations = append(page.Conversations, tx.ReadConversation(r, app).Conversation)
		}, `SELECT `+tx.ConversationColumns+` FROM conversations c WHERE conv_key = ?1`, at.Tie)
		if err != nil {
			return page, err
		}
	}
	return page, nil
}

// Orders of a listing.
const (
	byActivity = ` ORDER BY c.period DESC, c.active DESC, c.conv_key DESC`
	byCreation = ` ORDER BY c.conv_key`
)
