package copying

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/rows"
)

// Target is a database that is filled. Owned by one goroutine.
type Target struct {
	reader

	conn *link
	from string
	salt []byte
}

var _ copying.Target = (*Target)(nil)

// OpenTarget connects to a database and creates the tables in an empty one. from names the source for people.
func OpenTarget(ctx context.Context, url, from string) (*Target, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	t := &Target{reader: reader{conn}, conn: conn, from: from}
	for _, table := range copying.Tables {
		if _, err := conn.Exec(ctx, staging(table)); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// Close closes the connection.
func (t *Target) Close() error { return t.conn.Close() }

// staging creates the tables through which the rows of a table and its keys come: COPY is the
// cheapest way in.
func staging(t *copying.Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name + ` ` + map[copying.Kind]string{copying.Text: `text COLLATE "C"`, copying.Bytes: `bytea`, copying.ID: `bytea`, copying.Int: `bigint`, copying.Bool: `bigint`}[c.Kind]
	}
	return `CREATE TEMP TABLE put_` + t.Name + ` (` + strings.Join(columns, `, `) + `) ON COMMIT DELETE ROWS;
		CREATE TEMP TABLE key_` + t.Name + ` (` + strings.Join(columns[:t.Keys], `, `) + `) ON COMMIT DELETE ROWS`
}

// Begin implements copying.Target.
func (t *Target) Begin(ctx context.Context, id string, salt []byte) (state copying.State, err error) {
	t.salt = salt
	err = pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		known, err := engine.Migrating(ctx, tx)
		switch {
		case err != nil:
			return err
		case known.ID == "":
			return t.prepare(ctx, tx, id)
		case known.ID != id || known.State == "":
			return errors.New("the database is part of another migration: give another database, or skein migrate --cancel there")
		}
		return json.Unmarshal([]byte(known.State), &state)
	})
	return state, err
}

