package hub

import (
	"time"

	"github.com/skein-im/skein"
)

// The wheel turns one slot a tick. A token may outlive its end by a second; a tick of half
// a second leaves the other half for the work itself.
const (
	tick       = 500 * time.Millisecond
	wheelSlots = 128
)

// wheel is a timing wheel: each session is in the slot of the tick at which it is due. A
// session that is due later than one turn of the wheel is taken out early and put back. A
// session costs three words and no timer.
type wheel struct {
	slots  [wheelSlots]*Session
	turned int64 // the last tick that was taken
}

// wheelLinks are a session's neighbours in its slot of the wheel.
type wheelLinks struct{ prev, next *Session }

func (w *wheel) reset(now skein.Millis) { w.turned = tickOf(now) }

// add puts s, which is in no slot, into the slot for the moment due.
func (w *wheel) add(s *Session, due skein.Millis) {
	at := min(max(tickOf(due)+1, w.turned+1), w.turned+wheelSlots) // not before due, so the tick after
	slot := at % wheelSlots
	first := w.slots[slot]
	s.links, s.slot = wheelLinks{next: first}, int16(slot)+1
	if first != nil {
		first.links.prev = s
	}
	w.slots[slot] = s
}

// remove takes s out of its slot, if it is in one.
func (w *wheel) remove(s *Session) {
	at := s.links
	if s.slot == 0 {
		return
	}
	if at.prev != nil {
		at.prev.links.next = at.next
	} else {
		w.slots[s.slot-1] = at.next
	}
	if at.next != nil {
		at.next.links.prev = at.prev
	}
	s.links, s.slot = wheelLinks{}, 0
}

// turn takes out, and appends to due, the sessions of the slots up to now.
func (w *wheel) turn(now skein.Millis, due []*Session) []*Session {
	last := tickOf(now)
	if last-w.turned > wheelSlots {
		w.turned = last - wheelSlots // the clock jumped: one turn covers all slots
	}
	for w.turned < last {
		w.turned++
		slot := &w.slots[w.turned%wheelSlots]
		for *slot != nil {
			s := *slot
			w.remove(s)
			due = append(due, s)
		}
	}
	return due
}

func tickOf(m skein.Millis) int64 { return int64(m) / tick.Milliseconds() }
