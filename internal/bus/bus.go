// Package bus carries events between the nodes of one installation. It only wakes
// and carries copies: the truth is in the store, and whoever misses an event finds
// a gap in seq there.
package bus

import "github.com/skein-im/skein"

// Event is what one node tells all, itself too. It is shared by all who hear it:
// never write to it.
type Event struct {
	App   string
	Frame []byte         // encoded once, for every receiver; nil: none
	Kind  skein.EventSet // what event the frame is; zero: every session may have it

	// Conv and Seq place a stored message; Seq is zero for everything else.
	Conv skein.ID
	Seq  int64

	// Change places a change of a stored message among the conversation's changes; zero
	// for everything else.
	Change int64

	// About is the seq of the stored message that the event is about, as what became
	// of it: where the app's history is private, who joined after it is not told.
	// Zero: none.
	About int64

	Audience []string // who is to have the frame; nil: the members of Conv
	Also     []string // who is beside the audience

	Blind []string // those of them who have Blank instead of Frame
	Blank []byte

	// Sender is left out, unless ToSender; then all its devices but Device.
	Sender   string
	ToSender bool
	Device   string

	Session string // this session is left out: it has its answer; empty: none

	Cut *skein.Cut // ends sessions; nil: none
}

// Bus carries events. Implementations are safe for concurrent use and keep, per
// publishing node, the order of the events of one conversation.
type Bus interface {
	// Publish sends an event to the handlers of all nodes. It does not wait for
	// them; an event may be lost, which the implementation counts.
	Publish(Event)
	// Subscribe lets handle hear every event from now on; stop ends it and returns
	// when no call is under way; called again it does nothing. handle must not wait.
	Subscribe(handle func(Event)) (stop func())
}
