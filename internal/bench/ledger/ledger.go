// Package ledger holds what was promised to senders against what receivers and the
// history show: each answered message is there once, in its place, and nothing else
// is. It knows no frames and no sockets, and what it keeps does not grow with the
// number of receivers × messages: a receiver is a position and a sum.
package ledger

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// Message is what is compared of a message: who sent its how-many-th, and the id
// that the server gave it.
type Message struct {
	Sender uint32
	N      uint32
	ID     uint64 // Hash of msg_id; zero where there is none
}

func (m Message) String() string { return fmt.Sprintf("message %d of sender %d", m.N, m.Sender) }

// Hash is FNV-1a, cheap enough for every frame.
func Hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// fold makes a sum of messages that depends on their order.
func fold(sum uint64, m Message) uint64 {
	const prime = 1099511628211
	return ((sum*prime^uint64(m.Sender))*prime^uint64(m.N))*prime ^ m.ID
}

// Faults are what went wrong: how often, and the first of them in words. Safe for
// concurrent use.
type Faults struct {
	mu    sync.Mutex
	count int
	first []string
}

// shown is how many faults are kept in words: they are mostly of one kind.
const shown = 20

// Addf books one fault.
func (f *Faults) Addf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if len(f.first) < shown {
		f.first = append(f.first, fmt.Sprintf(format, args...))
	}
}

// List is the first of them, and how many more there were.
func (f *Faults) List() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Clone(f.first)
	if more := f.count - len(f.first); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return list
}

// Conversation is what senders were answered in one conversation. Answered and Last
// are safe for concurrent use; Stored is called when all has come to rest.
type Conversation struct {
	id     string
	from   int64 // the seq that it had before
	faults *Faults

	mu       sync.Mutex
	answered []Message // by seq-from-1; the zero Message: none. Guarded by mu
	stored   []Message // likewise, of the history; set by Stored
}

// NewConversation has nothing answered yet past the seq from.
func NewConversation(id string, from int64, faults *Faults) *Conversation {
	return &Conversation{id: id, from: from, faults: faults}
}

// ID is its conv_id.
func (c *Conversation) ID() string { return c.id }

// From is the seq that it had before.
func (c *Conversation) From() int64 { return c.from }

// FromText is From in digits.
func (c *Conversation) FromText() string { return strconv.FormatInt(c.from, 10) }

// Answered books the answer to a send.
func (c *Conversation) Answered(seq int64, m Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := seq - c.from - 1
	if at < 0 || at > 1<<31 {
		c.faults.Addf("%s: %s was answered seq %d, after %d", c.id, m, seq, c.from)
		return
	}
	if missing := int(at) + 1 - len(c.answered); missing > 0 {
		c.answered = append(c.answered, make([]Message, missing)...)
	}
	if other := c.answered[at]; other != (Message{}) {
		c.faults.Addf("%s: seq %d was answered to %s and to %s", c.id, seq, other, m)
		return
	}
	c.answered[at] = m
}

// Last is the greatest seq answered.
func (c *Conversation) Last() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from + int64(len(c.answered))
}

// at is what was answered seq.
func (c *Conversation) at(seq int64) Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := seq - c.from - 1; at >= 0 && at < int64(len(c.answered)) {
		return c.answered[at]
	}
	return Message{}
}

// dueTo is the greatest seq answered to another than self.
func (c *Conversation) dueTo(self uint32) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range slices.Backward(c.answered) {
		if m.Sender != self && m != (Message{}) {
			return c.from + int64(i) + 1
		}
	}
	return c.from
}

// Stored holds the history past From, oldest first, against what was answered.
func (c *Conversation) Stored(history []Entry) {
	c.stored = make([]Message, 0, len(history))
	next := c.from + 1
	for _, e := range history {
		if e.Seq != next {
			c.faults.Addf("%s: history: seq %d is where %d is due", c.id, e.Seq, next)
		}
		next = e.Seq + 1
		switch want := c.at(e.Seq); want {
		case e.Message:
		case Message{}:
			c.faults.Addf("%s: history: seq %d holds %s, which nobody was answered", c.id, e.Seq, e.Message)
		default:
			c.faults.Addf("%s: history: seq %d holds %s, answered was %s", c.id, e.Seq, e.Message, want)
		}
		c.stored = append(c.stored, e.Message)
	}
	for seq := next; seq <= c.Last(); seq++ {
		c.faults.Addf("%s: history: seq %d is lost: %s", c.id, seq, c.at(seq))
	}
}

// Entry is a message of the history.
type Entry struct {
	Message

	Seq int64
}
