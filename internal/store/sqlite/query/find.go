package query

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// FindConversations is a page of conversations; see store.Conversations.
func (s *Store) FindConversations(ctx context.Context, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	search := newSearch(app, q.Member, q.Where, s.db.Millis())
	if q.After.Since == 0 {
		q.After.Since = s.db.Reached.Load() // before the snapshot: what moves later is above it
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
		if err == nil && page.Next.IsZero() && tx.Listed(q.After) {
			page.Next, err = c.goOn(search, app, q, s.db.Moves)
		}
		return err
	})
	if err != nil {
		return skein.ConvPage{}, err
	}
	return page, nil
}

func (c connection) find(search search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	if q.Count && q.Limit > 0 && search.looks {
		return c.walk(search, app, q)
	}
	if q.Count {
		err := c.Ask(func(r *sqlite3.Stmt) { page.Total = int(r.ColumnInt64(0)) },
			`SELECT count(*) FROM `+search.from+` WHERE `+search.SQL(), search.Args)
		// A page past the end is known to be empty without walking there.
		if err != nil || !tx.Listed(q.After) && q.Offset >= page.Total {
			return page, err
		}
	}
	if q.Limit <= 0 {
		return page, nil
	}
	offset := q.Offset
	if tx.Listed(q.After) {
		search.after(q.After)
		offset = 0
	}
	var last tx.ConvRow
	more := false
	err = c.Ask(func(r *sqlite3.Stmt) {
		if more = len(page.Conversations) == q.Limit; more {
			return
		}
		last = tx.ReadConversation(r, app)
		page.Conversations = append(page.Conversations, last.Conversation)
	}, `SELECT `+tx.ConversationColumns+` FROM `+search.from+` WHERE `+search.SQL()+byActivity+` LIMIT ? OFFSET ?`, append(search.Args, q.Limit+1, offset))
	if more {
		page.Next = skein.Cursor{Sort: int64(last.Active), Tie: last.Key, Since: q.After.Since}
	}
	return page, err
}

// walk is find for a search that looks at rows: what tells which meet it costs most, so
// the total and the page come of one look at each.
func (c connection) walk(search search, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	var places []skein.Cursor // of the page, and of the next one's first
	err = c.Ask(func(r *sqlite3.Stmt) {
		page.Total++
		at := skein.Cursor{Sort: r.ColumnInt64(0), Tie: r.ColumnInt64(1), Since: q.After.Since}
		passed := page.Total <= q.Offset
		if tx.Listed(q.After) {
			passed = at.Sort > q.After.Sort || at.Sort == q.After.Sort && at.Tie >= q.After.Tie
		}
		if !passed && len(places) <= q.Limit {
			places = append(places, at)
		}
	}, `SELECT c.active, c.conv_key FROM `+search.from+` WHERE `+search.SQL()+byActivity, search.Args)
	if err != nil {
		return page, err
	}
	if len(places) > q.Limit {
		places = places[:q.Limit]
		page.Next = places[q.Limit-1]
	}
	for _, at := range places {
		_, err := c.Row(func(r *sqlite3.Stmt) {
			page.Conversations = append(page.Conversations, tx.ReadConversation(r, app).Conversation)
		}, `SELECT `+tx.ConversationColumns+` FROM conversations c WHERE conv_key = ?1`, at.Tie)
		if err != nil {
			return page, err
		}
	}
	return page, nil
}

// byActivity is the order of the listing.
const byActivity = ` ORDER BY c.period DESC, c.active DESC, c.conv_key DESC`

// after passes over the listing up to a place in it.
func (s *search) after(place skein.Cursor) {
	s.And(`c.period <= ? AND (c.active, c.conv_key) < (?, ?)`, tx.PeriodOf(skein.Millis(place.Sort)), place.Sort, place.Tie)
}

// search is a FROM and a WHERE over conversations c.
type search struct {
	tx.Filter

	from  string
	looks bool // at rows: no index has all that it asks for
}

// newSearch finds the living conversations of an app, of a member if one is
// named, that meet where.
func newSearch(app, member string, where []skein.Condition, now skein.Millis) search {
	s := search{from: `conversations c`, looks: member != "" || len(where) > 0}
	if member == "" {
		// "Is a member" without another driver: start from the member's own.
		member, where = takeMember(where)
	}
	const key = `(SELECT app_key FROM apps WHERE id = ? AND deleted = 0)`
	if member != "" {
		// CROSS JOIN fixes the order: a client is in few conversations, an app has
		// many.
		s.from = `members m INDEXED BY members_by_client CROSS JOIN conversations c ON c.conv_key = m.conv_key`
		s.And(`m.app_key = `+key+` AND m.client_id = ?`, app, member)
	} else {
		s.And(`c.app_key = `+key, app)
	}
	s.meets(where, now)
	return s
}

