package query

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
)

// UpdateConversations replaces Extend; see store.Conversations. The search may read the whole
// app, so it locks nothing. Each transaction then locks some of the conversations found, checks
// them again and changes those that still match. A conversation that begins to match meanwhile
// is left out.
func (s *Store) UpdateConversations(ctx context.Context, app string, by store.Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error) {
	var found []int64
	err := s.db.Search(ctx, app, "where", func(ctx context.Context, c tx.Conn) error {
		search := newSearch(app, "", where, c.Now)
		limit := ` LIMIT ` + search.arg(int64(skein.MaxUpdated)+1) + `::bigint`
		keys, err := c.Query(ctx, search.sql(`c.conv_key`, limit), search.with()...)
		if err == nil {
			found, err = pgx.CollectRows(keys, pgx.RowTo[int64])
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, skein.ErrUnknownConversation
	case len(found) > skein.MaxUpdated:
		return nil, skein.About(skein.ErrTooLarge, "where")
	}
	slices.Sort(found)
	var all []skein.ID
	for piece := range slices.Chunk(found, rows.UpdatedAtOnce(extend)) {
		ids, err := tx.Result(ctx, s.db, app, func(ctx context.Context, t *tx.Tx) ([]skein.ID, error) {
			return update(ctx, t, app, by, where, piece, extend, at)
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

// update changes those of some conversations that still meet where.
func update(ctx context.Context, t *tx.Tx, app string, by store.Authority, where []skein.Condition, keys []int64, extend []byte, at skein.Millis) (ids []skein.ID, err error) {
	if err := t.LockConversations(ctx, slices.Clone(keys)...); err != nil {
		return nil, err
	}
	search := &search{from: `conversations c`}
	search.and(`c.app_key = ` + search.livingApp(app) + ` AND c.conv_key = ANY (` + search.arg(keys) + `::bigint[])`)
	search.meets(app, where, t.Now)
	found, err := t.Query(ctx, search.sql(tx.ConversationColumns, ` ORDER BY c.conv_key`), search.with()...)
	if err != nil {
		return nil, err
	}
	convs, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (tx.ConvRow, error) { return tx.ReadConversation(row, app) })
	if err != nil {
		return nil, err
	}
	uploads := skein.UploadsIn(extend)
	for _, conv := range convs {
		if _, err := t.Authorize(ctx, conv, by); err != nil {
			return nil, err
		}
		ids = append(ids, conv.ID)
	}
	for _, conv := range convs {
		_, err := t.Exec(ctx, `UPDATE conversations SET extend = $2, updated = $3, active = greatest(active, $3), period = greatest(period, $4), moved = `+tx.Stamp+`
			WHERE conv_key = $1`, conv.Key, extend, at, rows.PeriodOf(at))
		if err == nil {
			err = t.RenameUploads(ctx, conv.AppKey, tx.Thing{Kind: tx.ByExtend, Key: conv.Key}, uploads)
		}
		if err == nil {
			err = t.Event(ctx, store.Entry{Kind: store.EntryConversationUpdated, App: app, Conv: conv.ID})
		}
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}
