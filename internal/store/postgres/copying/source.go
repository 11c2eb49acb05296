package copying

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// Source is a database that is copied. Triggers note the keys of what is written, so nothing depends on who writes.
// Owned by one goroutine.
type Source struct {
	conn    *link
	to      string
	cutOver bool
}

var _ copying.Source = (*Source)(nil)

// OpenSource connects to a database. to names the target for people. Without cutOver it is never free.
func OpenSource(ctx context.Context, url, to string, cutOver bool) (*Source, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Source{conn, to, cutOver}, nil
}

// Close closes the connection.
func (s *Source) Close() error { return s.conn.Close() }

// Follow implements copying.Source. The row of moving comes last: then all triggers are there. A trigger waits for
// the transactions that write to its table, so none that it missed is open afterwards.
func (s *Source) Follow(ctx context.Context) (id string, err error) {
	known, err := engine.Migrating(ctx, s.conn)
	if err != nil || known.ID != "" {
		return known.ID, err
	}
	for _, sql := range append([]string{followTables}, triggers()...) {
		if _, err := s.conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	id = rand.Text()
	_, err = s.conn.Exec(ctx, `INSERT INTO moving (id, other) VALUES ($1, $2)`, id, s.to)
	return id, err
}

const followTables = `
CREATE TABLE IF NOT EXISTS moving (one boolean PRIMARY KEY DEFAULT true CHECK (one), id text NOT NULL, other text NOT NULL, sealed boolean NOT NULL DEFAULT false, state text);
CREATE TABLE IF NOT EXISTS moving_notes (n bigint GENERATED ALWAYS AS IDENTITY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(), tbl text NOT NULL, key text NOT NULL, PRIMARY KEY (xid, n));`

// triggers are, of each table, a function that notes the keys of a row, and the trigger that calls it.
func triggers() (all []string) {
	for _, t := range copying.Tables {
		all = append(all, fmt.Sprintf(`CREATE OR REPLACE FUNCTION moving_%[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF TG_OP <> 'INSERT' THEN %[2]s END IF;
			IF TG_OP <> 'DELETE' THEN %[3]s END IF;
			RETURN NULL; END $$`, t.Name, note(t, `old`), note(t, `new`)),
			fmt.Sprintf(`CREATE OR REPLACE TRIGGER moving_%[1]s AFTER INSERT OR UPDATE OR DELETE ON %[1]s FOR EACH ROW EXECUTE FUNCTION moving_%[1]s()`, t.Name))
	}
	return all
}

// note stores the keys of a row.
func note(t *copying.Table, row string) string {
	list := make([]string, t.Keys)
	for i, k := range t.KeyColumns() {
		list[i] = row + `.` + k
	}
	own := `INSERT INTO moving_notes (tbl, key) VALUES ('` + t.Name + `', json_build_array(` + strings.Join(list, `, `) + `)::text);`
	place := map[string]string{"upload_uses": `seq`, "unknown_fields": `place`}[t.Name]
	if place == "" {
		return own
	}
	return `IF ` + row + `.kind = 1 THEN INSERT INTO moving_notes (tbl, key) VALUES ('messages', json_build_array(` + row + `.thing_key, ` + row + `.` + place + `)::text);
		ELSE ` + own + ` END IF;`
}

// View implements copying.Source.
func (s *Source) View(ctx context.Context, do func(copying.View) error) error {
	return pgx.BeginTxFunc(ctx, s.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		return do(view{reader{t}})
	})
}

type view struct{ reader }

