package frame

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

const (
	finalBit = 0x80
	maskBit  = 0x80
)

// parseHeader reads a frame header from the start of p. size is its length in
// bytes; zero: p ends within it. Unlike ws.ReadHeader it allocates nothing and
// takes what is there.
func parseHeader(p []byte) (h ws.Header, size int, err error) {
	if len(p) < ws.MinHeaderSize {
		return h, 0, nil
	}
	h.Fin = p[0]&finalBit != 0
	h.Rsv = p[0] >> 4 & 7
	h.OpCode = ws.OpCode(p[0] & 0x0f)
	h.Masked = p[1]&maskBit != 0

	short := p[1] &^ maskBit
	size = headerSize(short, h.Masked)
	if len(p) < size {
		return h, 0, checkOpening(h) // no need to wait for the rest of a header that is wrong already
	}
	switch short {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(p[2:]))
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(p[2:]))
	default:
		h.Length = int64(short)
	}
	if h.Masked {
		copy(h.Mask[:], p[size-len(h.Mask):])
	}
	return h, size, nil
}

func headerSize(short byte, masked bool) int {
	size := ws.MinHeaderSize
	switch short {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if masked {
		size += 4
	}
	return size
}

// checkOpening holds the first two bytes of a frame to RFC 6455.
func checkOpening(h ws.Header) error {
	switch {
	case h.Rsv != 0:
		return errReservedBits
	case h.OpCode.IsReserved():
		return errOpcode
	case !h.Masked:
		return errMasked
	default:
		return nil
	}
}

// checkHeader holds a whole header to RFC 6455; fragmented: a message is begun.
func checkHeader(h ws.Header, fragmented bool) error {
	if err := checkOpening(h); err != nil {
		return err
	}
	switch {
	case h.Length < 0:
		return errLength
	case h.OpCode.IsControl() && (!h.Fin || h.Length > ws.MaxControlFramePayloadSize):
		return errControl
	case h.OpCode == ws.OpContinuation && !fragmented:
		return errContinuation
	case h.OpCode.IsData() && h.OpCode != ws.OpContinuation && fragmented:
		return errInterleaved
	case h.OpCode == ws.OpBinary:
		return errBinary
	default:
		return nil
	}
}

// AppendTextHeader appends the header of an unmasked, unfragmented text frame.
func AppendTextHeader(dst []byte, length int) []byte {
	dst = append(dst, finalBit|byte(ws.OpText))
	switch {
	case length <= ws.MaxControlFramePayloadSize:
		return append(dst, byte(length))
	case length <= 0xffff:
		dst = append(dst, 126)
		return binary.BigEndian.AppendUint16(dst, uint16(length))
	default:
		dst = append(dst, 127)
		return binary.BigEndian.AppendUint64(dst, uint64(length))
	}
}

// AppendControl appends an unmasked control frame; payload is at most 125 bytes.
func AppendControl(dst []byte, op ws.OpCode, payload []byte) []byte {
	dst = append(dst, finalBit|byte(op), byte(len(payload)))
	return append(dst, payload...)
}