// prepare turns the triggers off until Finish: what they keep is copied.
func (t *Target) prepare(ctx context.Context, tx pgx.Tx, id string) error {
	var full, served bool
	var have []byte
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM apps) OR EXISTS (SELECT 1 FROM operators), salt, EXISTS (SELECT 1 FROM nodes WHERE until > clock(NULL) AND NOT gone) FROM history`).Scan(&full, &have, &served); err != nil {
		return err
	}
	switch {
	case string(have) == string(t.salt):
		return copying.ErrFinished
	case full:
		return errors.New("the database holds apps or operators already: give an empty one")
	case served:
		return errors.New("a server runs on the database: stop it first")
	}
	for _, table := range copying.Tables {
		if _, err := tx.Exec(ctx, `ALTER TABLE `+table.Name+` DISABLE TRIGGER USER`); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `CREATE TABLE moving (one boolean PRIMARY KEY DEFAULT true CHECK (one), id text NOT NULL, other text NOT NULL, sealed boolean NOT NULL DEFAULT false, state text)`)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO moving (id, other, state) VALUES ($1, $2, '{}')`, id, t.from)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE history SET salt = $1, retry_table = 0, retry_since = $2`, t.salt, time.Now().UnixMilli())
	}
	return err
}

// Write implements copying.Target.
func (t *Target) Write(ctx context.Context, s copying.State, puts []copying.Put) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		for _, p := range puts {
			if err := t.put(ctx, tx, p); err != nil {
				return fmt.Errorf("write %s: %w", p.Table.Name, err)
			}
		}
		_, err := tx.Exec(ctx, `UPDATE moving SET state = $1`, string(raw))
		return err
	})
}

func (t *Target) put(ctx context.Context, tx pgx.Tx, p copying.Put) error {
	name := p.Table.Name
	if err := fill(ctx, tx, `key_`+name, p.Table.Columns[:p.Table.Keys], p.Keys); err != nil {
		return err
	}
	if err := fill(ctx, tx, `put_`+name, p.Table.Columns, p.Rows); err != nil {
		return err
	}
	for _, sql := range puts[name] {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if name == "messages" {
		return t.remember(ctx, tx, p)
	}
	return nil
}

func fill(ctx context.Context, tx pgx.Tx, table string, columns []copying.Column, list []copying.Row) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) { return list[i], nil }))
	return err
}

// puts are the statements that replace the rows of a table by those that came, by table.
var puts = func() map[string][]string {
	all := map[string][]string{}
	for _, t := range copying.Tables {
		all[t.Name] = replace(t)
	}
	all["messages"] = append([]string{
		`DELETE FROM upload_uses u USING key_messages k WHERE u.kind = 1 AND u.thing_key = k.conv_key AND u.seq = k.seq`,
		`DELETE FROM unknown_fields u USING key_messages k WHERE u.kind = 1 AND u.thing_key = k.conv_key AND u.place = k.seq`,
	}, append(all["messages"],
		`INSERT INTO upload_uses (upload_key, kind, thing_key, seq) SELECT u::bigint, 1, conv_key, seq FROM put_messages, unnest(string_to_array(uses, ',')) u`,
		`INSERT INTO unknown_fields (kind, thing_key, place, fields) SELECT 1, conv_key, seq, unknown FROM put_messages WHERE unknown IS NOT NULL`)...)
	// The feed tells old messages by this table, since they are in no row of batches.
	all["conversations"] = append(all["conversations"],
		`DELETE FROM fed f USING key_conversations k WHERE f.conv_key = k.conv_key`,
		`INSERT INTO fed (conv_key, seq) SELECT conv_key, last_seq FROM put_conversations WHERE last_seq > 0`)
	return all
}()

// casts turn what came into a value of the column.
var casts = map[copying.Kind]string{
	copying.Int: `p.%s`, copying.Text: `p.%s`, copying.Bytes: `p.%s`, copying.ID: `encode(p.%s, 'hex')::uuid`, copying.Bool: `p.%s <> 0`,
}

func cast(c copying.Column) string { return fmt.Sprintf(casts[c.Kind], c.Name) }

// replace are the statements that remove the rows of some keys and store those that came.
func replace(t *copying.Table) (all []string) {
	equal := func(columns []string, value func(copying.Column) string) string {
		list := make([]string, len(columns))
		for i, name := range columns {
			list[i] = `t.` + name + ` = ` + value(t.Columns[t.At(name)])
		}
		return strings.Join(list, ` AND `)
	}
	all = append(all, `DELETE FROM `+t.Name+` t USING key_`+t.Name+` p WHERE `+equal(t.KeyColumns(), cast))
	for _, unique := range t.Unique { // a row with these was removed from the source, and its note will come
		all = append(all, `DELETE FROM `+t.Name+` t USING put_`+t.Name+` p WHERE `+equal(unique, cast))
	}
	var names, values []string
	for _, c := range t.Columns {
		if t.Name != "messages" || c.Name != "uses" && c.Name != "unknown" {
			names, values = append(names, c.Name), append(values, cast(c))
		}
	}
	if t.Name == "conversations" || t.Name == "members" { // before every cursor
		names, values = append(names, `moved`), append(values, `1`)
	}
	return append(all, `INSERT INTO `+t.Name+` (`+strings.Join(names, `, `)+`) OVERRIDING SYSTEM VALUE SELECT `+strings.Join(values, `, `)+` FROM put_`+t.Name+` p`)
}

// remember lets retries find messages.
func (t *Target) remember(ctx context.Context, tx pgx.Tx, p copying.Put) error {
	var convs, tags, seqs []int64
	now := time.Now().UnixMilli()
	for _, row := range p.Rows {
		if sender, id, ok := p.Table.Retry(row, now); ok {
			convs, seqs = append(convs, row[0].(int64)), append(seqs, row[1].(int64)) //nolint:forcetypeassert // keys of messages
			tags = append(tags, int64(rows.LongRetryTag(t.salt, sender, id)>>1))
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO retries_0 (conv_key, tag, seq) SELECT c, g, q FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(c, g, q) ON CONFLICT DO NOTHING`, convs, tags, seqs)
	return err
}

// Analyze implements copying.Target.
func (t *Target) Analyze(ctx context.Context) error {
	_, err := t.conn.Exec(ctx, `ANALYZE`)
	return err
}

// Finish implements copying.Target.
func (t *Target) Finish(ctx context.Context, given copying.Numbers) error {
	return pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		for _, table := range copying.Tables {
			if _, err := tx.Exec(ctx, `ALTER TABLE `+table.Name+` ENABLE TRIGGER USER`); err != nil {
				return err
			}
		}
		for _, name := range copying.Keyed {
			key := keyOf(name)
			if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), greatest($1::bigint, (SELECT max(%[2]s) FROM %[1]s), 1))`, name, key), given.Keys[name]); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE history SET epoch = $1, generation_base = $2`, 1+rand.Int64N(1<<53), max(given.Stamp, time.Now().UnixMicro())+int64(time.Minute/time.Microsecond)); err != nil { //nolint:gosec // it need not be secret
			return err
		}
		// The feed begins anew here: what the source committed, its server has delivered or lost.
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET place = (SELECT batches_forgotten || '.0.' || events_forgotten || '.0' FROM history)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DROP TABLE moving`)
		return err
	})
}
