package copying

import (
	"context"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// reader reads rows by one connection.
type reader struct {
	*engine.Conn

	replaced map[string]int64 // texts that PostgreSQL cannot hold, by table
}

// ofMessage are the rows of a table that are about a message.
const ofMessage = `kind = 1 AND thing_key = messages.message_key`

// exprs are the columns that are not read by their name alone.
var exprs = map[string]string{
	"conversations.deleted": `iif(deleted = 2, 1, deleted)`, // an import that has not ended must begin anew
	"messages.uses":         `(SELECT group_concat(upload_key) FROM (SELECT upload_key FROM upload_uses WHERE ` + ofMessage + ` ORDER BY upload_key))`,
	"messages.unknown":      `(SELECT fields FROM unknown_fields WHERE ` + ofMessage + `)`,
	"changes.seq":           `coalesce((SELECT m.seq FROM messages m WHERE m.message_key = changes.message_key), 0)`,
	"erasures.conv_id":      `iif(length(conv_id) = 16, conv_id, zeroblob(16))`,
}

// selectFrom begins a query of a table; a condition must follow.
func selectFrom(t *copying.Table) string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if list[i] = exprs[t.Name+"."+c.Name]; list[i] == "" {
			list[i] = c.Name
		}
	}
	where := ``
	if t.Name == "upload_uses" || t.Name == "unknown_fields" {
		where = `kind <> 1 AND `
	}
	return `SELECT ` + strings.Join(list, `, `) + ` FROM ` + t.Name + ` WHERE ` + where
}

func places(n int) string { return `(` + strings.TrimSuffix(strings.Repeat(`?, `, n), `, `) + `)` }

// Page implements copying.Reader.
func (r *reader) Page(_ context.Context, t *copying.Table, after, upto copying.Row, limit int) (page []copying.Row, err error) {
	keys := strings.Join(t.KeyColumns(), `, `)
	sql, args := selectFrom(t)+`1`, []any(nil)
	if after != nil {
		sql, args = sql+` AND (`+keys+`) > `+places(t.Keys), append(args, after...)
	}
	if upto != nil {
		sql, args, limit = sql+` AND (`+keys+`) <= `+places(t.Keys), append(args, upto...), -1
	}
	err = r.Ask(func(s *sqlite3.Stmt) { page = append(page, r.row(t, s)) }, sql+` ORDER BY `+keys+` LIMIT ?`, append(args, limit))
	return page, err
}

// Rows implements copying.Reader.
func (r *reader) Rows(_ context.Context, t *copying.Table, keys []copying.Row) (found []copying.Row, err error) {
	sql := selectFrom(t) + `(` + strings.Join(t.KeyColumns(), `, `) + `) = ` + places(t.Keys)
	for _, key := range keys {
		if _, err := r.Row(func(s *sqlite3.Stmt) { found = append(found, r.row(t, s)) }, sql, key...); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (r *reader) row(t *copying.Table, s *sqlite3.Stmt) copying.Row {
	row := make(copying.Row, len(t.Columns))
	for i, c := range t.Columns {
		switch {
		case s.ColumnType(i) == sqlite3.NULL:
		case c.Kind == copying.Text:
			text := s.ColumnText(i)
			clean := strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
			if row[i] = clean; clean != text && r.replaced != nil {
				r.replaced[t.Name]++
			}
		case c.Kind == copying.Bytes || c.Kind == copying.ID:
			row[i] = engine.Bytes(s, i)
		default:
			row[i] = s.ColumnInt64(i)
		}
	}
	return row
}

// inTx runs do in one transaction.
func inTx(c *engine.Conn, begin string, do func() error) (err error) {
	if err := c.DB.Exec(begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w", err)
			_ = c.DB.Exec(`ROLLBACK`) // fails where SQLite has rolled back itself
		}
	}()
	if err := do(); err != nil {
		return err
	}
	return c.DB.Exec(`COMMIT`)
}
