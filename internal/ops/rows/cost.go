package rows

import "github.com/skein-im/skein"

// What a call costs beyond its first message, in messages of its client's send rate.
// These estimate what the writer of the store has to do, or what is read and encoded. The
// backend has no send rate: its app's share of the store bounds what it does to others.
const (
	membersAMessage = 10   // members that are added or removed
	updatesAMessage = 2    // conversations that an update rewrites
	rowsAMessage    = 200  // members that are listed
	looksAMessage   = 1000 // messages that a search examines
	usersAMessage   = 50   // users that are returned, each with its ext
	movesAMessage   = 10   // conversations in which a position moves
)

// charge charges a call for n things, aMessage of which cost as much as a message.
// Errors: skein.ErrRateLimited.
func charge(d Deps, by skein.Actor, n, aMessage int) error {
	if n < aMessage {
		return nil
	}
	return d.Gate.Charge(by, n/aMessage)
}
