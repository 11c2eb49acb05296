package skein

// Message types of the documented API. Any positive type is the developer's own.
const (
	TypeText     = -1
	TypeImage    = -2
	TypeAudio    = -3
	TypeVideo    = -4
	TypeLocation = -5
	TypeFile     = -6
)

// Limits of one message.
const (
	MaxText     = 16 << 10 // bytes
	MaxAttr     = 16 << 10 // bytes of JSON
	MaxURL      = 2 << 10  // bytes
	MaxMentions = 100      // client ids
)

// Status tells a message that can be read from one that is only a number now.
type Status int8

// Statuses, numbered as on the wire (msg_status).
const (
	StatusNormal   Status = 1
	StatusDeleted  Status = 2
	StatusRecalled Status = 3
)

// Body is what a sender writes. An empty Text, Attr, URL or Mentions is absent.
type Body struct {
	Type       int
	Text       string
	Attr       []byte // any JSON value
	URL        string
	MentionAll bool
	Mentions   []string // client ids
	ReplyTo    ID       // a message of the same conversation; zero: none
	Transient  bool     // for who is online now; never stored, no seq
	NoSync     bool     // the wire's no_sync = 1: the sender's own devices get the live copy too
}

// Fault says what is wrong with the body, as an error made by Missing or
// Malformed, or nil.
func (b Body) Fault() error {
	switch {
	case b.Type == 0 || b.Type < TypeFile:
		return Malformed("type", "must be -1 to -6, or 1 to 2147483647")
	case b.Type == TypeText && Blank(b.Text):
		return Missing("text")
	case b.needsURL() && b.URL == "":
		return Missing("url")
	case len(b.Text) > MaxText:
		return Malformed("text", "at most 16 KiB")
	case len(b.Attr) > MaxAttr:
		return Malformed("attr", "at most 16 KiB")
	case len(b.URL) > MaxURL:
		return Malformed("url", "at most 2 KiB")
	case len(b.Mentions) > MaxMentions:
		return Malformed("mention_client_ids", "at most 100")
	}
	return nil
}

func (b Body) needsURL() bool {
	switch b.Type {
	case TypeImage, TypeAudio, TypeVideo, TypeFile:
		return true
	}
	return false
}

// Message is a body that has been accepted, with its place in the conversation.
type Message struct {
	Body

	ID          ID
	Conv        ID
	Seq         int64 // from 1, dense; zero for a transient message
	Sender      string
	ClientMsgID string // the sender's own id of it; empty: none
	Status      Status
	Created     Millis
	Updated     Millis // zero: never
	Version     int    // 1 as sent; one more with each edit
	Changed     int64  // change_seq of the newest change that everyone sees; zero: none
	Pinned      Millis // zero: not
	Reactions   []Reaction
}

// Blank takes away what a message says and leaves its place, as in a recall.
func (m *Message) Blank(as Status) {
	m.Status = as
	m.Body = Body{Type: m.Type, ReplyTo: m.ReplyTo, NoSync: m.NoSync}
	m.Pinned, m.Reactions = 0, nil
}

// Draft is a message asking to be stored.
type Draft struct {
	Message // ID, Conv, Sender, ClientMsgID, Body and Created set; Seq is the store's to give

	App    string
	Need   Need   // what the sender must be; checked in the commit that stores it
	Device string // leave this device of the sender out of the live copy; empty: none
	Trace  Trace  // of the call that sends it

	// Written is what the sender wrote, if Body is something else. A retry is compared with it.
	Written *Body

	// OnlyAgain: it was refused, so it is not stored. Only a message that was stored before under
	// its ClientMsgID answers it, else ErrUnknownMessage.
	OnlyAgain bool

	// MarkRead: with NeedServer, the sender has read what was said before. With any
	// other need it always has.
	MarkRead bool
}

// Speaks reports whether the sender itself speaks, and so has read what was said
// before: not where the backend speaks in its name, unless it says so.
func (d Draft) Speaks() bool { return d.Need != NeedServer || d.MarkRead }

// Sent is the body as the sender wrote it.
func (d Draft) Sent() Body {
	if d.Written != nil {
		return *d.Written
	}
	return d.Body
}

// Committed is what members are to see now: a message, stored or transient, or what
// became of one.
type Committed struct {
	Message

	App       string
	ConvType  ConvType
	RosterRev int64   // of the conversation when this was committed; see Conversation
	Stamp     int64   // of its commit; see Snapshot. Zero: not known
	Device    string  // as in Draft
	Trace     Trace   // as in Draft
	Spoken    bool    // the sender is a member whose read position it moved
	Change    *Change // set: not the message is new, but this; its Message is the one above

	// Members are all members at RosterRev, in order of joining, where the store had to read them
	// anyway; nil: it does not say. Never write to it.
	Members []Listener
	// Hidden are those who deleted the message for themselves: to them it goes blank, as
	// StatusDeleted.
	Hidden []string
}
