package transfer

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/tx"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/transfer"
)

// Import stores records; see store.Transfer. What the records refer to is read at once at the
// beginning, and what they add is sent in few round trips.
func (s *Store) Import(ctx context.Context, app string, list []any) ([]store.Imported, error) {
	return tx.Result(ctx, s.db, app, func(ctx context.Context, w *tx.Tx) ([]store.Imported, error) {
		key, err := w.KnownApp(ctx, app)
		if err != nil {
			return nil, err
		}
		t := &tables{w: w, salt: s.db.Salt, later: new(pgx.Batch)}
		t.records = records{Conn: w.Conn, ctx: ctx, app: app, key: key}
		if err := t.look(list); err != nil {
			return nil, err
		}
		answers, err := transfer.Run(t, list)
		if err == nil {
			err = t.flush()
		}
		return answers, err
	})
}

// tables is the transaction of a call of Import; it implements transfer.Tables.
type tables struct {
	records

	w       *tx.Tx
	salt    []byte
	retries int        // number of the table that new retries go into
	later   *pgx.Batch // writes that are to be sent before the next read

	convs   map[skein.ID]bool // those of records and that exist
	clients map[string]bool   // those of records, or that records refer to, and that exist; whether they are not deleted
	members map[member]bool   // those that are members
	taken   map[skein.ID]bool
}

// member is a client in a conversation.
type member struct {
	conv   skein.ID
	client string
}

// write sends a write with the next read, or at the end.
func (t *tables) write(sql string, args ...any) { t.later.Queue(sql, args...) }

// flush sends the writes.
func (t *tables) flush() error {
	if t.later.Len() == 0 {
		return nil
	}
	q := t.later
	t.later = new(pgx.Batch)
	return t.SendBatch(t.ctx, q).Close()
}

// added adds a row at once, since others refer to it, and returns its key.
func (t *tables) added(sql string, args []any) (key int64, err error) {
	if err := t.flush(); err != nil {
		return 0, err
	}
	return key, t.QueryRow(t.ctx, sql, args...).Scan(&key)
}

// look locks the conversations of the records, before the first write, and reads which of what
// the records name is there.
func (t *tables) look(list []any) error {
	convs, clients, ids, pairs := named(list)
	rows, err := t.Query(t.ctx, `SELECT conv_key, id FROM conversations WHERE app_key = $1 AND id = ANY($2)`, t.key, convs)
	if err != nil {
		return err
	}
	t.convs = map[skein.ID]bool{}
	var keys []int64
	var key int64
	var id skein.ID
	_, err = pgx.ForEachRow(rows, []any{&key, &id}, func() error {
		keys, t.convs[id] = append(keys, key), true
		return nil
	})
	if err == nil {
		err = t.w.LockConversations(t.ctx, keys...)
	}
	if err == nil {
		err = t.begin()
	}
	if err != nil {
		return err
	}
	t.clients, t.members, t.taken = map[string]bool{}, map[member]bool{}, map[skein.ID]bool{}
	q := new(pgx.Batch)
	q.Queue(`SELECT id, NOT deleted FROM clients WHERE app_key = $1 AND id = ANY($2)`, t.key, clients).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id string
			var living bool
			if err := rows.Scan(&id, &living); err != nil {
				return err
			}
			t.clients[id] = living
		}
		return rows.Err()
	})
	q.Queue(`SELECT id FROM messages WHERE id = ANY($1)`, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var id skein.ID
			if err := rows.Scan(&id); err != nil {
				return err
			}
			t.taken[id] = true
		}
		return rows.Err()
	})
	var memberConvs []skein.ID
	var memberClients []string
	for _, p := range pairs {
		memberConvs, memberClients = append(memberConvs, p.conv), append(memberClients, p.client)
	}
	q.Queue(`SELECT c.id, m.client_id FROM unnest($2::uuid[], $3::text[]) u(id, client_id)
		JOIN conversations c ON c.app_key = $1 AND c.id = u.id JOIN members m ON m.conv_key = c.conv_key AND m.client_id = u.client_id`,
		t.key, memberConvs, memberClients).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var m member
			if err := rows.Scan(&m.conv, &m.client); err != nil {
				return err
			}
			t.members[m] = true
		}
		return rows.Err()
	})
	q.Queue(`SELECT retry_table FROM history`).QueryRow(func(r pgx.Row) error { return r.Scan(&t.retries) })
	return t.SendBatch(t.ctx, q).Close()
}

// named is what records refer to.
func named(list []any) (convs []skein.ID, clients []string, ids []skein.ID, members []member) {
	for _, r := range list {
		switch r := r.(type) {
		case *store.ClientRecord:
			clients = append(clients, r.ID)
		case *store.ConversationRecord:
			convs = append(convs, r.ID)
		case *store.MemberRecord:
			convs, clients, members = append(convs, r.Conv), append(clients, r.Client), append(members, member{r.Conv, r.Client})
		case *store.MessageRecord:
			convs, clients, ids = append(convs, r.Conv), append(clients, r.Sender), append(ids, r.ID)
		case *store.ChangeRecord:
			convs = append(convs, r.Conv)
		case *store.End:
			convs = append(convs, r.Conv)
		}
	}
	return convs, clients, ids, members
}

func (t *tables) Now() skein.Millis { return t.records.Now }

// keepUnknown stores the fields of a record that this version does not know.
func (t *tables) keepUnknown(kind int, thing, place int64, fields []byte) {
	if len(fields) > 0 {
		t.write(`INSERT INTO unknown_fields (kind, thing_key, place, fields) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, thing_key, place) DO UPDATE SET fields = excluded.fields`, kind, thing, place, fields)
	}
}

