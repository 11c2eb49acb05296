package hub

import "github.com/skein-im/skein"

// Except names sessions of the addressed client that are left out of a delivery.
type Except struct {
	Device   string         // this device; empty: none
	Session  string         // the session with this id; empty: none
	Withheld skein.EventSet // sessions that do not get any of these events

	// Stamp is of the commit that the event is about: sessions whose clients could read it
	// when they logged in are left out. Zero: none is.
	Stamp int64
	// From and Upto leave out the sessions whose numbers are not greater than From, and those
	// whose numbers are greater than Upto; see Newest. Either leaves out those that have not entered
	// yet: their clients read the store later than now. Zero: none.
	From, Upto int64
}

// leavesOut reports whether a session does not get the event. shard.mu is held.
func (e *Except) leavesOut(s *Session) bool {
	return e.Device != "" && e.Device == s.device || e.Withheld&s.withheld != 0 || e.Session != "" && e.Session == s.id ||
		e.From != 0 && s.number <= e.From || e.Upto != 0 && (s.number > e.Upto || !s.entered) || s.saw.Has(e.Stamp)
}

// MayHave is false where no client with this mark (skein.MarkOf) has a session on this
// node. It skips the absent members of a large group without a look-up (BenchmarkMayHave).
func (h *Hub) MayHave(mark uint32) bool { return h.filter.mayHold(mark) }

// Deliver queues an event for the client's sessions on this node and says for how
// many. It never waits for a socket. frame is shared by every outbox: never write
// to it. It allocates nothing per session (TestDeliverAllocatesNothing).
func (h *Hub) Deliver(app, client string, frame []byte, except Except) (queued int) {
	who := address{app, client}
	sh := h.shardOf(who)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for s := sh.sessions[who]; s != nil; s = s.next {
		if !except.leavesOut(s) && s.deliver(frame, except.Stamp) {
			queued++
		}
	}
	return queued
}

// DeliverTo queues an event for one session of the client and reports whether it is
// queued, on the terms of Deliver.
func (h *Hub) DeliverTo(app, client, session string, frame []byte) bool {
	who := address{app, client}
	sh := h.shardOf(who)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	s := sh.sessionOf(who, session)
	return s != nil && s.deliver(frame, 0)
}

// Shards is how many parts the sessions of this node are in; see DeliverToShard.
const Shards = shardCount

// DeliverToShard queues an event for all sessions of one part of this node, from 0 to
// Shards-1, from which the event is not withheld, and says for how many. What goes to every session can
// so be spread over time.
func (h *Hub) DeliverToShard(shard int, frame []byte, kind skein.EventSet) (queued int) {
	for _, s := range h.shards[shard].all() {
		if kind&s.withheld == 0 && s.deliver(frame, 0) {
			queued++
		}
	}
	return queued
}
