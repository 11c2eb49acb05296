package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// arriving is the value of conversations.deleted while an import is not complete.
const arriving = 2

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
		i := &importing{group: g, salt: s.db.Salt, timelines: map[skein.ID]*arrival{}, clients: map[string]bool{}}
		i.records = records{connection: g.conn(), app: app}
		if err := i.begin(key); err != nil {
			return nil, err
		}
		answers := make([]store.Imported, len(list))
		for n, r := range list {
			have, err := i.record(r)
			if f, ok := errors.AsType[*skein.Fault](err); ok {
				answers[n].Err = f
				continue
			}
			if err != nil {
				return nil, err
			}
			answers[n].Have = have
		}
		return answers, i.flush()
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

// importing is one call of Import, in its transaction.
type importing struct {
	group
	records

	salt      []byte
	timelines map[skein.ID]*arrival
	clients   map[string]bool // those looked up, and whether they exist undeleted
}

// arrival is a conversation that the records of a call belong to.
type arrival struct {
	tx.ConvRow

	known  bool // to other methods: its import is complete
	closed bool // another conversation has the record's id: nothing is imported into it
	dirty  bool // ahead of its row
}

// record stores one record. have is the record that was already there; nil: none. Errors: a
// Fault if the record is refused, before any of it was written.
func (i *importing) record(r any) (have any, err error) {
	switch r := r.(type) {
	case *store.AppRecord:
		return i.importApp(r)
	case *store.UploadRecord:
		return i.importUpload(r)
	case *store.ClientRecord:
		return i.importClient(r)
	case *store.ConversationRecord:
		return i.importConversation(r)
	case *store.MemberRecord:
		return i.importMember(r)
	case *store.MessageRecord:
		return i.importMessage(r)
	case *store.ChangeRecord:
		return i.importChange(r)
	case *store.End:
		return i.importEnd(r)
	default:
		return nil, fmt.Errorf("import a %T", r)
	}
}

// keepUnknown stores the fields of a record that this version does not know.
func (i *importing) keepUnknown(kind int, thing, place int64, fields []byte) error {
	if len(fields) == 0 {
		return nil
	}
	i.unknowns = true
	return i.group.Exec(`INSERT OR REPLACE INTO unknown_fields (kind, thing_key, place, fields) VALUES (?1, ?2, ?3, ?4)`,
		kind, thing, place, engine.RawText(fields))
}

func (i *importing) importApp(r *store.AppRecord) (any, error) {
	have, err := i.unknown(unknownApp, i.key, 0)
	if err != nil || have != nil {
		return &store.AppRecord{Unknown: have}, err
	}
	return nil, i.keepUnknown(unknownApp, i.key, 0, r.Unknown)
}

// importedUntil is how long an imported file is kept until a record names it, in
// milliseconds.
const importedUntil = rows.ArrivalDays * 24 * 60 * 60 * 1000

func (i *importing) importUpload(r *store.UploadRecord) (any, error) {
	var have *store.UploadRecord
	var app, key int64
	found, err := i.group.Row(func(s *sqlite3.Stmt) {
		have = readUpload(s, i.app)
		key, app = s.ColumnInt64(5), s.ColumnInt64(6)
	}, `SELECT name, client_id, created, size, title, upload_key, app_key FROM uploads WHERE name = ?1`, r.Name)
	switch {
	case err != nil:
		return nil, err
	case found && app != i.key:
		return nil, conflict("name", "a file of another app has this name")
	case found:
		have.Unknown, err = i.unknown(unknownUpload, key, 0)
		return have, err
	}
	added, err := i.group.Change(`INSERT INTO uploads (app_key, name, client_id, created, kept, due, size, title)
		SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM removals WHERE name = ?2)`,
		i.key, r.Name, r.Client, r.At, i.Now+importedUntil, r.Size, r.Title)
	if err == nil && !added {
		return nil, conflict("name", "is a file that is being removed; try again later")
	}
	if err == nil {
		err = i.keepUnknown(unknownUpload, i.db().LastInsertRowID(), 0, r.Unknown)
	}
	return nil, err
}

func (i *importing) importClient(r *store.ClientRecord) (any, error) {
	have, found, err := i.clientRecord(r.ID)
	if err != nil || found {
		return have, err
	}
	cuts, err := rows.EncodeCuts(r.DeviceCuts)
	if err != nil {
		return nil, err
	}
	err = i.group.Exec(`INSERT INTO clients (app_key, id, ext, created, updated, banned_until, ban_reason, cut, device_cuts, seen, deleted, add_by)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		i.key, r.ID, engine.RawText(r.Ext), r.Created, r.Updated, r.BannedUntil, r.BanReason, r.Cut, engine.RawText(cuts), r.Seen, r.Deleted, r.AddBy)
	key := i.db().LastInsertRowID()
	if err == nil {
		err = i.NameUploads(i.app, tx.ByClient, key, r.Uploads())
	}
	if err == nil {
		err = i.keepUnknown(unknownClient, key, 0, r.Unknown)
	}
	i.clients[r.ID] = !r.Deleted
	i.group.Known.ForgetSender(i.app, r.ID)
	return nil, err
}

// client reports whether a client exists, and whether it is not deleted.
func (i *importing) client(id string) (there, living bool, err error) {
	if living, there = i.clients[id]; there {
		return true, living, nil
	}
	there, err = i.group.Row(func(r *sqlite3.Stmt) { living = !r.ColumnBool(0) },
		`SELECT deleted FROM clients WHERE app_key = ?1 AND id = ?2`, i.key, id)
	if there {
		i.clients[id] = living
	}
	return there, living, err
}

// conflict is ErrConflict about a field, with a detail in words.
func conflict(field, detail string) error {
	return &skein.Fault{Err: skein.ErrConflict, Field: field, Detail: detail}
}

func (i *importing) db() *sqlite3.Conn { return i.group.DB }
