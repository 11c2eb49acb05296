package tx

import (
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// A file is kept while a row of upload_uses says that something in its app names it. Every
// write that changes such content updates these rows in its own transaction. Triggers of the
// schema then update uploads.due, the time at which the file may be removed.

// Naming is a kind of thing that can name files, the column kind of upload_uses. Its
// rows are found by the keys of messages, conversations, clients and members.
type Naming int

// The kinds of things that name files.
const (
	ByMessage Naming = 1 + iota // while its status is normal
	ByExtend
	ByClient
	ByMember
)

// NameUploads records that a thing names files. Files that its app does not have are ignored.
// See skein.Body.Uploads for the stems.
func (g *Group) NameUploads(app string, kind Naming, thing int64, stems []string) error {
	if len(stems) == 0 {
		return nil
	}
	list, err := json.Marshal(stems)
	if err != nil {
		return fmt.Errorf("encode names: %w", err)
	}
	return g.Exec(`INSERT INTO upload_uses (upload_key, kind, thing_key)
		SELECT u.upload_key, ?2, ?3 FROM json_each(?4) j CROSS JOIN uploads u
			WHERE u.name >= j.value || '.' AND u.name < j.value || '/' AND u.app_key = `+AppKey+`
		ON CONFLICT DO NOTHING`, app, int(kind), thing, engine.RawText(list))
}

// RenameUploads replaces the files that a changed thing names.
func (g *Group) RenameUploads(app string, kind Naming, thing int64, stems []string) error {
	if len(stems) == 0 {
		return g.Exec(`DELETE FROM upload_uses WHERE kind = ?1 AND thing_key = ?2`, int(kind), thing)
	}
	if err := g.NameUploads(app, kind, thing, stems); err != nil {
		return err
	}
	list, err := json.Marshal(stems)
	if err != nil {
		return fmt.Errorf("encode names: %w", err)
	}
	return g.Exec(`DELETE FROM upload_uses WHERE kind = ?1 AND thing_key = ?2 AND NOT EXISTS
		(SELECT 1 FROM uploads u JOIN json_each(?3) j ON j.value = substr(u.name, 1, 32) WHERE u.upload_key = upload_uses.upload_key)`,
		int(kind), thing, engine.RawText(list))
}
