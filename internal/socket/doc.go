// Package socket is the WebSocket end of the server: GET /im/socket, RFC 6455,
// login, and commands dispatched through the op table. It knows frames and
// nothing of what a command does; the sessions and what waits for them are package
// hub's.
//
// A socket that waits costs a goroutine with the smallest stack and a small struct:
// it holds no buffer for reading or writing and no frame reader, has no writer
// goroutine, and once logged in no timer.
//
// One goroutine reads a socket and runs its commands one after the other. Before
// the login it also writes the answers; after it, answers and events go through
// the session's outbox. conn.writing is taken inside the hub's Session.writer, and
// inside it only what the hub takes when it is told that a write has to wait.
package socket
