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
	LastSeq int64  // seq of the newest stored message; zero: none yet
	Created Millis
	Updated Millis        // last change of Extend or of the members; zero: never
	Active  Millis        // last message, update or creation; queries order by it
	TTL     time.Duration // Temporary only
}

// Role is what a member may do in its conversation.
type Role int8

// Roles, each including the ones before it.
const (
	RoleMember Role = iota
	RoleAdmin
	RoleOwner
)

// String is the word of the wire.
func (r Role) String() string {
	switch r {
	case RoleOwner:
		return "owner"
	case RoleAdmin:
		return "admin"
	default:
		return "member"
	}
}

// Member is one client in one conversation.
type Member struct {
	Client     string
	Role       Role
	Joined     Millis
	JoinSeq    int64  // seq of the first message that came after joining
	MutedUntil Millis // zero: may speak
}

// Limits on one call; SPEC sections 6 and 10.
const (
	MaxMembersPerCall = 500
	MaxExtend         = 16 << 10 // bytes of conv_extend and of a client's ext
)
