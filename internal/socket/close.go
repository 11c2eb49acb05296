package socket

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/wire"
)

// Close codes of RFC 6455 that the server sends or answers. Those of the protocol
// are in package wire.
const (
	closeNormal      = int(ws.StatusNormalClosure)
	closeGoingAway   = int(ws.StatusGoingAway)
	closeProtocol    = int(ws.StatusProtocolError)
	closeUnsupported = int(ws.StatusUnsupportedData)
	closeNoStatus    = int(ws.StatusNoStatusRcvd) // a close frame without a code
	closeInvalidText = int(ws.StatusInvalidFramePayloadData)
	closeTooBig      = int(ws.StatusMessageTooBig)
	closeTryAgain    = 1013 // of the IANA registry: the server is overloaded
)

// The hub ends sessions with codes of its own, as it may not import package wire.
// This does not compile unless they are the same.
const _ = uint8(hub.CloseKicked-wire.CloseKicked) + uint8(wire.CloseKicked-hub.CloseKicked) +
	uint8(hub.CloseSilent-wire.CloseSilent) + uint8(wire.CloseSilent-hub.CloseSilent) +
	uint8(hub.CloseSlow-wire.CloseSlowReader) + uint8(wire.CloseSlowReader-hub.CloseSlow)

const goingAway = "server is going away"

// farewell ends the reading of a socket: the close frame that answers what came.
type farewell struct {
	code   int
	reason string
	byPeer bool // the peer closed; code answers its own
}

// Error makes a farewell what a reader returns.
func (f *farewell) Error() string { return f.reason }

// strikesOf is how many handshakes its address pays for a socket that ended like
// that: whoever floods must not simply come back and go on.
func strikesOf(bye *farewell) int {
	if bye.code == wire.CloseRate && !bye.byPeer {
		return 20
	}
	return 0
}

var (
	errMasked        = &farewell{code: closeProtocol, reason: "frames to the server must be masked"}
	errReservedBits  = &farewell{code: closeProtocol, reason: "reserved bits are set"}
	errOpcode        = &farewell{code: closeProtocol, reason: "unknown opcode"}
	errControl       = &farewell{code: closeProtocol, reason: "control frame is fragmented or over 125 bytes"}
	errContinuation  = &farewell{code: closeProtocol, reason: "continuation of nothing"}
	errInterleaved   = &farewell{code: closeProtocol, reason: "new message inside a fragmented one"}
	errLength        = &farewell{code: closeProtocol, reason: "malformed length"}
	errCloseFrame    = &farewell{code: closeProtocol, reason: "malformed close frame"}
	errCloseReason   = &farewell{code: closeInvalidText, reason: "close reason is not UTF-8"}
	errText          = &farewell{code: closeInvalidText, reason: "text is not UTF-8"}
	errBinary        = &farewell{code: closeUnsupported, reason: "binary frames are not understood"}
	errMessageTooBig = &farewell{code: closeTooBig, reason: "message is too big"}
)

// answerClose is the farewell that answers a close frame with this payload.
func answerClose(payload []byte) *farewell {
	if len(payload) == 0 {
		return &farewell{code: closeNoStatus, byPeer: true}
	}
	if len(payload) == 1 {
		return errCloseFrame
	}
	code := binary.BigEndian.Uint16(payload)
	if !validCloseCode(code) {
		return errCloseFrame
	}
	if !utf8.Valid(payload[2:]) {
		return errCloseReason
	}
	return &farewell{code: int(code), byPeer: true}
}

// validCloseCode reports whether a peer may send the code: those that RFC 6455
// and the IANA registry define for the wire, and those left to applications.
func validCloseCode(code uint16) bool {
	switch {
	case 1000 <= code && code <= 1003, 1007 <= code && code <= 1014:
		return true
	default:
		return 3000 <= code && code <= 4999
	}
}

// maxReason is the room for a reason in a close frame, in bytes.
const maxReason = ws.MaxControlFramePayloadSize - 2

// appendClose appends a close frame; reason is ASCII.
func appendClose(dst []byte, code int, reason string) []byte {
	if code == closeNoStatus {
		return append(dst, finalBit|byte(ws.OpClose), 0)
	}
	reason = reason[:min(len(reason), maxReason)]
	dst = append(dst, finalBit|byte(ws.OpClose), byte(2+len(reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}
