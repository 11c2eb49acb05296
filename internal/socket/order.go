package socket

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// order keeps pipelined sends to a conversation in the order in which the client sent
// them. After a send is refused with 4290, order refuses the later sends to the same
// conversation too, until the client sends the refused message again or orderWait has
// passed.
type order struct {
	held  map[skein.ID]hold // by conversation; nil: none is held
	until time.Time         // end of the last hold
}

// hold says for how long the sends to one conversation are refused.
type hold struct {
	until   time.Time
	refused string // client_msg_id of the refused message; empty: none
}

// orderWait is longer than sends that the client has already written take to arrive.
const orderWait = time.Second

// maxHeld bounds the conversations held on one socket. Beyond it, order holds all
// conversations.
const maxHeld = 32

// allConversations is the key of a hold on every conversation: no conversation has the
// zero id.
var allConversations skein.ID

// sendIDs are the fields of a send that order reads.
type sendIDs struct {
	ConvID      strict.ID `json:"conv_id"`
	ClientMsgID strict.ID `json:"client_msg_id"`
}

// idsOf returns the conversation and the client_msg_id of a send. ok is false if they
// are invalid; the call of the op then answers the error.
func idsOf(frame wire.Frame) (conv skein.ID, msgID string, ok bool) {
	var s sendIDs
	if json.Unmarshal(frame.Data, &s) != nil || len(s.ClientMsgID) > 4*skein.MaxIDLength {
		return conv, "", false
	}
	conv, err := skein.ParseID(string(s.ConvID))
	return conv, string(s.ClientMsgID), err == nil
}

// admit refuses a send to a conversation that is held, unless it is the refused message
// itself. Errors: skein.ErrRateLimited.
func (o *order) admit(frame wire.Frame, now time.Time) error {
	if o.held == nil {
		return nil
	}
	if !holds(o.until, now) {
		*o = order{}
		return nil
	}
	conv, msgID, ok := idsOf(frame)
	if !ok {
		return nil
	}
	if h, held := o.held[conv]; held {
		if holds(h.until, now) && (h.refused == "" || h.refused != msgID) {
			return skein.Later(skein.ErrRateLimited, h.until.Sub(now))
		}
		delete(o.held, conv)
		return nil
	}
	if h, all := o.held[allConversations]; all && holds(h.until, now) {
		return skein.Later(skein.ErrRateLimited, h.until.Sub(now))
	}
	return nil
}

// holds reports whether a hold that ends at until is in force. It is false if the clock
// was set back.
func holds(until, now time.Time) bool {
	left := until.Sub(now)
	return left > 0 && left <= orderWait
}

// answered sees the outcome of a send. A send that was refused with 4290 starts a hold on
// its conversation, unless one is in force.
func (o *order) answered(frame wire.Frame, err error, now time.Time) {
	if !errors.Is(err, skein.ErrRateLimited) {
		return
	}
	conv, msgID, ok := idsOf(frame)
	if !ok {
		return
	}
	if h, held := o.held[conv]; held && holds(h.until, now) {
		return
	}
	if o.held == nil {
		o.held = make(map[skein.ID]hold)
	}
	if len(o.held) >= maxHeld {
		conv, msgID = allConversations, ""
	}
	o.until = now.Add(orderWait)
	o.held[conv] = hold{o.until, msgID}
}
