package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// ban keeps a client of the app from joining until a moment; a past one lets it.
func (g *group) ban(conv conversation, client string, until skein.Millis) error {
	if until <= g.now {
		until = 0
	}
	err := g.exec(`INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT ?3, app_key, id, ?4, 0 FROM clients WHERE app_key = `+appKey+` AND id = ?2 AND deleted = 0
		ON CONFLICT (conv_key, client_id) DO UPDATE SET banned_until = excluded.banned_until`,
		conv.App, client, conv.key, until)
	if err != nil || until > 0 {
		return err
	}
	return g.exec(`DELETE FROM sanctions WHERE conv_key = ?1 AND client_id = ?2 AND muted_until <= ?3`, conv.key, client, g.now)
}

// keepMute keeps the mute of a member who goes: nobody sheds it by leaving.
func (g *group) keepMute(conv int64, client string) error {
	return g.exec(`INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT conv_key, app_key, client_id, 0, muted_until FROM members WHERE conv_key = ?1 AND client_id = ?2 AND muted_until > ?3
		ON CONFLICT (conv_key, client_id) DO UPDATE SET muted_until = excluded.muted_until`, conv, client, g.now)
}

// readmit ends what is in force against a client who becomes a member, and answers
// until when it stays muted. Errors: ErrForbidden where it comes by itself and is
// banned.
func (g *group) readmit(conv int64, client string, itself bool) (muted skein.Millis, err error) {
	var banned skein.Millis
	found, err := g.row(func(r *sqlite3.Stmt) { banned, muted = millisColumn(r, 0), millisColumn(r, 1) },
		`SELECT banned_until, muted_until FROM sanctions WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
	switch {
	case err != nil || !found:
		return 0, err
	case itself && banned > g.now:
		return 0, &skein.Fault{Err: skein.ErrForbidden, Field: client, Detail: "removed; may join only when added"}
	}
	return muted, g.exec(`DELETE FROM sanctions WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
}
