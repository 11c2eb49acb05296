package sqlite

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// A listing by activity loses what moves to its top behind whoever follows the cursor.
// So the cursor keeps the stamp at which the listing began; at the end of the listing
// those that moved since are listed once more, by their keys, which never move. What
// is created meanwhile is left out, so that there is an end.

// listed reports whether a cursor is a place in a listing, not its start.
func listed(after skein.Cursor) bool { return after.Tie != 0 || after.Again }

// maxAgain bounds how many moved conversations are asked for by their keys.
const maxAgain = 2048

// movedSince narrows a search to what moved since the listing began.
func (c *connection) movedSince(s search, app string, after skein.Cursor, m *moves) (search, error) {
	key, err := c.knownApp(app)
	if err != nil && !errors.Is(err, skein.ErrUnknownApp) {
		return s, err
	}
	if moved, complete := m.since(after.Since, key, maxAgain); complete {
		s.and(`c.conv_key IN (`+marks(len(moved))+`)`, anys(moved)...)
	} else {
		s.and(`c.moved > ?`, after.Since)
	}
	s.and(`c.created <= ?`, after.Since/1000+1)
	return s, nil
}

// goOn is where a listing goes on that has come to its end; zero: nothing moved.
func (c *connection) goOn(s search, app string, q skein.ConvQuery, m *moves) (next skein.Cursor, err error) {
	again := skein.Cursor{Since: q.After.Since, Again: true}
	if s, err = c.movedSince(s, app, again, m); err != nil {
		return next, err
	}
	err = c.ask(func(*sqlite3.Stmt) { next = again }, `SELECT 1 FROM `+s.from+` WHERE `+s.sql()+` LIMIT 1`, s.args)
	return next, err
}

// inOrder is a page in the order of creation.
func (c *connection) inOrder(s search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	if q.Count {
		err := c.ask(func(r *sqlite3.Stmt) { page.Total = int(r.ColumnInt64(0)) },
			`SELECT count(*) FROM `+s.from+` WHERE `+s.sql(), s.args)
		if err != nil {
			return page, err
		}
	}
	if q.Limit <= 0 || !listed(q.After) && q.Offset >= page.Total && q.Count {
		return page, nil
	}
	offset := q.Offset
	if listed(q.After) {
		s.and(`c.conv_key > ?`, q.After.Tie)
		offset = 0
	}
	var last conversation
	more := false
	err = c.ask(func(r *sqlite3.Stmt) {
		if more = len(page.Conversations) == q.Limit; more {
			return
		}
		last = readConversation(r, app)
		page.Conversations = append(page.Conversations, last.Conversation)
	}, `SELECT `+conversationColumns+` FROM `+s.from+` WHERE `+s.sql()+` ORDER BY c.conv_key LIMIT ? OFFSET ?`, append(s.args, q.Limit+1, offset))
	if more {
		page.Next = skein.Cursor{Tie: last.key, Since: q.After.Since, Again: q.After.Again}
	}
	return page, err
}
