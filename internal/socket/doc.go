// Package socket serves WebSocket clients at GET /im/socket: the handshake, the login,
// and the commands, which it passes to the op table. It does not know what a command
// does. Package hub keeps the sessions and their outboxes.
//
// An idle socket costs one goroutine with the smallest stack and one small struct. It
// has no read buffer, no write buffer, no frame reader and no writer goroutine, and
// after the login no timer.
//
// One goroutine reads a socket and runs its commands in order. Before the login that
// goroutine also writes the answers. After the login, answers and events go through the
// session's outbox.
//
// Lock order: the hub's Session.writer, then conn.writing, then the locks that the hub
// takes in the waits callback.
package socket
