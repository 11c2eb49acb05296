package postgres

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// banFrom keeps clients from joining a conversation until a time; a time in the past lifts
// the bans.
func banFrom(ctx context.Context, t *tx.Tx, conv tx.ConvRow, clients []string, until skein.Millis) error {
	if len(clients) == 0 {
		return nil
	}
	if until <= t.Now {
		until = 0
	}
	_, err := t.Exec(ctx, `INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT $3, app_key, id, $4, 0 FROM clients WHERE app_key = $1 AND id = ANY($2) AND NOT deleted
		ON CONFLICT (conv_key, client_id) DO UPDATE SET banned_until = excluded.banned_until`,
		conv.AppKey, clients, conv.Key, until)
	if err != nil || until > 0 {
		return err
	}
	_, err = t.Exec(ctx, `DELETE FROM sanctions WHERE conv_key = $1 AND client_id = ANY($2) AND muted_until <= $3`, conv.Key, clients, t.Now)
	return err
}

// keepMutes keeps the mutes of members who leave, so that leaving and joining again does not
// end them.
func keepMutes(ctx context.Context, t *tx.Tx, conv int64, clients []string) error {
	_, err := t.Exec(ctx, `INSERT INTO sanctions (conv_key, app_key, client_id, banned_until, muted_until)
		SELECT conv_key, app_key, client_id, 0, muted_until FROM members WHERE conv_key = $1 AND client_id = ANY($2) AND muted_until > $3
		ON CONFLICT (conv_key, client_id) DO UPDATE SET muted_until = excluded.muted_until`, conv, clients, t.Now)
	return err
}

// readmit removes the sanctions against clients that become members, and returns until when
// which of them stay muted. Errors: ErrForbidden about the first that is banned, if they join
// by themselves.
func readmit(ctx context.Context, t *tx.Tx, conv int64, clients []string, itself bool) (muted map[string]skein.Millis, err error) {
	found, err := t.Query(ctx, `DELETE FROM sanctions WHERE conv_key = $1 AND client_id = ANY($2) RETURNING client_id, banned_until, muted_until`, conv, clients)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	banned := map[string]bool{}
	muted = map[string]skein.Millis{}
	for found.Next() {
		var client string
		var banUntil, muteUntil skein.Millis
		if err := found.Scan(&client, &banUntil, &muteUntil); err != nil {
			return nil, err
		}
		banned[client], muted[client] = banUntil > t.Now, muteUntil
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	for _, client := range clients {
		if itself && banned[client] {
			return nil, &skein.Fault{Err: skein.ErrForbidden, Field: client, Detail: "removed; may join only when added"}
		}
	}
	return muted, nil
}
