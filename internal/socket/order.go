package socket

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// order keeps what a client pipelines in the order in which it said it: behind a send
// that is refused with 4290, those that were on their way are refused too. It is open
// again when the refused message comes again, or after orderWait.
type order struct {
	until   time.Time // zero: open
	refused string    // client_msg_id of the refused message; empty: none
}

// orderWait is longer than what is on its way takes to come.
const orderWait = time.Second

// said is what order reads of a send.
type said struct {
	ClientMsgID wire.ClientID `json:"client_msg_id"`
}

func msgIDOf(frame wire.Frame) string {
	var s said
	if json.Unmarshal(frame.Data, &s) != nil {
		return "" // its own call says what is wrong with it
	}
	return string(s.ClientMsgID)
}

// admit refuses a send that must not come before the refused one. Errors:
// skein.ErrRateLimited.
func (o *order) admit(frame wire.Frame, now time.Time) error {
	if o.until.IsZero() {
		return nil
	}
	left := o.until.Sub(now)
	if left > 0 && left <= orderWait && (o.refused == "" || o.refused != msgIDOf(frame)) {
		return skein.Later(skein.ErrRateLimited, left)
	}
	*o = order{}
	return nil
}

// answered looks at what came of a send. The first that is refused closes the order.
func (o *order) answered(frame wire.Frame, err error, now time.Time) {
	if errors.Is(err, skein.ErrRateLimited) && o.until.IsZero() {
		*o = order{until: now.Add(orderWait), refused: msgIDOf(frame)}
	}
}
