package uploads

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// The backfill fills upload_uses for rows that older versions stored. It goes through each
// kind of thing once, in steps. A reader finds the rows that name a file, and the commit reads
// only those again. Table backfill has a row for each kind that is not done; no file is
// released until the table is empty.

// backfillLooks bounds the rows that one step reads, backfillRows those that may name a file.
const (
	backfillLooks = 5_000
	backfillRows  = 200
)

// filling is a row of backfill.
type filling struct {
	kind       tx.Naming
	done, upto int64
}

// things has two queries for each kind: all rows after ?1 up to ?2, and the row ?1. Their
// columns are the key, the app, JSON and two texts. A deleted thing names nothing.
var things = map[tx.Naming]struct{ all, one string }{
	tx.ByMessage: thing(`m.message_key`, `a.id, m.attr, m.text, m.url`,
		`messages m CROSS JOIN conversations c ON c.conv_key = m.conv_key CROSS JOIN apps a ON a.app_key = c.app_key`, `m.status = 1`),
	tx.ByExtend: thing(`c.conv_key`, `a.id, c.extend, '', ''`,
		`conversations c CROSS JOIN apps a ON a.app_key = c.app_key`, `c.deleted = 0`),
	tx.ByClient: thing(`k.client_key`, `a.id, k.ext, k.ban_reason, ''`,
		`clients k CROSS JOIN apps a ON a.app_key = k.app_key`, `k.deleted = 0`),
	tx.ByMember: thing(`m.member_key`, `a.id, NULL, m.draft, m.nickname`,
		`members m CROSS JOIN apps a ON a.app_key = m.app_key`, `1`),
}

func thing(key, columns, from, where string) struct{ all, one string } {
	sql := `SELECT ` + key + `, ` + columns + ` FROM ` + from + ` WHERE ` + where + ` AND ` + key
	return struct{ all, one string }{sql + ` > ?1 AND ` + key + ` <= ?2 ORDER BY ` + key + ` LIMIT ?3`, sql + ` = ?1`}
}

// readThing is a row of things: its key, its app, and what it names.
func readThing(r *sqlite3.Stmt) (key int64, app string, stems []string) {
	return r.ColumnInt64(0), r.ColumnText(1), skein.UploadsIn(engine.Bytes(r, 2), r.ColumnText(3), r.ColumnText(4))
}

// FillUploads does one step of the backfill; see store.Upkeep.
func (s *Store) FillUploads(ctx context.Context) (more bool, err error) {
	var f filling
	var found bool
	var named []int64
	err = tx.Snapshot(ctx, s.db, "", func(c connection) error {
		if f, found, err = c.firstFilling(); err != nil || !found {
			return err
		}
		named, err = c.toFill(&f)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	return tx.Write(ctx, s.db, tx.Job{Bytes: tx.SmallJob + 8*len(named)}, func(g group) (bool, error) { return g.fill(f, named) })
}

func (c connection) firstFilling() (f filling, found bool, err error) {
	found, err = c.Row(func(r *sqlite3.Stmt) {
		f = filling{tx.Naming(r.ColumnInt64(0)), r.ColumnInt64(1), r.ColumnInt64(2)}
	}, `SELECT kind, done, upto FROM backfill ORDER BY kind LIMIT 1`)
	return f, found, err
}

// toFill finds the next things that may name a file and moves f.done past the last one that
// it read.
func (c connection) toFill(f *filling) (named []int64, err error) {
	after, looks := f.done, 0
	err = c.Rows(func(r *sqlite3.Stmt) {
		if len(named) == backfillRows {
			return
		}
		key, _, stems := readThing(r)
		if len(stems) > 0 {
			named = append(named, key)
		}
		f.done = key
		looks++
	}, things[f.kind].all, after, f.upto, backfillLooks)
	if looks < backfillLooks && len(named) < backfillRows {
		f.done = f.upto
	}
	return named, err
}

// fill records what the things name now, and how far f has come.
func (g group) fill(f filling, named []int64) (more bool, err error) {
	for _, key := range named {
		var app string
		var stems []string
		_, err := g.Row(func(r *sqlite3.Stmt) { _, app, stems = readThing(r) }, things[f.kind].one, key)
		if err == nil {
			err = g.NameUploads(app, f.kind, key, stems)
		}
		if err != nil {
			return false, err
		}
	}
	if f.done < f.upto {
		return true, g.Exec(`UPDATE backfill SET done = ?2 WHERE kind = ?1`, int(f.kind), f.done)
	}
	if err := g.Exec(`DELETE FROM backfill WHERE kind = ?1`, int(f.kind)); err != nil {
		return false, err
	}
	_, more, err = g.conn().firstFilling()
	return more, err
}
