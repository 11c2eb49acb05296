package query

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// FindConversations is a page of conversations; see store.Conversations.
func (s *Store) FindConversations(ctx context.Context, app string, q skein.ConvQuery) (page skein.ConvPage, err error) {
	err = s.db.Search(ctx, app, "where", func(ctx context.Context, conn tx.Conn) error {
		page, err = connection{conn}.find(ctx, app, q, s.db.Moves)
		return err
	})
	if err != nil {
		return skein.ConvPage{}, err
	}
	return page, nil
}

func (c connection) find(ctx context.Context, app string, q skein.ConvQuery, m *tx.Moves) (page skein.ConvPage, err error) {
	search := newSearch(app, q.Member, q.Where, c.Now)
	if q.After.Since == 0 {
		if err := c.QueryRow(ctx, `SELECT `+tx.Horizon).Scan(&q.After.Since); err != nil {
			return page, err
		}
	}
	switch {
	case q.After.Again:
		if err := c.movedSince(ctx, search, q.After, m); err != nil {
			return page, err
		}
		return c.page(ctx, search, app, q, byCreation)
	case q.ByCreation:
		return c.page(ctx, search, app, q, byCreation)
	}
	page, err = c.page(ctx, search, app, q, byActivity)
	if err == nil && page.Next.IsZero() && rows.Listed(q.After) {
		page.Next, err = c.goOn(ctx, newSearch(app, q.Member, q.Where, c.Now), q.After.Since, m)
	}
	return page, err
}

// order is an order of a listing: in SQL, and how a search leaves out what was listed.
type order struct {
	sql   string
	after func(s *search, place skein.Cursor)
	next  func(last tx.ConvRow, place skein.Cursor) skein.Cursor
}

var (
	byActivity = order{
		sql:   ` ORDER BY c.period DESC, c.active DESC, c.conv_key DESC`,
		after: (*search).after,
		next: func(last tx.ConvRow, place skein.Cursor) skein.Cursor {
			return skein.Cursor{Sort: int64(last.Active), Tie: last.Key, Since: place.Since}
		},
	}
	byCreation = order{
		sql:   ` ORDER BY c.conv_key`,
		after: func(s *search, place skein.Cursor) { s.and(`c.conv_key > ` + s.arg(place.Tie) + `::bigint`) },
		next: func(last tx.ConvRow, place skein.Cursor) skein.Cursor {
			place.Tie = last.Key
			return place
		},
	}
)

// page is a page of a search in an order.
func (c connection) page(ctx context.Context, s *search, app string, q skein.ConvQuery, order order) (page skein.ConvPage, err error) {
	listed := rows.Listed(q.After)
	if q.Count {
		err := c.QueryRow(ctx, s.sql(`count(*)`, ``), s.with()...).Scan(&page.Total)
		if err != nil || !listed && q.Offset >= page.Total { // no page begins past the end
			return page, err
		}
	}
	if q.Limit <= 0 {
		return page, nil
	}
	offset := q.Offset
	if listed {
		order.after(s, q.After)
		offset = 0
	}
	limit := order.sql + ` LIMIT ` + s.arg(int64(q.Limit)+1) + `::bigint OFFSET ` + s.arg(int64(offset)) + `::bigint`
	found, err := c.Query(ctx, s.sql(tx.ConversationColumns, limit), s.with()...)
	if err != nil {
		return page, err
	}
	convs, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (tx.ConvRow, error) { return tx.ReadConversation(row, app) })
	if len(convs) > q.Limit {
		convs = convs[:q.Limit]
		page.Next = order.next(convs[q.Limit-1], q.After)
	}
	for _, conv := range convs {
		page.Conversations = append(page.Conversations, conv.Conversation)
	}
	return page, err
}

// maxAgain bounds how many moved conversations are selected by their keys.
const maxAgain = 2048

// movedSince narrows a search to the conversations that moved since the listing began. The
// cursor's Sort is the newest conversation at its end: those that are created later are left
// out, so that the listing ends.
func (c connection) movedSince(ctx context.Context, s *search, after skein.Cursor, m *tx.Moves) error {
	if _, err := m.CatchUp(ctx, c.Conn); err != nil {
		return err
	}
	if moved, complete := m.Since(after.Since, maxAgain); complete {
		s.and(`c.conv_key = ANY (` + s.arg(moved) + `::bigint[])`)
	}
	s.and(`c.moved >= ` + s.arg(after.Since) + `::bigint AND c.conv_key <= ` + s.arg(after.Sort) + `::bigint`)
	return nil
}

// goOn is where a listing continues after its end, with the conversations that moved
// meanwhile; zero: none did.
func (c connection) goOn(ctx context.Context, s *search, since int64, m *tx.Moves) (next skein.Cursor, err error) {
	again := skein.Cursor{Since: since, Again: true}
	if err := c.QueryRow(ctx, `SELECT coalesce(max(conv_key), 0) FROM conversations`).Scan(&again.Sort); err != nil {
		return next, err
	}
	if err := c.movedSince(ctx, s, again, m); err != nil {
		return next, err
	}
	var moved bool
	err = c.QueryRow(ctx, `SELECT EXISTS (`+s.sql(``, ``)+`)`, s.with()...).Scan(&moved)
	if moved {
		next = again
	}
	return next, err
}
