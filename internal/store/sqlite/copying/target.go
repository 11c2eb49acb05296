package copying

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/store/copying"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/schema"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// Target is a file that is filled, under another name. Owned by one goroutine.
type Target struct {
	reader

	path string
	salt []byte
}

var _ copying.Target = (*Target)(nil)

// fillSuffix is the end of the name of a file that is being filled.
const fillSuffix = ".moving"

// OpenTarget opens the file that becomes the one at path.
func OpenTarget(ctx context.Context, opt schema.Options) (*Target, error) {
	path := opt.Path
	opt.Path += fillSuffix
	if _, err := os.Stat(path); err == nil {
		return openFinished(path)
	}
	if _, err := os.Stat(opt.Path); err != nil {
		if err := schema.Bring(ctx, opt); err != nil {
			return nil, err
		}
	}
	c, err := engine.OpenConn(opt.Path, sqlite3.OPEN_READWRITE, engine.Settings+`PRAGMA cache_size = -65536;`)
	if err != nil {
		return nil, err
	}
	if err := schema.MustBeNewest(c, opt.Path); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &Target{reader: reader{c, nil}, path: path}, nil
}

// openFinished opens a store that is there. Begin finds out whether this migration made it.
func openFinished(path string) (*Target, error) {
	c, err := engine.OpenConn(path, sqlite3.OPEN_READONLY, engine.ReaderSettings)
	if err != nil {
		return nil, err
	}
	return &Target{reader: reader{c, nil}}, nil
}

// Close closes the file.
func (t *Target) Close() error {
	if t.Conn == nil {
		return nil
	}
	return t.Conn.Close()
}

// Begin implements copying.Target.
func (t *Target) Begin(_ context.Context, id string, salt []byte) (state copying.State, err error) {
	if t.salt = salt; t.path == "" {
		var have []byte
		if _, err := t.Row(func(r *sqlite3.Stmt) { have = engine.Bytes(r, 0) }, `SELECT salt FROM history`); err != nil {
			return state, err
		}
		if string(have) == string(salt) {
			return state, copying.ErrFinished
		}
		return state, errors.New("there is a store in it already: give an empty directory")
	}
	err = inTx(t.Conn, `BEGIN IMMEDIATE`, func() error {
		known, err := t.Count(`SELECT count(*) FROM sqlite_schema WHERE name = 'moving'`)
		if err != nil {
			return err
		}
		if known == 0 {
			return t.prepare(id)
		}
		var have, text string
		if _, err := t.Row(func(r *sqlite3.Stmt) { have, text = r.ColumnText(0), r.ColumnText(1) }, `SELECT id, state FROM moving`); err != nil {
			return err
		}
		if have != id {
			return fmt.Errorf("%s is of another migration: remove it", t.path+fillSuffix)
		}
		return json.Unmarshal([]byte(text), &state)
	})
	return state, err
}

// prepare takes the triggers away until Finish: what they keep is copied.
func (t *Target) prepare(id string) error {
	if err := t.DB.Exec(`CREATE TABLE moving (id TEXT NOT NULL, state TEXT NOT NULL) STRICT;
		CREATE TABLE moving_triggers (sql TEXT NOT NULL) STRICT;
		INSERT INTO moving_triggers SELECT sql FROM sqlite_schema WHERE type = 'trigger';`); err != nil {
		return err
	}
	if err := dropTriggers(t.Conn, `%`); err != nil {
		return err
	}
	return errors.Join(t.Exec(`INSERT INTO moving (id, state) VALUES (?1, '{}')`, id),
		t.Exec(`UPDATE history SET salt = ?1, retry_table = 0, retry_since = ?2`, t.salt, time.Now().UnixMilli()))
}

// Write implements copying.Target.
func (t *Target) Write(_ context.Context, s copying.State, puts []copying.Put) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return inTx(t.Conn, `BEGIN IMMEDIATE`, func() error {
		for _, p := range puts {
			if err := t.put(p); err != nil {
				return fmt.Errorf("write %s: %w", p.Table.Name, err)
			}
		}
		return t.Exec(`UPDATE moving SET state = ?1`, string(raw))
	})
}

func (t *Target) put(p copying.Put) error {
	where := ` WHERE (` + strings.Join(p.Table.KeyColumns(), `, `) + `) = ` + places(p.Table.Keys)
	there := map[string]bool{}
	for _, row := range p.Rows {
		there[fmt.Sprint(p.Table.Key(row)...)] = true
	}
	for _, key := range p.Keys {
		if there[fmt.Sprint(key...)] {
			continue // it is replaced
		}
		if p.Table.Name == "messages" {
			if err := t.letGo(key); err != nil {
				return err
			}
		}
		if err := t.Exec(`DELETE FROM `+p.Table.Name+where, key...); err != nil {
			return err
		}
	}
	for _, row := range p.Rows {
		if err := t.putRow(p.Table, row); err != nil {
			return err
		}
	}
	return nil
}

// letGo removes what is in other tables about a message and copied with it.
func (t *Target) letGo(key copying.Row) error {
	for _, table := range []string{"upload_uses", "unknown_fields"} {
		if err := t.Exec(`DELETE FROM `+table+` WHERE kind = 1 AND thing_key = (SELECT message_key FROM messages WHERE conv_key = ?1 AND seq = ?2)`, key...); err != nil {
			return err
		}
	}
	return nil
}

// values are SQL for the columns that are not written as they are.
var values = map[string]string{
	"changes.seq":       `coalesce((SELECT message_key FROM messages WHERE conv_key = ?1 AND seq = ?4), 0)`,
	"erasures.conv_id":  `iif(?4 = zeroblob(16), x'', ?4)`,
	"messages.uses":     ``,
	"messages.unknown":  ``,
	"conversations.add": `moved`,
	"members.add":       `moved`,
}

