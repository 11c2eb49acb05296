package copying

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Kind is how the values of a column are passed between engines.
type Kind int8

// The kinds of columns, and what their values are in Go. Any value may be nil.
const (
	Int   Kind = iota // int64
	Text              // string
	Bytes             // []byte
	ID                // []byte of a UUID
	Bool              // int64: 0 or 1
)

// Column is a column that both engines have.
type Column struct {
	Name string
	Kind Kind
}

// Table is a table that both engines have. A migration copies nothing else: sync's stamps, the feed's
// log, leases and sessions belong to one store and begin anew in the other.
type Table struct {
	Name    string
	Columns []Column // the first Keys of them identify a row
	Keys    int
	Unique  [][]string // other columns that identify a row
}

// Row is the values of a table's columns, or of its keys alone.
type Row []any

// Tables are in an order in which each may be copied: a change needs its message. Two tables are
// columns of messages where they are about a message, since the engines name messages differently:
// uses lists the upload_keys of upload_uses, unknown is the fields of unknown_fields.
var Tables = []*Table{
	table("apps", 1, "app_key id:t name:t keys:t token_secret:b settings:t created deleted:y", "id"),
	table("clients", 1, "client_key app_key id:t ext:t created updated banned_until ban_reason:t cut device_cuts:t seen deleted:y add_by rev incarnation", "app_key id"),
	table("conversations", 1, `conv_key app_key id:u type creator:t member_count mute_all:y last_seq last_change speaker spoke
		created updated active period ttl expires deleted roster_rev extend:t`, "app_key id"),
	table("private_pairs", 3, "app_key first_id:t second_id:t conv_key", "conv_key"),
	table("members", 1, `member_key conv_key app_key client_id:t role nickname:t joined join_seq muted_until read_seq received_seq sent_seq
		cleared_seq pinned muted:y archived:y unread_mark:y draft:t adder:t`, "conv_key client_id"),
	table("sanctions", 2, "conv_key client_id:t app_key banned_until muted_until"),
	table("messages", 2, `conv_key seq id:u sender:t client_msg_id:t content_hash:b type status flags created updated reply_to:u mentions:t url:t
		attr:t text:t version changed pinned reactions:t incarnation uses:t unknown:t`, "id"),
	table("mentions", 3, "conv_key client_id:t seq"),
	table("changes", 2, "conv_key change_seq kind seq client_id:t at emoji:t on_off:y"),
	table("reactions", 4, "conv_key seq emoji:t client_id:t place incarnation"),
	table("hidden", 3, "conv_key client_id:t seq"),
	table("erasures", 1, "erasure_key app_key client_id:t conv_id:u seq incarnation"),
	table("uploads", 1, "upload_key app_key name:t client_id:t created size title:t kept due", "name"),
	table("upload_uses", 3, "upload_key kind thing_key"),
	table("removals", 1, "name:t"),
	table("storage", 1, "app_key bytes"),
	table("word_lists", 1, "app_key revision list:t"),
	table("app_usage", 2, "app_key day messages deliveries storage peak minute connections warned"),
	table("key_uses", 2, "app_key name:t at"),
	table("operators", 1, "name:t roles:t tokens:t created"),
	table("audit", 1, "seq at operator:t token:t addr:t request_id:t op:t app_id:t target:t before:t after:t hash:b"),
	table("webhooks", 1, "id:t app_id:t settings:t secrets:t enabled:y reason:t created rev replays failing"),
	table("webhook_failures", 2, "webhook_id:t seq delivery_id:t entries:t attempts first due dead status error:t"),
	table("webhook_attempts", 2, "webhook_id:t seq at delivery_id:t attempt url:t events:t bytes status millis answer:b error:t"),
	table("unknown_fields", 3, "kind thing_key place fields:t"),
}

// OfMessages is the kind of upload_uses and unknown_fields whose rows are columns of messages.
const OfMessages = 1

// table makes a Table of names and kinds: u is ID, y is Bool.
func table(name string, keys int, columns string, unique ...string) *Table {
	t := &Table{Name: name, Keys: keys}
	for c := range strings.FieldsSeq(columns) {
		name, kind, _ := strings.Cut(c, ":")
		t.Columns = append(t.Columns, Column{name, map[string]Kind{"": Int, "t": Text, "b": Bytes, "u": ID, "y": Bool}[kind]})
	}
	for _, u := range unique {
		t.Unique = append(t.Unique, strings.Fields(u))
	}
	return t
}

// named is the table of that name.
func named(name string) (*Table, error) {
	for _, t := range Tables {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no table %q", name)
}

// Key is the keys of a row.
func (t *Table) Key(r Row) Row { return r[:t.Keys:t.Keys] }

// KeyColumns are the names of the keys.
func (t *Table) KeyColumns() (names []string) {
	for _, c := range t.Columns[:t.Keys] {
		names = append(names, c.Name)
	}
	return names
}

// ParseKey reads keys that an engine wrote as a JSON list.
func (t *Table) ParseKey(text []byte) (Row, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var list []any
	if err := d.Decode(&list); err != nil || len(list) != t.Keys {
		return nil, fmt.Errorf("keys of %s: %q: want a list of %d: %w", t.Name, text, t.Keys, err)
	}
	for i, v := range list {
		if n, ok := v.(json.Number); ok {
			number, err := n.Int64()
			if err != nil {
				return nil, fmt.Errorf("keys of %s: %q: %w", t.Name, text, err)
			}
			list[i] = number
		}
	}
	return list, nil
}

// text is keys as a JSON list.
func (r Row) text() string {
	raw, err := json.Marshal([]any(r))
	if err != nil {
		panic(err) // keys are numbers and texts
	}
	return string(raw)
}

// same compares two rows of a table. The seq of a change whose message was purged is zero in the
// embedded engine and remains in the other; nothing reads it.
func (t *Table) same(a, b Row) bool {
	for i, c := range t.Columns {
		if t.Name == "changes" && c.Name == "seq" && (a[i] == int64(0) || b[i] == int64(0)) {
			continue
		}
		left, isBytes := a[i].([]byte)
		if right, ok := b[i].([]byte); isBytes && ok {
			if !bytes.Equal(left, right) {
				return false
			}
			continue
		}
		if isBytes || a[i] != b[i] {
			return false
		}
	}
	return true
}

// ParseNote reads what a trigger noted.
func ParseNote(name, key string) (n Note, err error) {
	if n.Table, err = named(name); err != nil {
		return n, err
	}
	n.Key, err = n.Table.ParseKey([]byte(key))
	return n, err
}

// At is the place of a column; -1: the table has none of that name.
func (t *Table) At(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// Retry is the sender and client_msg_id of a message that a retry must find, at a moment in milliseconds. Ids of messages
// begin with the milliseconds in which they were made.
func (t *Table) Retry(r Row, now int64) (sender, clientMsgID string, ok bool) {
	if t.Name != "messages" || r[t.At("content_hash")] == nil {
		return "", "", false
	}
	sender, _ = r[t.At("sender")].(string)
	clientMsgID, ok = r[t.At("client_msg_id")].(string)
	id, _ := r[t.At("id")].([]byte)
	created, _ := r[t.At("created")].(int64)
	if len(id) == 16 {
		created = max(created, int64(binary.BigEndian.Uint64(id)>>16))
	}
	return sender, clientMsgID, ok && created > now-retryTime
}

// retryTime is store.RetryTime in milliseconds and a day more.
const retryTime = 8 * 24 * 3600 * 1000
