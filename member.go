package skein

// Role is what a member may do in its conversation.
type Role int8

// Roles, each including the ones before it. A conversation has at most one owner.
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
	Nickname   string // in this conversation; empty: none
	Joined     Millis
	JoinSeq    int64  // seq of the first message that came after joining
	MutedUntil Millis // zero: may speak

	ReadSeq     int64 // up to where it said that it has read
	ReceivedSeq int64 // up to where one of its devices said that it has received
	SentSeq     int64 // its own newest message
	ClearedSeq  int64 // up to where it cleared its history

	Marks
}

// Marks are what a client notes about a conversation for itself.
type Marks struct {
	Pinned   Millis // when it was put on top; zero: it is not
	Muted    bool   // no notifications, please
	Archived bool
	Unread   bool   // it wants to come back to it, though it may have read all
	Draft    string // at most MaxDraft bytes
}

// Limits of what is kept with a member.
const (
	MaxNickname = 128     // bytes
	MaxDraft    = 4 << 10 // bytes
)

// Read is the seq up to which nothing counts as unread: what it joined after, has
// cleared or has read; and who speaks has read what was said before.
func (m Member) Read() int64 {
	return max(m.JoinSeq-1, m.ClearedSeq, m.ReadSeq, m.SentSeq)
}

// Received is the seq up to which everything has come to one of its devices.
func (m Member) Received() int64 { return max(m.ReceivedSeq, m.Read()) }

// Floor is the seq up to which the member sees nothing: what it has cleared, and
// where the app's history is private what was said before it joined.
func (m Member) Floor(privateHistory bool) int64 {
	if privateHistory {
		return max(m.ClearedSeq, m.JoinSeq-1)
	}
	return m.ClearedSeq
}

// Silenced reports whether who has this role and is muted until a moment (zero: is
// not) may not speak now in a conversation where everyone may be muted.
func Silenced(role Role, until Millis, muteAll bool, now Millis) bool {
	return until > now || muteAll && role < RoleAdmin
}

// Listener is a member as far as a delivery needs it; see NewListener.
type Listener struct {
	Client  string
	JoinSeq int64
	Mark    uint32 // MarkOf(Client)
}

// NewListener is a member who joined when joinSeq was to come next.
func NewListener(client string, joinSeq int64) Listener {
	return Listener{client, joinSeq, MarkOf(client)}
}

// MarkOf is a number by which to tell at a glance that a client is another: two of
// one id have one mark, two of one mark are most likely one. It is FNV-1a in 32 bits.
func MarkOf(client string) uint32 {
	const offset, prime = 2166136261, 16777619
	mark := uint32(offset)
	for i := range len(client) {
		mark = (mark ^ uint32(client[i])) * prime
	}
	return mark
}
