package ledger

import "sync/atomic"

// NoSender is a receiver that sends nothing itself.
const NoSender = ^uint32(0)

// Receiver is what one socket is pushed of one conversation. Got belongs to the
// goroutine that reads the socket; Done is called when that has ended or rests.
type Receiver struct {
	name string
	conv *Conversation
	self uint32 // its own messages are not pushed to it

	next    int64  // the seq that is due
	sum     uint64 // of what came, in the order in which it came
	missing map[int64]struct{}
	last    atomic.Int64 // next-1, for those who wait
}

// NewReceiver is due everything past conv.From() that self does not send.
func NewReceiver(name string, conv *Conversation, self uint32) *Receiver {
	r := &Receiver{name: name, conv: conv, self: self, next: conv.from + 1}
	r.last.Store(conv.from)
	return r
}

// Behind says that something was answered past what came; safe for concurrent use.
func (r *Receiver) Behind() bool { return r.last.Load() < r.conv.dueTo(r.self) }

// Got books a push.
func (r *Receiver) Got(seq int64, m Message) {
	switch {
	case seq >= r.next:
		r.miss(seq)
		r.next++
		r.last.Store(seq)
	case r.late(seq):
		r.conv.faults.Addf("%s: %s got seq %d after %d: swapped", r.conv.id, r.name, seq, r.next-1)
	default:
		r.conv.faults.Addf("%s: %s got seq %d again: doubled", r.conv.id, r.name, seq)
	}
	r.sum = fold(r.sum, m)
}

// miss notes what is not there before seq: its own, or late, or lost; which of
// them is known in the end.
func (r *Receiver) miss(seq int64) {
	if r.next < seq && r.missing == nil {
		r.missing = map[int64]struct{}{}
	}
	for ; r.next < seq; r.next++ {
		r.missing[r.next] = struct{}{}
	}
}

func (r *Receiver) late(seq int64) bool {
	_, missed := r.missing[seq]
	delete(r.missing, seq)
	return missed
}

// Done holds what came against the history, which must have been Stored, and
// otherwise against what was answered.
func (r *Receiver) Done() {
	due := r.conv.stored
	if due == nil {
		due = r.conv.answered
	}
	var want uint64
	whole := true
	for i, m := range due {
		if m.Sender == r.self {
			continue
		}
		want = fold(want, m)
		seq := r.conv.from + 1 + int64(i)
		if _, missed := r.missing[seq]; missed || seq >= r.next {
			r.conv.faults.Addf("%s: %s never got seq %d: lost", r.conv.id, r.name, seq)
			whole = false
		}
	}
	if whole && r.sum != want {
		r.conv.faults.Addf("%s: what %s got is not what was sent, or not in that order", r.conv.id, r.name)
	}
}
