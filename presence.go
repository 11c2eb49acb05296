package skein

// Presence is whether a client is online, and on what.
type Presence struct {
	Client  string
	Devices DeviceSet // zero: it is not online
	Seen    Millis    // when it was last online; zero: it is, or that is not known
}

// MaxPresence bounds the clients of one question, and those one session may watch.
const MaxPresence = 500
