// Package skein is the domain of the messaging server: apps, clients,
// conversations, members, messages, and the rules and errors that hold for them
// whatever the transport or the store. It knows no SQL, HTTP, JSON or socket.
package skein
