package query

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// UpdateConversations replaces Extend; see store.Conversations. The search may read the whole
// app, so a reader runs it. Each commit then checks some of the conversations found again and
// changes those that still match. A conversation that begins to match meanwhile is left out.
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
	for piece := range slices.Chunk(found, rows.UpdatedAtOnce(extend)) {
		size := tx.SmallJob + len(extend) + 8*len(piece)
		j := tx.Job{App: app, Bytes: size + len(piece)*len(extend), Rows: rows.UpdatedRows(extend) * len(piece)}
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

// recheck finds which of some conversations still meet where.
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
			key, engine.RawText(extend), at, rows.PeriodOf(at), g.Stamp)
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
