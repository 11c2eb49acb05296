package skein

import "slices"

// Event names of the socket.
const (
	EventMessage        = "msg.new"
	EventMessageUpdated = "msg.updated"
	EventConvCreated    = "conv.created"
	EventConvUpdated    = "conv.updated"
	EventConvDeleted    = "conv.deleted"
	EventMembersAdded   = "conv.members.added"
	EventMembersRemoved = "conv.members.removed"
	EventRead           = "conv.read"
	EventTyping         = "typing"
	EventPresence       = "presence"
	EventKick           = "logout.kick"
	EventResync         = "resync"
)

// EventSet is some of the events of the socket.
type EventSet uint16

var eventNames = [...]string{
	EventMessage, EventMessageUpdated, EventConvCreated, EventConvUpdated, EventConvDeleted,
	EventMembersAdded, EventMembersRemoved, EventRead, EventTyping, EventPresence, EventKick, EventResync,
}

// EventSetOf is the set of the events with these names.
func EventSetOf(names ...string) (s EventSet) {
	for i, name := range eventNames {
		if slices.Contains(names, name) {
			s |= 1 << i
		}
	}
	return s
}

// Notice tells the members of a conversation what happened to it. It is live
// only: who is away learns of it by asking.
type Notice struct {
	Kind         string // one of the Event names
	App          string
	Conv         ID
	Time         Millis
	By           string        // the client who did it; empty: the backend
	Clients      []string      // who was added or removed, or whose role, nickname or mute is another
	Conversation *Conversation // as it is now, where the kind tells it
	View         *View         // EventConvUpdated, to one client: as that one sees it now
	Audience     []string      // who is told; nil: the members
	Also         []string      // who is told beside the members: those removed
	Except       string        // a client who is not told; empty: none
	Positions    []Position    // EventRead
	On           bool          // EventTyping: began, not ended
	Gather       bool          // EventRead: may wait up to a second to go together with others
	Session      string        // this session is not told: it did it and has its answer; empty: none
}

// Position is how far a member has come.
type Position struct {
	Client   string
	Read     int64
	Received int64
}

// Cut ends live sessions.
type Cut struct {
	App    string
	Client string
	Device string // this device alone; empty: all
	Reason string // one of the Kick reasons
	Rev    int64  // Client.Rev after the cut: a session whose Actor.Rev is smaller ends
}

// Reasons that logout.kick gives.
const (
	KickReplaced     = "replaced"      // the same client and device logged in again
	KickDeviceLimit  = "device_limit"  // the oldest of too many devices
	KickDeviceType   = "device_type"   // the app has one device a type, and a newer login came
	KickTokenExpired = "token_expired" // the token's time is over
	KickBanned       = "banned"
	KickLoggedOut    = "logged_out" // force-logout
	KickDeleted      = "deleted"    // the client, or its app
)
