package sqlite

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// MarkSeen records when clients were last online; see store.Clients.
func (s *Store) MarkSeen(ctx context.Context, seen []skein.Sighting) error {
	if len(seen) == 0 {
		return nil
	}
	size := tx.SmallJob + 64*len(seen)
	_, err := tx.Write(ctx, s.db, tx.Job{Bytes: size, Rows: len(seen)}, func(g group) (struct{}, error) {
		for _, at := range seen {
			err := g.Exec(`UPDATE clients SET seen = ?3 WHERE app_key = `+tx.AppKey+` AND id = ?2 AND deleted = 0 AND seen < ?3`,
				at.App, at.Client, at.At)
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