// meets asks for those that live and meet where.
func (s *search) meets(where []skein.Condition, now skein.Millis) {
	s.And(`c.deleted = 0 AND c.expires > ?`, now)
	for _, cond := range where {
		sql, args := term(cond)
		s.And(sql, args...)
	}
}

// takeMember moves the first "is a member" condition out of where.
func takeMember(where []skein.Condition) (member string, rest []skein.Condition) {
	for i, cond := range where {
		if cond.Field != skein.FieldMember || cond.Op != skein.Eq || len(cond.Values) != 1 {
			continue
		}
		if client, ok := cond.Values[0].(string); ok && client != "" {
			return client, slices.Concat(where[:i], where[i+1:])
		}
	}
	return "", where
}

// UpdateConversations replaces Extend; see store.Conversations. The search may
// look at the whole app, so it runs beside the writer; the commits, each of some
// conversations, look again at what was found and change what still matches. A
// conversation that came to match in between counts as later.
func (s *Store) UpdateConversations(ctx context.Context, app string, by store.Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error) {
	search := newSearch(app, "", where, s.db.Millis())
	var found []int64
	err := tx.Search(ctx, s.db, app, "where", func(c connection) error {
		found = found[:0]
		return c.Ask(func(r *sqlite3.Stmt) { found = append(found, r.ColumnInt64(0)) },
			`SELECT c.conv_key FROM `+search.from+` WHERE `+search.SQL()+` LIMIT ?`, append(search.Args, skein.MaxUpdated+1))
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, skein.ErrUnknownConversation
	case len(found) > skein.MaxUpdated:
		return nil, skein.About(skein.ErrTooLarge, "where")
	}
	var all []skein.ID
	rows := 2 + 2*len(skein.UploadsIn(extend)) // of one conversation: each link is looked up and noted
	for piece := range slices.Chunk(found, max(1, min(updateRows/rows, updateBytes/max(len(extend), 1)))) {
		size := tx.SmallJob + len(extend) + 8*len(piece)
		j := tx.Job{App: app, Bytes: size + len(piece)*len(extend), Rows: rows * len(piece)}
		ids, err := tx.Write(ctx, s.db, j, func(g group) ([]skein.ID, error) {
			return g.updateConversations(recheck(app, where, piece, g.Now), app, by, extend, at)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	if len(all) == 0 {
		return nil, skein.ErrUnknownConversation
	}
	return all, nil
}

// One commit writes so many rows, or so many bytes of conversations, of an
// UpdateConversations: about 3 ms of the writer.
const (
	updateRows  = 100
	updateBytes = 256 << 10
)

// recheck finds those of some conversations that meet where.
func recheck(app string, where []skein.Condition, keys []int64, now skein.Millis) search {
	s := search{from: `conversations c NOT INDEXED`}
	s.And(`c.conv_key IN (`+tx.Marks(len(keys))+`)`, tx.Anys(keys)...)
	s.And(`c.app_key = (SELECT app_key FROM apps WHERE id = ? AND deleted = 0)`, app)
	s.meets(where, now)
	return s
}

func (g group) updateConversations(search search, app string, by store.Authority, extend []byte, at skein.Millis) ([]skein.ID, error) {
	var keys []int64
	var ids []skein.ID
	err := g.Ask(func(r *sqlite3.Stmt) {
		keys = append(keys, r.ColumnInt64(0))
		ids = append(ids, engine.ID(r, 1))
	}, `SELECT c.conv_key, c.id FROM `+search.from+` WHERE `+search.SQL(), search.Args)
	if err != nil {
		return nil, err
	}
	uploads := skein.UploadsIn(extend)
	for i, key := range keys {
		if _, _, err := g.Authorized(app, ids[i], by); err != nil {
			return nil, err
		}
		g.Known.ForgetTimeline(app, ids[i])
		_, err := g.Move(`UPDATE conversations SET extend = ?2, `+tx.Touched+`, moved = ?5 WHERE conv_key = ?1`+tx.ReturningMoves,
			key, engine.RawText(extend), at, tx.PeriodOf(at), g.Stamp)
		if err == nil {
			err = g.RenameUploads(app, tx.ByExtend, key, uploads)
		}
		if err == nil {
			err = g.Event(store.Entry{Kind: store.EntryConversationUpdated, App: app, Conv: ids[i]})
		}
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}
