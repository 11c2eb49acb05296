package ops

import "github.com/skein-im/skein"

// What a call costs beyond one message, as messages of its client's send rate. These
// are estimates of what the writer of the store has to do, or of what is read and
// encoded. The backend has no send rate: its app's share of the store bounds what it
// does to others.
const (
	membersAMessage = 10  // members that are added or removed, for the work of one message
	updatesAMessage = 2   // conversations that an update rewrites
	rowsAMessage    = 200 // members that are listed
	usersAMessage   = 50  // users that are looked up, each with its ext
)

// chargeMembers charges a call that adds or removes n members. Errors:
// skein.ErrRateLimited.
func chargeMembers(d Deps, by skein.Actor, n int) error {
	if n < membersAMessage {
		return nil
	}
	return d.Gate.Charge(by, n/membersAMessage)
}
