package skein

// Field is what a condition on conversations looks at.
type Field int8

// Fields of a conversation query.
const (
	FieldConvID  Field = iota // values are 32-hex ids; a text that is no id matches nothing
	FieldType                 // integers
	FieldCreator              // client ids
	FieldMember               // client ids; = and in ask "is a member", != and not in the contrary
	FieldMembers              // integers: how many members
	FieldCreated              // integers: Unix milliseconds; or Spans
	FieldUpdated              // as FieldCreated; never updated matches only != and not in
	FieldExtend               // Path into conv_extend
)

// Operator compares a field with values.
type Operator int8

// Operators. Ne and NotIn are the exact negations of Eq and In: a conversation
// without the field matches them.
const (
	Eq Operator = iota
	Ne
	Gt
	Ge
	Lt
	Le
	In
	NotIn
	Exists // one boolean value: whether the field is there
)

// Span is a stretch of time, such as a whole second: From is in it, Until is not.
// A moment equals a span that it lies in, and is less than one that it lies before.
type Span struct{ From, Until Millis }

// Condition is one line of a where; all lines are ANDed. Values are string,
// int64, float64, bool or Span. On FieldExtend a value matches only a JSON value of its
// own kind (numbers with numbers, strings with strings by code point), and no
// order is defined on booleans.
type Condition struct {
	Field  Field
	Path   []string // FieldExtend only: object keys from the outermost; free of " and \
	Op     Operator
	Values []any // one, or 1..200 for In and NotIn
}

// Limits of a where.
const (
	MaxConditions = 20
	MaxValues     = 200
	MaxUpdated    = 1000 // conversations one update may match
)

// ConvQuery asks for conversations, newest activity first.
type ConvQuery struct {
	ByCreation bool // oldest creation first instead: an order in which nothing moves

	Where  []Condition
	Member string // only conversations of this client; empty: all
	Offset int
	Limit  int
	After  Cursor // start after this place instead of at Offset; zero: from the start
	Count  bool   // fill Total
}

// Cursor is a place in a listing: a sort key and the tie-breaker behind it. Its
// meaning is the store's; callers only carry it back.
type Cursor struct {
	Sort  int64
	Tie   int64
	Since int64 // when the listing began, where what is listed may move meanwhile
	Again bool  // all was listed once; now comes what moved since
}

// IsZero reports whether the cursor is the start.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// ConvPage is one page of conversations.
type ConvPage struct {
	Conversations []Conversation
	Total         int    // all that match; only with Count
	Next          Cursor // place after the last item; zero when nothing follows
}

// ClientQuery asks for the clients of an app in order of creation.
type ClientQuery struct {
	IDs    []string // only these; nil: all
	Offset int
	Limit  int
	After  Cursor
}

// ClientPage is one page of clients.
type ClientPage struct {
	Clients []Client
	Total   int
	Next    Cursor
}

// MemberQuery asks for the members of a conversation in order of joining.
type MemberQuery struct {
	Offset int
	Limit  int // zero: all
	After  Cursor
}

// MemberPage is one page of members.
type MemberPage struct {
	Members []Member
	Next    Cursor
}

// SeqRange asks for messages with After < seq < Before, at most Limit of them,
// oldest first, or newest first with Newest.
type SeqRange struct {
	After  int64
	Before int64 // zero: no upper bound
	Limit  int
	Newest bool
	Viewer string // whose eyes: what it deleted for itself is blank; empty: nobody's
}

// MessageQuery asks for the messages of a range that meet all that is set.
type MessageQuery struct {
	SeqRange

	Sender string
	Types  []int  // nil: any
	Since  Millis // sent at this moment or later; zero: whenever
	Until  Millis // sent before this moment; zero: whenever
}

// Bounds of a MessageQuery.
const (
	MaxLooked = 10_000 // messages that one query looks at
	MaxTypes  = 20

	// MaxClockBack is how far back the time of a message may be against those before it
	// in its conversation, in milliseconds: the server's clock may have been put back.
	// Since and Until may miss messages that are beyond it.
	MaxClockBack = 48 * 60 * 60 * 1000
)

// FoundMessages is what a MessageQuery found.
type FoundMessages struct {
	Messages []Message
	Next     int64 // where to go on, as After or Before; zero: the range has been looked at
	Looked   int   // how many messages were looked at
}