// Notes implements copying.View. Notes of a transaction may become visible after those of a later one;
// below the snapshot's xmin all are over.
func (v view) Notes(ctx context.Context, after string, limit int, all bool) (notes []copying.Note, next string, err error) {
	xid, n, err := parsePlace(after)
	if err != nil {
		return nil, "", err
	}
	below := ` AND xid < pg_snapshot_xmin(pg_current_snapshot())`
	if all {
		below = ``
	}
	found, err := v.db.Query(ctx, `SELECT xid::text, n, tbl, key FROM moving_notes WHERE (xid, n) > ($1::text::xid8, $2::bigint)`+below+` ORDER BY xid, n LIMIT $3`, xid, n, limit)
	if err != nil {
		return nil, "", err
	}
	var table, key string
	_, err = pgx.ForEachRow(found, []any{&xid, &n, &table, &key}, func() error {
		note, err := copying.ParseNote(table, key)
		notes = append(notes, note)
		return err
	})
	return notes, fmt.Sprintf("%s/%d", xid, n), err
}

func parsePlace(place string) (xid string, n int64, err error) {
	if place == "" {
		return "0", 0, nil
	}
	xid, number, _ := strings.Cut(place, "/")
	if n, err = strconv.ParseInt(number, 10, 64); err != nil {
		return "", 0, fmt.Errorf("place %q: %w", place, err)
	}
	return xid, n, nil
}

// Forget implements copying.Source.
func (s *Source) Forget(ctx context.Context, upto string) error {
	xid, n, err := parsePlace(upto)
	if err == nil {
		_, err = s.conn.Exec(ctx, `DELETE FROM moving_notes WHERE (xid, n) <= ($1::text::xid8, $2::bigint)`, xid, n)
	}
	return err
}

// Secret implements copying.Source.
func (s *Source) Secret(ctx context.Context) (salt []byte, err error) {
	return salt, s.conn.QueryRow(ctx, `SELECT salt FROM history`).Scan(&salt)
}

// Free implements copying.Source: no node has a lease.
func (s *Source) Free(ctx context.Context) (free bool, err error) {
	if !s.cutOver {
		return false, nil
	}
	return free, s.conn.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM nodes WHERE until > clock(NULL) AND NOT gone)`).Scan(&free)
}

// Seal implements copying.Source. It waits for the transactions that write, and later ones fail.
func (s *Source) Seal(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.conn, func(t pgx.Tx) error {
		known, err := engine.Migrating(ctx, t)
		if err != nil || known.Sealed {
			return err
		}
		names := make([]string, len(copying.Tables))
		for i, table := range copying.Tables {
			names[i] = table.Name
		}
		if _, err := t.Exec(ctx, `LOCK TABLE `+strings.Join(names, `, `)+` IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := t.Exec(ctx, `CREATE OR REPLACE FUNCTION moving_`+name+`() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the store has moved'; END $$`); err != nil {
				return err
			}
		}
		_, err = t.Exec(ctx, `UPDATE moving SET sealed = true`)
		return err
	})
}

// keyOf is the first column of each of copying.Keyed.
func keyOf(table string) string {
	if table == "conversations" {
		return "conv_key"
	}
	return table[:len(table)-1] + "_key"
}

// Numbers implements copying.Source.
func (s *Source) Numbers(ctx context.Context) (given copying.Numbers, err error) {
	given.Keys = map[string]int64{}
	for _, name := range copying.Keyed {
		var sequence string
		if err := s.conn.QueryRow(ctx, `SELECT pg_get_serial_sequence($1, $2)`, name, keyOf(name)).Scan(&sequence); err != nil {
			return given, err
		}
		var last int64
		if err := s.conn.QueryRow(ctx, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM `+sequence).Scan(&last); err != nil {
			return given, err
		}
		given.Keys[name] = last
	}
	return given, s.conn.QueryRow(ctx, `SELECT generation_base + stamp() FROM history`).Scan(&given.Stamp)
}

// Cancel ends a migration of a database: the database is what it was before.
func Cancel(ctx context.Context, url string) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost with it
	for _, t := range copying.Tables {
		if _, err := conn.Exec(ctx, fmt.Sprintf(`DROP TRIGGER IF EXISTS moving_%[1]s ON %[1]s; DROP FUNCTION IF EXISTS moving_%[1]s()`, t.Name)); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, `DROP TABLE IF EXISTS moving, moving_notes`)
	return err
}