// nameUploads records that a new thing names files.
func (t *tables) nameUploads(thing tx.Thing, stems []string) {
	if len(stems) > 0 {
		t.write(tx.NameUploads, t.key, thing.Kind, thing.Key, thing.Seq, stems)
	}
}

func (t *tables) AppUnknown() (fields []byte, err error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return fields, t.QueryRow(t.ctx, `SELECT `+unknownOf+`$1 AND thing_key = $2)`, transfer.UnknownApp, t.key).Scan(&fields)
}

func (t *tables) KeepAppUnknown(fields []byte) error {
	t.keepUnknown(transfer.UnknownApp, t.key, 0, fields)
	return nil
}

func (t *tables) Upload(name string) (have *store.UploadRecord, mine bool, err error) {
	if err := t.flush(); err != nil {
		return nil, false, err
	}
	var app int64
	have, err = readUpload(t.QueryRow(t.ctx, `SELECT `+uploadColumns+` FROM uploads c WHERE name = $1`, name), t.app, &app)
	if found, err := tx.Found(err); err != nil || !found {
		return nil, false, err
	}
	return have, app == t.key, nil
}

func (t *tables) AddUpload(r *store.UploadRecord, until skein.Millis) (added bool, err error) {
	var key int64
	added, err = tx.Found(t.QueryRow(t.ctx, `INSERT INTO uploads (app_key, name, client_id, created, kept, due, size, title)
		SELECT $1, $2, $3, $4, $5, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM removals WHERE name = $2) ON CONFLICT DO NOTHING RETURNING upload_key`,
		t.key, r.Name, r.Client, r.At, until, r.Size, r.Title).Scan(&key))
	if added && err == nil {
		t.keepUnknown(transfer.UnknownUpload, key, 0, r.Unknown)
	}
	return added, err
}

func (t *tables) Client(id string) (*store.ClientRecord, bool, error) {
	if _, there := t.clients[id]; !there {
		return nil, false, nil
	}
	if err := t.flush(); err != nil {
		return nil, false, err
	}
	return t.clientRecord(id)
}

func (t *tables) Living(id string) (there, living bool, err error) {
	living, there = t.clients[id]
	return there, living, nil
}

func (t *tables) AddClient(r *store.ClientRecord) error {
	cuts, err := rows.EncodeCuts(r.DeviceCuts)
	if err != nil {
		return err
	}
	t.clients[r.ID] = !r.Deleted
	const add = `INSERT INTO clients (app_key, id, ext, created, updated, banned_until, ban_reason, cut, device_cuts, seen, deleted, add_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	args := []any{t.key, r.ID, r.Ext, r.Created, r.Updated, r.BannedUntil, r.BanReason, r.Cut, cuts, r.Seen, r.Deleted, r.AddBy}
	if len(r.Uploads()) == 0 && len(r.Unknown) == 0 {
		t.write(add, args...)
		return nil
	}
	key, err := t.added(add+` RETURNING client_key`, args)
	if err != nil {
		return err
	}
	t.nameUploads(tx.Thing{Kind: tx.ByClient, Key: key}, r.Uploads())
	t.keepUnknown(transfer.UnknownClient, key, 0, r.Unknown)
	return nil
}

func (t *tables) Member(a *transfer.Arrival, client string) (*store.MemberRecord, error) {
	if !t.members[member{a.ID, client}] {
		return nil, nil //nolint:nilnil // it is no member
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.member(a.Key, a.ID, client)
}

func (t *tables) HasOwner(a *transfer.Arrival) (owned bool, err error) {
	if err := t.flush(); err != nil {
		return false, err
	}
	return owned, t.QueryRow(t.ctx, `SELECT EXISTS (SELECT 1 FROM members WHERE conv_key = $1 AND role = $2)`, a.Key, skein.RoleOwner).Scan(&owned)
}

func (t *tables) AddMember(a *transfer.Arrival, r *store.MemberRecord) error {
	t.members[member{a.ID, r.Client}] = true
	t.write(`DELETE FROM departures WHERE app_key = $1 AND client_id = $2 AND conv_id = $3`, t.key, r.Client, r.Conv)
	const add = `INSERT INTO members (conv_key, app_key, client_id, role, nickname, joined, join_seq, muted_until,
		read_seq, received_seq, sent_seq, cleared_seq, pinned, muted, archived, draft, moved, adder, unread_mark)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, ` + tx.Stamp + `, $17, $18)`
	args := []any{
		a.Key, t.key, r.Client, r.Role, r.Nickname, r.Joined, r.JoinSeq, r.MutedUntil,
		r.ReadSeq, r.ReceivedSeq, r.SentSeq, r.ClearedSeq, r.Pinned, r.Muted, r.Archived, r.Draft, tx.TextOrNull(r.Adder), r.Marks.Unread,
	}
	stems := r.Uploads()
	if len(stems) == 0 && len(r.Unknown) == 0 {
		t.write(add, args...)
		return nil
	}
	key, err := t.added(add+` RETURNING member_key`, args)
	if err != nil {
		return err
	}
	t.nameUploads(tx.Thing{Kind: tx.ByMember, Key: key}, stems)
	t.keepUnknown(transfer.UnknownMember, key, 0, r.Unknown)
	return nil
}

// arrivalTime is for how long an import may pause: then Purge takes an arriving conversation.
const arrivalTime = rows.ArrivalDays * 24 * time.Hour
