package transfer

import (
	"context"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
	"github.com/skein-im/skein/internal/store/transfer"
)

// importRow is about how many rows a record becomes.
const importRow = 2

// Import stores records; see store.Transfer.
func (s *Store) Import(ctx context.Context, app string, list []any) ([]store.Imported, error) {
	size, count := tx.SmallJob, importRow*len(list)
	for _, r := range list {
		size += recordSize(r)
		if m, ok := r.(*store.MessageRecord); ok {
			count += len(m.Mentions) + len(m.Reacted) + len(m.Hidden)
		}
	}
	return tx.Write(ctx, s.db, tx.Job{App: app, Bytes: size, Rows: count}, func(g group) ([]store.Imported, error) {
		key, err := g.KnownApp(app)
		if err != nil {
			return nil, err
		}
		t := &tables{group: g, salt: s.db.Salt}
		t.records = records{connection: g.conn(), app: app}
		if err := t.begin(key); err != nil {
			return nil, err
		}
		return transfer.Run(t, list)
	})
}

// recordSize is about what a record holds in memory while it waits.
func recordSize(r any) int {
	const fixed = 512
	switch r := r.(type) {
	case *store.MessageRecord:
		return fixed + len(r.Text) + len(r.Attr) + len(r.URL) + len(r.Unknown) + 64*(len(r.Mentions)+len(r.Reacted)+len(r.Hidden))
	case *store.ConversationRecord:
		return fixed + len(r.Extend) + len(r.Unknown) + 64*len(r.Sanctions)
	case *store.ClientRecord:
		return fixed + len(r.Ext) + len(r.Unknown)
	default:
		return fixed
	}
}

// tables is the transaction of a call of Import; it implements transfer.Tables.
type tables struct {
	group
	records

	salt []byte
}

func (t *tables) Now() skein.Millis { return t.group.Now }

// keepUnknown stores the fields of a record that this version does not know.
func (t *tables) keepUnknown(kind int, thing, place int64, fields []byte) error {
	if len(fields) == 0 {
		return nil
	}
	t.unknowns = true
	return t.group.Exec(`INSERT OR REPLACE INTO unknown_fields (kind, thing_key, place, fields) VALUES (?1, ?2, ?3, ?4)`,
		kind, thing, place, engine.RawText(fields))
}

func (t *tables) lastKey() int64 { return t.group.DB.LastInsertRowID() }

func (t *tables) AppUnknown() ([]byte, error) { return t.unknown(transfer.UnknownApp, t.key, 0) }

func (t *tables) KeepAppUnknown(fields []byte) error {
	return t.keepUnknown(transfer.UnknownApp, t.key, 0, fields)
}

func (t *tables) Upload(name string) (have *store.UploadRecord, mine bool, err error) {
	var key int64
	found, err := t.group.Row(func(r *sqlite3.Stmt) {
		have = readUpload(r, t.app)
		key, mine = r.ColumnInt64(5), r.ColumnInt64(6) == t.key
	}, `SELECT name, client_id, created, size, title, upload_key, app_key FROM uploads WHERE name = ?1`, name)
	if err != nil || !found {
		return nil, false, err
	}
	have.Unknown, err = t.unknown(transfer.UnknownUpload, key, 0)
	return have, mine, err
}

func (t *tables) AddUpload(r *store.UploadRecord, until skein.Millis) (added bool, err error) {
	added, err = t.group.Change(`INSERT INTO uploads (app_key, name, client_id, created, kept, due, size, title)
		SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM removals WHERE name = ?2)`,
		t.key, r.Name, r.Client, r.At, until, r.Size, r.Title)
	if err == nil && added {
		err = t.keepUnknown(transfer.UnknownUpload, t.lastKey(), 0, r.Unknown)
	}
	return added, err
}

func (t *tables) Client(id string) (*store.ClientRecord, bool, error) { return t.clientRecord(id) }

func (t *tables) Living(id string) (there, living bool, err error) {
	there, err = t.group.Row(func(r *sqlite3.Stmt) { living = !r.ColumnBool(0) },
		`SELECT deleted FROM clients WHERE app_key = ?1 AND id = ?2`, t.key, id)
	return there, living, err
}

func (t *tables) AddClient(r *store.ClientRecord) error {
	cuts, err := rows.EncodeCuts(r.DeviceCuts)
	if err != nil {
		return err
	}
	err = t.group.Exec(`INSERT INTO clients (app_key, id, ext, created, updated, banned_until, ban_reason, cut, device_cuts, seen, deleted, add_by)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		t.key, r.ID, engine.RawText(r.Ext), r.Created, r.Updated, r.BannedUntil, r.BanReason, r.Cut, engine.RawText(cuts), r.Seen, r.Deleted, r.AddBy)
	key := t.lastKey()
	if err == nil {
		err = t.NameUploads(t.app, tx.ByClient, key, r.Uploads())
	}
	if err == nil {
		err = t.keepUnknown(transfer.UnknownClient, key, 0, r.Unknown)
	}
	t.group.Known.ForgetSender(t.app, r.ID)
	return err
}

func (t *tables) Member(a *transfer.Arrival, client string) (*store.MemberRecord, error) {
	return t.member(a.Key, a.ID, client)
}

func (t *tables) HasOwner(a *transfer.Arrival) (bool, error) {
	return t.group.Row(nil, `SELECT 1 FROM members WHERE conv_key = ?1 AND role = ?2`, a.Key, skein.RoleOwner)
}

func (t *tables) AddMember(a *transfer.Arrival, r *store.MemberRecord) error {
	if err := t.Arrive(t.key, r.Client, r.Conv); err != nil {
		return err
	}
	err := t.group.Exec(`INSERT INTO members (conv_key, app_key, client_id, role, nickname, joined, join_seq, muted_until,
		read_seq, received_seq, sent_seq, cleared_seq, pinned, muted, archived, draft, moved, adder, unread_mark)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)`,
		a.Key, t.key, r.Client, r.Role, r.Nickname, r.Joined, r.JoinSeq, r.MutedUntil,
		r.ReadSeq, r.ReceivedSeq, r.SentSeq, r.ClearedSeq, r.Pinned, r.Muted, r.Archived, r.Draft, t.Stamp, tx.TextOrNull(r.Adder), r.Marks.Unread)
	key := t.lastKey()
	if err == nil {
		err = t.NameUploads(t.app, tx.ByMember, key, r.Uploads())
	}
	if err == nil {
		err = t.keepUnknown(transfer.UnknownMember, key, 0, r.Unknown)
	}
	t.group.Known.ForgetMember(a.Key, r.Client)
	t.group.Known.ForgetCount(t.app, r.Client)
	return err
}