// insertInto is the statement that stores a row, with what it replaces.
func insertInto(t *copying.Table) string {
	var names, places []string
	for i, c := range t.Columns {
		place, special := values[t.Name+"."+c.Name]
		switch {
		case !special:
			names, places = append(names, c.Name), append(places, fmt.Sprintf("?%d", i+1))
		case c.Name == "seq":
			names, places = append(names, "message_key"), append(places, place)
		case place != "":
			names, places = append(names, c.Name), append(places, place)
		}
	}
	if values[t.Name+".add"] != "" { // before every cursor
		names, places = append(names, "moved"), append(places, "1")
	}
	into := t.Name + ` (` + strings.Join(names, `, `) + `) VALUES (` + strings.Join(places, `, `) + `)`
	if t.Name != "messages" {
		return `INSERT OR REPLACE INTO ` + into
	}
	// The key is in the order of seq and stays what it was.
	into = strings.Replace(strings.Replace(into, `messages (`, `messages (message_key, `, 1), `VALUES (`, `VALUES ((SELECT coalesce(max(message_key), 0) + 1 FROM messages), `, 1)
	sets := make([]string, len(names))
	for i, n := range names {
		sets[i] = n + ` = excluded.` + n
	}
	return `INSERT INTO ` + into + ` ON CONFLICT (conv_key, seq) DO UPDATE SET ` + strings.Join(sets, `, `)
}

func (t *Target) putRow(table *copying.Table, row copying.Row) error {
	if table.Name != "messages" {
		return t.Exec(insertInto(table), row...)
	}
	key := table.Key(row)
	last := len(row) - 2 // uses and unknown
	if err := errors.Join(t.letGo(key), t.Exec(`DELETE FROM messages WHERE id = ?3 AND (conv_key, seq) <> (?1, ?2)`, row[:3]...), t.Exec(insertInto(table), row[:last]...)); err != nil {
		return err
	}
	var message int64
	if _, err := t.Row(func(r *sqlite3.Stmt) { message = r.ColumnInt64(0) }, `SELECT message_key FROM messages WHERE conv_key = ?1 AND seq = ?2`, key...); err != nil {
		return err
	}
	if uses, ok := row[last].(string); ok {
		if err := t.Exec(`INSERT INTO upload_uses (upload_key, kind, thing_key) SELECT value, 1, ?2 FROM json_each('[' || ?1 || ']')`, uses, message); err != nil {
			return err
		}
	}
	if row[last+1] != nil {
		if err := t.Exec(`INSERT INTO unknown_fields (kind, thing_key, place, fields) VALUES (1, ?1, 0, ?2)`, message, row[last+1]); err != nil {
			return err
		}
	}
	if sender, id, ok := table.Retry(row, time.Now().UnixMilli()); ok {
		return t.remember(key[0].(int64), rows.RetryTag(t.salt, sender, id), message) //nolint:forcetypeassert // a key of messages
	}
	return nil
}

// remember lets a retry find a message; see tx.RetryNumber.
func (t *Target) remember(conv int64, tag uint32, message int64) error {
	for number := tx.RetryNumber(conv, tag); ; number = tx.NextRetry(number) {
		if err := t.Exec(`INSERT OR IGNORE INTO retries_0 (number, message_key) VALUES (?1, ?2)`, number, message); err != nil {
			return err
		}
		var holder int64
		if _, err := t.Row(func(r *sqlite3.Stmt) { holder = r.ColumnInt64(0) }, `SELECT message_key FROM retries_0 WHERE number = ?1`, number); err != nil || holder == message {
			return err
		}
	}
}

// Analyze implements copying.Target: the engine's plans do not depend on it.
func (t *Target) Analyze(context.Context) error { return nil }

// Finish implements copying.Target.
func (t *Target) Finish(_ context.Context, given copying.Numbers) error {
	err := inTx(t.Conn, `BEGIN IMMEDIATE`, func() error {
		var triggers []string
		err := t.Conn.Rows(func(r *sqlite3.Stmt) { triggers = append(triggers, r.ColumnText(0)) }, `SELECT sql FROM moving_triggers`)
		for _, sql := range triggers {
			err = errors.Join(err, t.DB.Exec(sql))
		}
		for name, key := range given.Keys {
			err = errors.Join(err, t.Exec(`UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq < ?2`, name, key),
				t.Exec(`INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE ?1 IN ('apps', 'clients', 'conversations', 'members')
					AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)`, name, key))
		}
		return errors.Join(err, t.Exec(schema.NewEpoch),
			// The feed begins anew here: what the source committed, its server has delivered or lost.
			t.Exec(`UPDATE webhooks SET place = (SELECT max(message_key, coalesce((SELECT max(message_key) FROM messages), 0)) FROM history) || '.' || (SELECT coalesce(max(event_key), 0) FROM events)`),
			t.Exec(`UPDATE history SET ceiling = max(ceiling, ?1)`, max(given.Stamp, time.Now().UnixMicro())+int64(time.Second/time.Microsecond)),
			t.DB.Exec(`DROP TABLE moving; DROP TABLE moving_triggers`))
	})
	if err != nil {
		return err
	}
	from := t.path + fillSuffix
	if err := t.Conn.Close(); err != nil { // which moves the log into the file
		return err
	}
	t.Conn = nil
	if _, err := os.Stat(from + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("the file did not close properly: a part of it is still in its write-ahead log")
	}
	if err := os.Rename(from, t.path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(t.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
