// Package copying fills a database in a migration, and reads the rows of one while nodes write
// to it. The order of the steps is that of store/copying.
package copying

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/postgres/engine"
)

// reader reads rows by one connection, or in one transaction of it.
type reader struct{ db querier }

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// exprs are the columns that are not read by their name alone.
var exprs = map[string]string{
	"conversations.deleted": `CASE t.deleted WHEN 2 THEN 1 ELSE t.deleted END::bigint`, // an import that has not ended must begin anew
	"messages.uses": `(SELECT string_agg(u.upload_key::text, ',' ORDER BY u.upload_key) FROM upload_uses u
		WHERE u.kind = 1 AND u.thing_key = t.conv_key AND u.seq = t.seq)`,
	"messages.unknown": `(SELECT u.fields FROM unknown_fields u WHERE u.kind = 1 AND u.thing_key = t.conv_key AND u.place = t.seq)`,
}

// kinds read a column of a kind.
var kinds = map[copying.Kind]string{
	copying.Int: `t.%s::bigint`, copying.Text: `t.%s`, copying.Bytes: `t.%s`, copying.ID: `uuid_send(t.%s)`, copying.Bool: `t.%s::int::bigint`,
}

func selectFrom(t *copying.Table) string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if list[i] = exprs[t.Name+"."+c.Name]; list[i] == "" {
			list[i] = fmt.Sprintf(kinds[c.Kind], c.Name)
		}
	}
	return `SELECT ` + strings.Join(list, `, `) + ` FROM ` + t.Name + ` t`
}

// others is the condition of rows that are not read with a message.
func others(t *copying.Table) string {
	if t.Name == "upload_uses" || t.Name == "unknown_fields" {
		return `t.kind <> 1`
	}
	return `true`
}

// keys are the names of the keys in a row value.
func keys(t *copying.Table) string { return `t.` + strings.Join(t.KeyColumns(), `, t.`) }

// numbered is n parameters from $from.
func numbered(from, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(list, `, `)
}

// Page implements copying.Reader.
func (r reader) Page(ctx context.Context, t *copying.Table, after, upto copying.Row, limit int) ([]copying.Row, error) {
	sql, args := selectFrom(t)+` WHERE `+others(t), []any(nil)
	if after != nil {
		sql, args = sql+` AND (`+keys(t)+`) > (`+numbered(1, t.Keys)+`)`, append(args, after...)
	}
	if upto != nil {
		sql, args = sql+` AND (`+keys(t)+`) <= (`+numbered(len(args)+1, t.Keys)+`)`, append(args, upto...)
	}
	sql += ` ORDER BY ` + keys(t)
	if upto == nil {
		sql += fmt.Sprintf(` LIMIT %d`, limit)
	}
	return r.collect(ctx, sql, args...)
}

// Rows implements copying.Reader.
func (r reader) Rows(ctx context.Context, t *copying.Table, list []copying.Row) ([]copying.Row, error) {
	lists := columnsOf(list, t.Columns[:t.Keys])
	on := make([]string, t.Keys)
	for i, k := range t.KeyColumns() {
		on[i] = fmt.Sprintf(`t.%s = k.k%d`, k, i)
	}
	return r.collect(ctx, selectFrom(t)+` JOIN `+unnest(t.Columns[:t.Keys])+` ON `+strings.Join(on, ` AND `)+` WHERE `+others(t), lists...)
}

// unnest is a table k of columns k0, k1 … with the parameters from $1.
func unnest(columns []copying.Column) string {
	var from, as []string
	for i, c := range columns {
		kind := `bigint[]`
		if c.Kind == copying.Text {
			kind = `text[]`
		}
		from, as = append(from, fmt.Sprintf(`$%d::%s`, i+1, kind)), append(as, fmt.Sprintf(`k%d`, i))
	}
	return `unnest(` + strings.Join(from, `, `) + `) AS k(` + strings.Join(as, `, `) + `)`
}

// columnsOf turns keys into a list a column.
func columnsOf(list []copying.Row, columns []copying.Column) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		if c.Kind == copying.Text {
			texts := make([]string, len(list))
			for j, row := range list {
				texts[j], _ = row[i].(string)
			}
			out[i] = texts
			continue
		}
		numbers := make([]int64, len(list))
		for j, row := range list {
			numbers[j], _ = row[i].(int64)
		}
		out[i] = numbers
	}
	return out
}

func (r reader) collect(ctx context.Context, sql string, args ...any) ([]copying.Row, error) {
	found, err := r.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (copying.Row, error) {
		values, err := row.Values()
		return values, err
	})
}

// link is one connection to a database whose schema is this binary's.
type link struct {
	*pgx.Conn

	engine *engine.Engine // found the host that takes writes
}

func connect(ctx context.Context, url string) (*link, error) {
	e, err := engine.Open(ctx, engine.Options{URL: url, Name: name, Conns: 1, Moving: true})
	if err != nil {
		return nil, err
	}
	config := e.Config()
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	// All look-ups are by keys. A plan for few rows would read whole tables.
	config.RuntimeParams["enable_seqscan"], config.RuntimeParams["enable_hashjoin"], config.RuntimeParams["enable_mergejoin"] = "off", "off", "off"
	conn, err := e.Connect(ctx, config)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return &link{conn, e}, nil
}

// Close closes the connection.
func (l *link) Close() error {
	return errors.Join(l.Conn.Close(context.Background()), l.engine.Close())
}

// name is the application_name of a migration.
const name = "skein migrate"
