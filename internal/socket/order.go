package socket

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// order keeps what a client pipelines into a conversation in the order in which it said
// it: behind a send that is refused with 4290, those on their way to the same conversation
// are refused too. A conversation is open again when the refused message comes again, or
// after orderWait.
type order struct {
	held  map[skein.ID]hold // nil: all conversations are open
	until time.Time         // end of the last hold
}

// hold is what keeps one conversation closed.
type hold struct {
	until   time.Time
	refused string // client_msg_id of the refused message; empty: none
}

// orderWait is longer than what is on its way takes to come.
const orderWait = time.Second

// maxHeld bounds the conversations that are held on one socket. Beyond it all are, under
// the id that no conversation has.
const maxHeld = 32

var everywhere skein.ID

// said is what order reads of a send.
type said struct {
	ConvID      strict.ID `json:"conv_id"`
	ClientMsgID strict.ID `json:"client_msg_id"`
}

// placeOf is where a send goes and its client_msg_id; ok is false where it cannot be
// stored anywhere, as its own call says.
func placeOf(frame wire.Frame) (conv skein.ID, msgID string, ok bool) {
	var s said
	if json.Unmarshal(frame.Data, &s) != nil || len(s.ClientMsgID) > 4*skein.MaxIDLength {
		return conv, "", false
	}
	conv, err := skein.ParseID(string(s.ConvID))
	return conv, string(s.ClientMsgID), err == nil
}

// admit refuses a send that must not come before a refused one. Errors:
// skein.ErrRateLimited.
func (o *order) admit(frame wire.Frame, now time.Time) error {
	if o.held == nil {
		return nil
	}
	if !holds(o.until, now) {
		*o = order{}
		return nil
	}
	conv, msgID, ok := placeOf(frame)
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
	if h, all := o.held[everywhere]; all && holds(h.until, now) {
		return skein.Later(skein.ErrRateLimited, h.until.Sub(now))
	}
	return nil
}

// holds reports whether a hold until a moment is in force now, and the clock was not put
// back.
func holds(until, now time.Time) bool {
	left := until.Sub(now)
	return left > 0 && left <= orderWait
}

// answered looks at what came of a send. The first that is refused closes its
// conversation.
func (o *order) answered(frame wire.Frame, err error, now time.Time) {
	if !errors.Is(err, skein.ErrRateLimited) {
		return
	}
	conv, msgID, ok := placeOf(frame)
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
		conv, msgID = everywhere, ""
	}
	o.until = now.Add(orderWait)
	o.held[conv] = hold{o.until, msgID}
}
