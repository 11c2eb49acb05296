package admin

import (
	"context"
	"math"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// deedColumns are what readDeed reads, in its order.
const deedColumns = `seq, at, operator, token, addr, request_id, op, app_id, target, before, after, hash`

func readDeed(r *sqlite3.Stmt) skein.Deed {
	d := skein.Deed{
		Seq: r.ColumnInt64(0), At: engine.Millis(r, 1), Operator: r.ColumnText(2), Token: r.ColumnText(3), Addr: r.ColumnText(4),
		RequestID: r.ColumnText(5), Op: r.ColumnText(6), App: r.ColumnText(7), Target: r.ColumnText(8),
		Before: engine.Bytes(r, 9), After: engine.Bytes(r, 10),
	}
	copy(d.Hash[:], r.ColumnRawBlob(11))
	return d
}

// Record adds a deed to the audit log. The only writer assigns the numbers.
func Record(g *tx.Group, d skein.Deed) (skein.Deed, error) {
	var last skein.Deed
	_, err := g.Row(func(r *sqlite3.Stmt) { last = readDeed(r) }, `SELECT `+deedColumns+` FROM audit WHERE seq = (SELECT max(seq) FROM audit)`)
	if err != nil {
		return d, err
	}
	d.Seq, d.At = last.Seq+1, g.Now
	d.Hash = d.Sum(last.Hash)
	return d, g.Exec(`INSERT INTO audit (`+deedColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		d.Seq, d.At, d.Operator, d.Token, d.Addr, d.RequestID, d.Op, d.App, d.Target,
		engine.RawText(d.Before), engine.RawText(d.After), d.Hash[:])
}

// Audit reads the audit log; see store.Admin.
func (s *Store) Audit(ctx context.Context, q skein.AuditQuery) (deeds []skein.Deed, err error) {
	var where tx.Filter
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	where.And(`seq < ?`, q.Before)
	for _, f := range [...]struct{ term, value string }{
		{`app_id = ?`, q.App}, {`operator = ?`, q.Operator}, {`op = ?`, q.Op}, {`target = ?`, q.Target},
	} {
		if f.value != "" {
			where.And(f.term, f.value)
		}
	}
	if q.From != 0 {
		where.And(`at >= ?`, q.From)
	}
	if q.Until != 0 {
		where.And(`at < ?`, q.Until)
	}
	err = tx.Search(ctx, s.db, "", "audit", func(c connection) error {
		deeds = nil
		return c.Ask(func(r *sqlite3.Stmt) { deeds = append(deeds, readDeed(r)) },
			`SELECT `+deedColumns+` FROM audit WHERE `+where.SQL()+` ORDER BY seq DESC LIMIT ?`, append(where.Args, q.Limit))
	})
	return deeds, err
}

// AuditAfter reads the audit log from its beginning; see store.Admin.
func (s *Store) AuditAfter(ctx context.Context, seq int64, limit int) (deeds []skein.Deed, err error) {
	err = tx.Read(ctx, s.db, "", func(c connection) error {
		deeds = nil
		return c.Rows(func(r *sqlite3.Stmt) { deeds = append(deeds, readDeed(r)) },
			`SELECT `+deedColumns+` FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2`, seq, limit)
	})
	return deeds, err
}
