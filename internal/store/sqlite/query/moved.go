package query

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/moves"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// maxAgain bounds how many moved conversations are selected by their keys.
const maxAgain = 2048

// movedSince narrows a search to the conversations that moved since the listing began.
func (c connection) movedSince(s search, app string, after skein.Cursor, m *moves.Map) (search, error) {
	key, err := c.KnownApp(app)
	if err != nil && !errors.Is(err, skein.ErrUnknownApp) {
		return s, err
	}
	if moved, complete := m.Since(after.Since, key, maxAgain); complete {
		s.And(`c.conv_key IN (`+tx.Marks(len(moved))+`)`, tx.Anys(moved)...)
	} else {
		s.And(`c.moved > ?`, after.Since)
	}
	s.And(`c.created <= ?`, after.Since/1000+1)
	return s, nil
}

// goOn is where a listing continues after its end, with the conversations that moved
// meanwhile; zero: none did.
func (c connection) goOn(s search, app string, q skein.ConvQuery, m *moves.Map) (next skein.Cursor, err error) {
	again := skein.Cursor{Since: q.After.Since, Again: true}
	if s, err = c.movedSince(s, app, again, m); err != nil {
		return next, err
	}
	err = c.Ask(func(*sqlite3.Stmt) { next = again }, `SELECT 1 FROM `+s.from+` WHERE `+s.SQL()+` LIMIT 1`, s.Args)
	return next, err
}
