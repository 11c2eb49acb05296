// Package hub holds the sessions of this node and the frames that wait for them. It
// knows no protocol: a frame is bytes, and a socket is a Conn. It knows no other nodes,
// conversations or store, and decides nothing about who may stay: the store's Sessions
// do.
//
// A session with frames to write is put into a queue. There are as many queues as the
// machine runs goroutines at once, so that no lock is shared by all sessions. A queue
// has one writer, and none while it is empty. The writer sends all that waits for a
// session in one write. Before it waits, for a peer that does not read or for another
// writer of the same session, it starts a new writer for the queue and stays with that
// session alone. A session past the bound of what may wait is closed, and no other
// session notices.
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
//   - Options.Left is called under none but, for a session that ends while it is
//     written to, its Session.writer.
//   - A caller may hold a lock of its own when it calls Deliver, DeliverTo and Attached,
//     as presence does with Presence.mu; so what Left leads to must not take that lock.
//   - Session.mu guards the outbox, queue.mu who is in the queue and how many
//     writers there are. They are the innermost: nothing is called under them, nor
//     is one taken inside the other.
package hub
