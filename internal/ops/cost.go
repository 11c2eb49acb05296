package ops

import "github.com/skein-im/skein"

// What a call costs beyond one message, as messages of its client's send rate. These
// are estimates of what the writer of the store has to do, or of what is read and
// encoded. The backend has no send rate: its app's share of the store bounds what it
// does to others.
const (
	membersAMessage = 10   // members that are added or removed, for the work of one message
	updatesAMessage = 2    // conversations that an update rewrites
	rowsAMessage    = 200  // members that are listed
	looksAMessage   = 1000 // messages that a search looks at
	usersAMessage   = 50   // users that are looked up, each with its ext
	movesAMessage   = 10   // conversations in which a position moves, beyond conv.read of one
)

// chargeMembers charges a call that adds or removes n members. Errors:
// skein.ErrRateLimited.
func chargeMembers(d Deps, by skein.Actor, n int) error { return charge(d, by, n, membersAMessage) }

// charge charges a call for n things, of which so many cost as much as a message. Errors:
// skein.ErrRateLimited.
func charge(d Deps, by skein.Actor, n, aMessage int) error {
	if n < aMessage {
		return nil
	}
	return d.Gate.Charge(by, n/aMessage)
}
