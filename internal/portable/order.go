package portable

import (
	"github.com/skein-im/skein"
)

// order checks the order of records: those of a conversation come after its line and before the
// next conversation's line. Reader and Writer share it.
type order struct {
	conv     *Conversation // nil: none yet
	messages int64         // of conv, so far
	changes  int64
	owner    bool // conv has an owner

	furthestSeq, furthestChange int64 // the greatest numbers in its records
}

// conversation begins the next conversation.
func (o *order) conversation(c *Conversation) { *o = order{conv: c} }

// end returns an error if records of the current conversation are missing.
func (o *order) end() error {
	switch {
	case o.conv == nil:
		return nil
	case o.conv.LastSeq != o.messages:
		return malformed("last_seq", "is %d, and the conversation has %d messages", o.conv.LastSeq, o.messages)
	case o.conv.LastChange != o.changes:
		return malformed("last_change", "is %d, and the conversation has %d changes", o.conv.LastChange, o.changes)
	case o.furthestSeq > o.messages:
		return malformed("last_seq", "is %d, and a member's read_seq, received_seq, sent_seq, cleared_seq or join_seq - 1 is %d", o.conv.LastSeq, o.furthestSeq)
	case o.furthestChange > o.changes:
		return malformed("last_change", "is %d, and a message or a reaction has change_seq %d", o.conv.LastChange, o.furthestChange)
	}
	return nil
}

// in checks that a record belongs to the current conversation.
func (o *order) in(conv skein.ID) error {
	if o.conv == nil || o.conv.ID != conv {
		return malformed("conv_id", "%v has no line in %s, or comes out of its order", conv, Conversations)
	}
	return nil
}

func (o *order) member(m *Member) error {
	if err := o.in(m.Conv); err != nil {
		return err
	}
	if m.Role == skein.RoleOwner.String() {
		if o.owner {
			return malformed("role", "a conversation has at most one owner")
		}
		o.owner = true
	}
	o.furthestSeq = max(o.furthestSeq, m.ReadSeq, m.ReceivedSeq, m.SentSeq, m.ClearedSeq, m.JoinSeq-1)
	return nil
}

func (o *order) message(m *Message) error {
	if err := o.in(m.Conv); err != nil {
		return err
	}
	if m.Seq != o.messages+1 {
		return malformed("seq", "is %d, want %d: the messages of a conversation have 1, 2, 3 … without gaps", m.Seq, o.messages+1)
	}
	o.messages++
	o.furthestChange = max(o.furthestChange, m.Changed)
	for _, r := range m.Reactions {
		o.furthestChange = max(o.furthestChange, r.Change)
	}
	return nil
}

func (o *order) change(c *Change) error {
	if err := o.in(c.Conv); err != nil {
		return err
	}
	if c.Seq != o.changes+1 {
		return malformed("change_seq", "is %d, want %d: the changes of a conversation have 1, 2, 3 … without gaps", c.Seq, o.changes+1)
	}
	if c.MsgSeq > o.messages {
		return malformed("seq", "%d is no message of the conversation", c.MsgSeq)
	}
	o.changes++
	return nil
}
