package inbox

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// Views is a page of a client's conversations; see store.Inbox.
func (s *Store) Views(ctx context.Context, app, client string, q skein.ViewQuery) (page skein.ViewPage, err error) {
	err = s.db.Search(ctx, app, "conv.list", func(ctx context.Context, conn tx.Conn) error {
		page, err = connection{conn}.list(ctx, app, client, q)
		return err
	})
	if err != nil {
		return skein.ViewPage{}, err
	}
	return page, nil
}

// place is a conversation in a list.
type place struct{ Key, Rank int64 }

func (c connection) list(ctx context.Context, app, client string, q skein.ViewQuery) (page skein.ViewPage, err error) {
	after, offset := q.After, q.Offset
	if rows.Listed(after) {
		offset = 0
	}
	var began int64
	err = c.QueryRow(ctx, `SELECT `+tx.Horizon+`, (SELECT count(*) `+listOf+`)`, app, client, q.Archived, c.Now).Scan(&began, &page.Total)
	if err != nil || q.Limit <= 0 || offset >= page.Total {
		return page, err
	}
	if after.Since == 0 {
		after.Since = began
	}
	var places []place
	switch {
	case after.Again:
		places, err = c.places(ctx, listAgain, app, client, q.Archived, c.Now, q.Limit+1, after.Since, after.Tie, after.Sort)
	case rows.Listed(after):
		places, err = c.places(ctx, nextOfList, app, client, q.Archived, c.Now, q.Limit+1, after.Sort, after.Tie)
	default:
		places, err = c.places(ctx, firstOfList, app, client, q.Archived, c.Now, q.Limit+1, offset)
	}
	if err != nil {
		return page, err
	}
	switch {
	case len(places) > q.Limit:
		places = places[:q.Limit]
		last := places[q.Limit-1]
		page.Next = skein.Cursor{Sort: last.Rank, Tie: last.Key, Since: after.Since, Again: after.Again}
		if after.Again {
			page.Next.Sort = after.Sort
		}
	case rows.Listed(after) && !after.Again: // see rows.Listed
		if page.Next, err = c.again(ctx, app, client, q.Archived, after.Since); err != nil {
			return page, err
		}
	}
	keys := make([]int64, len(places))
	for i, p := range places {
		keys[i] = p.Key
	}
	views, err := c.views(ctx, app, client, keys)
	for _, key := range keys {
		page.Views = append(page.Views, views[key].View)
	}
	return page, err
}

func (c connection) places(ctx context.Context, sql string, args ...any) ([]place, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[place])
}

// again is the cursor at which the conversations that moved since the listing began are
// listed; zero: none did. Its Sort is the newest conversation: those that are created later
// are left out.
func (c connection) again(ctx context.Context, app, client string, archived bool, since int64) (next skein.Cursor, err error) {
	var newest int64
	if err := c.QueryRow(ctx, `SELECT coalesce(max(conv_key), 0) FROM conversations`).Scan(&newest); err != nil {
		return next, err
	}
	moved, err := c.places(ctx, listAgain, app, client, archived, c.Now, 1, since, 0, newest)
	if len(moved) > 0 {
		next = skein.Cursor{Sort: newest, Since: since, Again: true}
	}
	return next, err
}

// The list of client $2's conversations, archived or not. The rank puts pinned conversations
// first: a time is less than 1 << 53.
const (
	listOf = `FROM (SELECT * FROM members WHERE app_key = ` + tx.AppKey + ` AND client_id = $2 AND archived = $3 OFFSET 0) m
		CROSS JOIN LATERAL (SELECT * FROM conversations WHERE conv_key = m.conv_key AND deleted = 0 AND expires > $4 OFFSET 0) c`
	listRank    = `c.active + CASE WHEN m.pinned > 0 THEN 1::bigint << 53 ELSE 0 END`
	listOrder   = ` ORDER BY ` + listRank + ` DESC, c.conv_key DESC LIMIT $5`
	firstOfList = `SELECT c.conv_key, ` + listRank + ` ` + listOf + listOrder + ` OFFSET $6`
	nextOfList  = `SELECT c.conv_key, ` + listRank + ` ` + listOf + ` WHERE (` + listRank + `, c.conv_key) < ($6::bigint, $7::bigint)` + listOrder
	listAgain   = `SELECT c.conv_key, 0::bigint ` + listOf + ` WHERE (c.moved >= $6 OR m.moved >= $6) AND c.conv_key > $7 AND c.conv_key <= $8
		ORDER BY c.conv_key LIMIT $5`
)
