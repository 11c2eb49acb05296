package sqlite

import (
	"context"

	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// generationBits leaves room for a billion logins between two starts of the server: each
// start raises the stamp by at least a second, which is a million stamps with 1,024 generations
// each.
const generationBits = 10

// firstGeneration is greater than every generation that an earlier process gave out: it
// derives from the stamp of its own commit, and no stamp is ever used twice.
func (s *Store) firstGeneration(ctx context.Context) (generation int64, err error) {
	err = tx.Change(ctx, s.db, func(g group) error {
		generation = g.Stamp << generationBits
		return nil
	})
	return generation, err
}

// nextStamp is above the stamp of every commit that can be read, and not above another one.
func (s *Store) nextStamp() int64 { return s.db.Reached.Load() + 1 }
