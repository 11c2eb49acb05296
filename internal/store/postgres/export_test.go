package postgres

import "github.com/skein-im/skein/internal/store/postgres/tx"

// ForgetMoves empties the node's memory of which conversations moved, as a restart does.
func (s *Store) ForgetMoves() { s.db.Moves = tx.NewMoves() }
