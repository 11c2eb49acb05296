package skein

import "time"

// ConvType is the kind of a conversation, numbered as on the wire.
type ConvType int8

// The four kinds.
const (
	Private   ConvType = 1 // exactly two clients, one conversation a pair
	Temporary ConvType = 2 // gone TTL after its last message
	Group     ConvType = 3
	Room      ConvType = 4 // chat room, open to join
)

// Valid reports whether t is one of the four kinds.
func (t ConvType) Valid() bool { return Private <= t && t <= Room }

// DefaultTTL is the life of a temporary conversation after its last message.
const DefaultTTL = 7 * 24 * time.Hour

// MaxTTL bounds what a temporary conversation may ask for.
const MaxTTL = 365 * 24 * time.Hour

// Conversation is where messages are numbered: seq 1, 2, 3 … without gaps.
type Conversation struct {
	App     string
	ID      ID
	Type    ConvType
	Creator string
	Extend  []byte // the developer's JSON value; nil: none
	Members int    // how many clients are members now
	MuteAll bool   // only owner and admins may speak
	LastSeq int64  // seq of the newest stored message; zero: none yet
	Changes int64  // change_seq of the newest change; zero: none yet
	// RosterRev grows with every change of the members, their roles, nicknames and
	// mutes; 1 when it is created.
	RosterRev int64
	Created   Millis
	Updated   Millis        // last change of Extend, of MuteAll or of the members; zero: never
	Active    Millis        // last message, update or creation; queries order by it
	TTL       time.Duration // Temporary only
}

// Limits on one call.
const (
	MaxMembersPerCall = 500
	MaxExtend         = 16 << 10 // bytes of conv_extend and of a client's ext
)
