package socket

import (
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/wire"
)

// The hub ends sessions with codes of its own, as it may not import package wire.
// This does not compile unless they are the same.
const _ = uint8(hub.CloseKicked-wire.CloseKicked) + uint8(wire.CloseKicked-hub.CloseKicked) +
	uint8(hub.CloseSilent-wire.CloseSilent) + uint8(wire.CloseSilent-hub.CloseSilent) +
	uint8(hub.CloseSlow-wire.CloseSlowReader) + uint8(wire.CloseSlowReader-hub.CloseSlow)

const goingAway = "server is going away"

// strikesOf is how many handshakes a socket that ended like that costs its address:
// a client that floods must not simply reconnect and go on.
func strikesOf(end *frame.End) int {
	if end.Code == wire.CloseRate && !end.ByPeer {
		return 20
	}
	return 0
}
