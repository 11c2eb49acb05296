package frame

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Close codes of RFC 6455 that the server sends or answers.
const (
	Normal      = int(ws.StatusNormalClosure)
	GoingAway   = int(ws.StatusGoingAway)
	TryAgain    = 1013 // of the IANA registry: the server is overloaded
	protocol    = int(ws.StatusProtocolError)
	unsupported = int(ws.StatusUnsupportedData)
	noStatus    = int(ws.StatusNoStatusRcvd) // a close frame without a code
	invalidText = int(ws.StatusInvalidFramePayloadData)
	tooBig      = int(ws.StatusMessageTooBig)
)

// End is why the reading of a socket ends: the close frame to answer with.
type End struct {
	Code   int
	Reason string
	ByPeer bool // the peer closed; Code answers its own
}

// Error makes an End what a reader returns.
func (e *End) Error() string { return e.Reason }

var (
	errMasked        = &End{Code: protocol, Reason: "frames to the server must be masked"}
	errReservedBits  = &End{Code: protocol, Reason: "reserved bits are set"}
	errOpcode        = &End{Code: protocol, Reason: "unknown opcode"}
	errControl       = &End{Code: protocol, Reason: "control frame is fragmented or over 125 bytes"}
	errContinuation  = &End{Code: protocol, Reason: "continuation of nothing"}
	errInterleaved   = &End{Code: protocol, Reason: "new message inside a fragmented one"}
	errLength        = &End{Code: protocol, Reason: "malformed length"}
	errCloseFrame    = &End{Code: protocol, Reason: "malformed close frame"}
	errCloseReason   = &End{Code: invalidText, Reason: "close reason is not UTF-8"}
	errText          = &End{Code: invalidText, Reason: "text is not UTF-8"}
	errBinary        = &End{Code: unsupported, Reason: "binary frames are not understood"}
	errMessageTooBig = &End{Code: tooBig, Reason: "message is too big"}
)

// answerClose is the end that answers a close frame with this payload.
func answerClose(payload []byte) *End {
	if len(payload) == 0 {
		return &End{Code: noStatus, ByPeer: true}
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
	return &End{Code: int(code), ByPeer: true}
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

// AppendClose appends a close frame; reason is ASCII and cut at 123 bytes.
func AppendClose(dst []byte, code int, reason string) []byte {
	if code == noStatus {
		return append(dst, finalBit|byte(ws.OpClose), 0)
	}
	reason = reason[:min(len(reason), maxReason)]
	dst = append(dst, finalBit|byte(ws.OpClose), byte(2+len(reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}
