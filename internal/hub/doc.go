// Package hub holds the sessions attached to this node and the frames waiting for
// them. It knows no protocol: a frame is bytes, and what a socket is the Conn
// knows. Nor does it know other nodes, conversations or the store.
//
// A session that something waits for is put into a queue, of which there are as many
// as the machine runs goroutines at once: each has one writer, and none while it is
// empty, so no lock is shared by all. All that waits for a session goes out in one
// write. A writer that has to wait, for a peer that does not read or for another who
// writes, leaves its place to a new one first and waits with that session alone.
// What waits is bounded; a session past its bound is closed, and no other session
// notices.
//
// # Lock order
//
// Session.writer, then shard.mu, then Session.mu or queue.mu; each may be skipped,
// none is taken against this order.
//
//   - Session.writer is held across network writes, so nothing that must not wait
//     takes it: not Deliver, not the sweeper, not Attach.
//   - shard.mu guards who is attached and the timing wheel; never held across a
//     call of a Conn.
//   - Options.Came and Options.Left are called under none but, for a session that
//     ends while it is written to, its Session.writer.
//   - Who holds a lock of its own may call Deliver, Devices and Attached, as presence
//     does with Presence.mu; so what Came and Left lead to must not take that lock.
//   - Session.mu guards the outbox, queue.mu who is in the queue and how many
//     writers there are. They are the innermost: nothing is called under them, nor
//     is one taken inside the other.
package hub
