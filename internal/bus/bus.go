// Package bus carries events between the nodes of one installation. The truth is in the
// store: an event is a copy, and a node that missed one reads the store.
package bus

import "github.com/skein-im/skein"

// Event is what one node tells the others. Whoever handles it must not write to it.
type Event struct {
	App   string
	Frame []byte         // encoded once, for every receiver; nil: none
	Kind  skein.EventSet // what event the frame is; zero: every session may have it

	// Conv and Seq place a stored message; Seq is zero for everything else.
	Conv skein.ID
	Seq  int64

	// Change is the change_seq of a change of a stored message; zero for everything else.
	Change int64

	// Stamp is of the commit that the event is about, as in skein.Committed: a session whose
	// client could read it when it logged in does not get the event. Zero: none.
	Stamp int64

	// About is the seq of the stored message that a change is about. Where the app's
	// history is private, members who joined after it are not told. Zero: none.
	About int64

	// Audience is who gets the frame; nil: the members of Conv. The marks are for the
	// hub's filter; JoinSeq is not set.
	Audience []skein.Listener

	// RosterRev is the revision of the members that Conv had when the event happened: who
	// reads the members must not read older ones. Zero: any will do.
	RosterRev int64

	Also []string // who gets the frame beside the audience

	Blind []string // clients of the audience who get Blank instead of Frame
	Blank []byte

	// Sender gets no copy, unless ToSender is set; then all its devices but Device do.
	Sender   string
	ToSender bool
	Device   string

	Session string // this session gets no copy: it has its answer; empty: none

	// Doorbell says that Conv holds messages up to Seq and changes up to Change (zero:
	// nothing is said of that log). It carries no frame: a node compares both with what
	// it delivered.
	Doorbell bool

	// Deed identifies what a notice tells, in the way in which a node recognises it in the
	// feed; zero: the feed does not tell it.
	Deed uint64

	Trace skein.Trace // the step that the event follows from; zero: the call is not traced

	Cut      *skein.Cut // ends sessions; nil: none
	Sessions *Sessions  // what became of a client's sessions; nil: nothing

	// Resync comes from the bus itself, never from a node: events may have been lost, for
	// example while the connection to the bus was down.
	Resync bool
}

// Bus carries events between nodes. Implementations are safe for concurrent use. The
// events that one node publishes about one conversation arrive in the order in which it
// published them, or not at all.
type Bus interface {
	// Publish sends an event to all other nodes; the publisher does not hear it. It
	// encodes the event before it returns and keeps nothing of it. It does not wait for
	// the others: an event may be lost, which the implementation counts.
	Publish(e *Event)
	// Subscribe calls handle with every event from now on, one at a time for each
	// conversation. The event belongs to handle, which must not wait. stop ends that and
	// returns when no call is under way; called again it does nothing.
	Subscribe(handle func(*Event)) (stop func())
}

// Sessions tells that a session of a client came or left.
type Sessions struct {
	Client    string
	Displaced []Displaced // sessions of the client that have to go for the one that came
	Left      bool        // a session left; else one came
	Last      bool        // with Left: the client has no other
}

// Displaced is a session that has to go.
type Displaced struct {
	ID     string
	Reason string // one of skein's Kick reasons
}
