package postgres

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// MarkSeen records when clients were last online; see store.Clients. The rows are locked in
// the order of tx.LockClients.
func (s *Store) MarkSeen(ctx context.Context, seen []skein.Sighting) error {
	if len(seen) == 0 {
		return nil
	}
	apps, clients, at := make([]string, len(seen)), make([]string, len(seen)), make([]skein.Millis, len(seen))
	for i, one := range seen {
		apps[i], clients[i], at[i] = one.App, one.Client, one.At
	}
	return s.db.Write(ctx, "", func(ctx context.Context, t *tx.Tx) error {
		_, err := t.Exec(ctx, markSeen, apps, clients, at)
		return err
	})
}

const markSeen = `WITH sighted AS MATERIALIZED (
		SELECT a.app_key, s.client, max(s.at) AS at FROM unnest($1::text[], $2::text[], $3::bigint[]) s(app, client, at)
		JOIN apps a ON a.id = s.app AND NOT a.deleted GROUP BY a.app_key, s.client
	), held AS MATERIALIZED (
		SELECT c.client_key, s.at FROM sighted s JOIN clients c ON c.app_key = s.app_key AND c.id = s.client
		WHERE NOT c.deleted AND c.seen < s.at ORDER BY c.id, c.app_key FOR NO KEY UPDATE OF c
	)
	UPDATE clients c SET seen = h.at FROM held h WHERE c.client_key = h.client_key AND NOT c.deleted AND c.seen < h.at`
