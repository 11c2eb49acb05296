package hub

// Conn is a socket as the hub needs it. The hub calls WriteFrames and Ping of one
// Conn one at a time, and Close possibly beside them.
type Conn interface {
	// WriteFrames writes all frames with one write, or fails. It may wait, but only
	// for a bounded time, and calls waits before it does; nil: nobody needs to know.
	// It neither changes nor keeps the frames.
	WriteFrames(frames [][]byte, waits func()) error
	// Ping asks the peer for a sign of life, and waits on the same terms.
	Ping(waits func()) error
	// Close tries to send a close frame and closes the socket; only the first call counts.
	// With CloseAbnormal it closes at once, even after another call.
	Close(code int, reason string)
}

// Close codes that the hub ends sessions with.
const (
	CloseGoingAway = 1001 // the node drains
	CloseElsewhere = 1012 // this node cannot serve; another one may
	CloseAbnormal  = 1006 // never on the wire: the socket is cut
	CloseKicked    = 4401 // replaced, one device too many, token over, banned …
	CloseSilent    = 4504 // nothing heard for two heartbeats
	CloseSlow      = 4508 // reads too slowly: its outbox is full
)
