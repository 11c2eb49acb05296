package tx

import "context"

// A file is kept while a row of upload_uses says that something in its app names it. Every
// write that changes such content updates these rows in its own transaction. Triggers of the
// schema then update uploads.due, the time at which the file may be removed.

// Naming is a kind of thing that can name files, the column kind of upload_uses.
type Naming int16

// The kinds of things that name files.
const (
	ByMessage Naming = 1 + iota // while its status is normal
	ByExtend
	ByClient
	ByMember
)

// Thing is what names files: of a message its conversation's key and its seq, of others their
// key.
type Thing struct {
	Kind     Naming
	Key, Seq int64
}

// NameUploads is SQL that records that the thing ($2, $3, $4) names the files of app key $1
// whose stems are $5. Files that the app does not have are ignored. The rows of uploads are
// locked in their order first: the triggers will write them.
const NameUploads = `INSERT INTO upload_uses (upload_key, kind, thing_key, seq)
	SELECT f.upload_key, $2, $3, $4 FROM (
		SELECT u.upload_key FROM unnest($5::text[]) s JOIN uploads u ON u.name >= s || '.' AND u.name < s || '/' AND u.app_key = $1
		ORDER BY u.upload_key FOR NO KEY UPDATE OF u) f
	ON CONFLICT DO NOTHING`

// NameUploads records that a new thing names files; see skein.Body.Uploads for the stems.
func (t *Tx) NameUploads(ctx context.Context, app int64, thing Thing, stems []string) error {
	if len(stems) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, NameUploads, app, thing.Kind, thing.Key, thing.Seq, stems)
	return err
}

// RenameUploads replaces the files that a changed thing names.
func (t *Tx) RenameUploads(ctx context.Context, app int64, thing Thing, stems []string) error {
	if err := t.NameUploads(ctx, app, thing, stems); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `DELETE FROM upload_uses s USING uploads u WHERE s.kind = $1 AND s.thing_key = $2 AND s.seq = $3
		AND u.upload_key = s.upload_key AND substr(u.name, 1, 32) <> ALL ($4)`, thing.Kind, thing.Key, thing.Seq, append([]string{}, stems...))
	return err
}
