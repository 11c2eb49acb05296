package socket

import (
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/wire"
)

// The hub has its own constants for close codes, because it may not import package
// wire. This line compiles only if both have the same values.
const _ = uint8(hub.CloseKicked-wire.CloseKicked) + uint8(wire.CloseKicked-hub.CloseKicked) +
	uint8(hub.CloseSilent-wire.CloseSilent) + uint8(wire.CloseSilent-hub.CloseSilent) +
	uint8(hub.CloseSlow-wire.CloseSlowReader) + uint8(wire.CloseSlowReader-hub.CloseSlow)

const goingAway = "server is going away"

// penaltyOf is how many handshakes the end of a socket costs its address. It keeps a
// client that floods from reconnecting at once.
func penaltyOf(end *frame.End) int {
	if end.Code == wire.CloseRate && !end.ByPeer {
		return 20
	}
	return 0
}
