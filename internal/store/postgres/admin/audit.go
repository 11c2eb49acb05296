package admin

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// deedColumns are what readDeed reads, in its order.
const deedColumns = `seq, at, operator, token, addr, request_id, op, app_id, target, before, after, hash`

func readDeed(r pgx.CollectableRow) (d skein.Deed, err error) {
	var hash []byte
	err = r.Scan(&d.Seq, &d.At, &d.Operator, &d.Token, &d.Addr, &d.RequestID, &d.Op, &d.App, &d.Target, &d.Before, &d.After, &hash)
	copy(d.Hash[:], hash)
	return d, err
}

// Record adds a deed to the audit log. Its lock makes deeds of all nodes follow each other. It
// is the last thing that a deed does, so that others wait for no more than its commit.
func Record(ctx context.Context, t *tx.Tx, d skein.Deed) (skein.Deed, error) {
	if err := (deedTx{t}).lock(ctx, auditLock); err != nil {
		return d, err
	}
	var last []byte
	var previous [32]byte
	err := t.QueryRow(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&d.Seq, &last)
	if _, err := tx.Found(err); err != nil {
		return d, err
	}
	copy(previous[:], last)
	d.Seq++
	d.At = t.Now
	d.Hash = d.Sum(previous)
	_, err = t.Exec(ctx, `INSERT INTO audit (`+deedColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		d.Seq, d.At, d.Operator, d.Token, d.Addr, d.RequestID, d.Op, d.App, d.Target, d.Before, d.After, d.Hash[:])
	return d, err
}

// Audit reads the audit log; see store.Admin.
func (s *Store) Audit(ctx context.Context, q skein.AuditQuery) (deeds []skein.Deed, err error) {
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	sql, args := `SELECT `+deedColumns+` FROM audit WHERE seq < $1`, []any{q.Before}
	and := func(term string, value any) {
		args = append(args, value)
		sql += ` AND ` + term + fmt.Sprintf(` $%d`, len(args))
	}
	for _, f := range [...]struct{ term, value string }{
		{`app_id =`, q.App}, {`operator =`, q.Operator}, {`op =`, q.Op}, {`target =`, q.Target},
	} {
		if f.value != "" {
			and(f.term, f.value)
		}
	}
	if q.From != 0 {
		and(`at >=`, q.From)
	}
	if q.Until != 0 {
		and(`at <`, q.Until)
	}
	args = append(args, q.Limit)
	sql += fmt.Sprintf(` ORDER BY seq DESC LIMIT $%d`, len(args))
	err = s.db.Search(ctx, "", "audit", func(ctx context.Context, c tx.Conn) error {
		deeds, err = collectDeeds(c.Query(ctx, sql, args...))
		return err
	})
	return deeds, err
}

// AuditAfter reads the audit log from its beginning; see store.Admin.
func (s *Store) AuditAfter(ctx context.Context, seq int64, limit int) (deeds []skein.Deed, err error) {
	err = s.db.Each(ctx, "", func(ctx context.Context, c tx.Conn) error {
		deeds, err = collectDeeds(c.Query(ctx, `SELECT `+deedColumns+` FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, limit))
		return err
	})
	return deeds, err
}

func collectDeeds(found pgx.Rows, err error) ([]skein.Deed, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, readDeed)
}
