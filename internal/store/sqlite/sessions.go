package sqlite

import (
	"context"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// generationBits leaves each stamp room for a billion logins before the next start of the
// server: the ceiling of stamps rises by a second's worth with the first commit.
const generationBits = 10

// firstGeneration is above every generation that a process before this one gave out: it
// is made of the stamp of a commit of its own, and no stamp is given twice.
func (s *Store) firstGeneration(ctx context.Context) (generation int64, err error) {
	err = tx.Change(ctx, s.db, func(g group) error {
		generation = g.Stamp << generationBits
		return nil
	})
	return generation, err
}
