package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// ban keeps a client from joining a conversation until a time; a time in the past lifts the
// ban.
func (g group) ban(conv tx.ConvRow, client string, until skein.Millis) error {
	if until <= g.Now {
		until = 0
	}
	err := g.Exec(`INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT ?3, app_key, id, ?4, 0 FROM clients WHERE app_key = `+tx.AppKey+` AND id = ?2 AND deleted = 0
		ON CONFLICT (conv_key, client_id) DO UPDATE SET banned_until = excluded.banned_until`,
		conv.App, client, conv.Key, until)
	if err != nil || until > 0 {
		return err
	}
	return g.Exec(`DELETE FROM sanctions WHERE conv_key = ?1 AND client_id = ?2 AND muted_until <= ?3`, conv.Key, client, g.Now)
}

// keepMute keeps the mute of a member who leaves, so that leaving and joining again does not
// end it.
func (g group) keepMute(conv int64, client string) error {
	return g.Exec(`INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT conv_key, app_key, client_id, 0, muted_until FROM members WHERE conv_key = ?1 AND client_id = ?2 AND muted_until > ?3
		ON CONFLICT (conv_key, client_id) DO UPDATE SET muted_until = excluded.muted_until`, conv, client, g.Now)
}

// readmit removes the sanctions against a client that becomes a member, and returns until
// when the client stays muted. Errors: ErrForbidden if the client joins by itself and is
// banned.
func (g group) readmit(conv int64, client string, itself bool) (muted skein.Millis, err error) {
	var banned skein.Millis
	found, err := g.Row(func(r *sqlite3.Stmt) { banned, muted = engine.Millis(r, 0), engine.Millis(r, 1) },
		`SELECT banned_until, muted_until FROM sanctions WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
	switch {
	case err != nil || !found:
		return 0, err
	case itself && banned > g.Now:
		return 0, &skein.Fault{Err: skein.ErrForbidden, Field: client, Detail: "removed; may join only when added"}
	}
	return muted, g.Exec(`DELETE FROM sanctions WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
}
