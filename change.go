package skein

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ChangeKind is what became of a message.
type ChangeKind int8

// Kinds. ChangeNone stands where a change is not the reader's to see, so that the
// numbers stay dense.
const (
	ChangeNone ChangeKind = iota
	ChangeEdit
	ChangeRecall // for everyone: the body is gone, the seq stays
	ChangeReact
	ChangePin
	ChangeHide // deleted by one member for itself; nobody else is told
)

// String is the word of the wire.
func (k ChangeKind) String() string {
	switch k {
	case ChangeEdit:
		return "edit"
	case ChangeRecall:
		return "recall"
	case ChangeReact:
		return "react"
	case ChangePin:
		return "pin"
	case ChangeHide:
		return "delete"
	default:
		return "none"
	}
}

// Change is one line of a conversation's log of changes, numbered 1, 2, 3 …
// without gaps by Seq. It tells which message it was about and shows that message
// as it is now, so that whoever applies the changes in order, or only the newest
// of a message, comes to the same end.
type Change struct {
	Seq     int64
	Kind    ChangeKind
	By      string // the client; empty: the backend
	At      Millis
	Emoji   string  // ChangeReact
	On      bool    // ChangeReact, ChangePin: set or taken away
	Message Message // as it is now; with ChangeNone nothing of it is set
}

// Hiding is that a client deleted a message for itself.
type Hiding struct {
	Client string
	Seq    int64
}

// Reaction is one emoji under a message.
type Reaction struct {
	Emoji   string
	Count   int      // clients
	Clients []string // the first MaxReactionClients of them, in the order they came
}

// Limits of changes.
const (
	MaxReactions       = 20 // different emoji under a message
	MaxReactionClients = 10 // named under an emoji
	MaxEmoji           = 64 // bytes of one emoji
	MaxEmojiName       = 32 // bytes of any other reaction
	MaxPins            = 100
)

// ValidEmoji reports whether s can be a reaction: 1..64 bytes of text that can be
// seen, without spaces or control characters. What counts as an emoji is the client's
// business: many apps send names such as thumbs_up.
func ValidEmoji(s string) bool {
	return !Blank(s) && len(s) <= MaxEmoji && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// MessageState is what a change to a message is decided on: all as it is in the moment
// of the change.
type MessageState struct {
	Conversation Conversation
	Member       *Member // who asks; nil: no member, or the backend
	Message      Message // as Member sees it
	Own          bool    // Member said it, not a former holder of its client id
	Reacted      bool    // Member has the emoji that is asked for under the message already
	Pins         int     // pinned messages of the conversation
}

// ChangeRange asks for changes with Seq > After, at most Limit, oldest first.
type ChangeRange struct {
	After  int64
	Limit  int
	Viewer string // whose eyes: changes that are another's alone come as ChangeNone; empty: all are seen
}
