// Package frame holds the frames of RFC 6455 as a server reads and writes them: bytes
// in whatever pieces they come become whole messages, and whatever breaks the rules
// ends the socket with the code that the RFC asks for. It reads from no socket and
// knows no command.
package frame

import (
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Receiver takes what a peer sent. Payloads lie in the bytes that were fed and are
// valid as long as those are. An error ends the reading.
type Receiver interface {
	MaxMessage() int64 // bytes of a message
	Text(message []byte) error
	Pinged(payload []byte) error
	Idle() error // a frame without content: a pong or a small fragment
}

// smallFragment is the payload, in bytes, below which a fragment costs more than
// what it brings.
const smallFragment = 64

// Reader makes messages of the bytes of one socket. Between messages it owns no memory.
// A message that comes whole in one piece is unmasked where it lies and never copied.
// The zero value is ready.
type Reader struct {
	rest    []byte    // of a header or control frame that has not come whole
	message []byte    // text of the message so far
	checked int       // bytes of message that are known to be whole runes
	frame   ws.Header // the data frame being read
	read    int64     // bytes of its payload that have come

	inFrame    bool // frame has bytes to come
	fragmented bool // a message is begun and its last frame not
	progress   bool // something came whole since Progress was asked
}

// Progress reports whether anything came whole since it was last asked.
func (r *Reader) Progress() bool {
	progress := r.progress
	r.progress = false
	return progress
}

// Size is how much memory the unfinished message takes, in bytes.
func (r *Reader) Size() int64 { return int64(cap(r.message)) }

// Between reports whether no message or frame is under way.
func (r *Reader) Between() bool { return r.rest == nil && !r.inFrame && !r.fragmented }

// Feed takes the next bytes and hands what they complete to the receiver. It writes to
// p. Errors: *End, or the receiver's.
func (r *Reader) Feed(p []byte, to Receiver) error {
	if r.rest != nil {
		p = append(r.rest, p...)
		r.rest = nil
	}
	for len(p) > 0 {
		n, err := r.next(p, to)
		if err != nil {
			return err
		}
		if n == 0 {
			r.rest = append([]byte(nil), p...)
			return nil
		}
		p = p[n:]
	}
	return nil
}

// next takes one step into p and says how many bytes it took; zero: it needs more
// than there is.
func (r *Reader) next(p []byte, to Receiver) (int, error) {
	if r.inFrame {
		return r.resume(p, to)
	}
	h, size, err := parseHeader(p)
	if err != nil || size == 0 {
		return 0, err
	}
	if err := checkHeader(h, r.fragmented); err != nil {
		return 0, err
	}
	if h.OpCode.IsControl() {
		return r.control(h, p, size, to)
	}
	if h.Length > to.MaxMessage()-int64(len(r.message)) {
		return 0, errMessageTooBig
	}
	if whole := size + int(h.Length); !r.fragmented && h.Fin && len(p) >= whole {
		return whole, r.single(h, p[size:whole], to)
	}
	r.frame, r.read, r.inFrame = h, 0, true
	n, err := r.resume(p[size:], to)
	return size + n, err
}

// control handles a control frame, once it is whole.
func (r *Reader) control(h ws.Header, p []byte, size int, to Receiver) (int, error) {
	whole := size + int(h.Length)
	if len(p) < whole {
		return 0, nil
	}
	payload := p[size:whole]
	ws.Cipher(payload, h.Mask, 0)
	r.progress = r.progress || !r.fragmented // within a message it is no progress of that
	switch h.OpCode {
	case ws.OpPing:
		return whole, to.Pinged(payload)
	case ws.OpClose:
		return 0, answerClose(payload)
	default:
		return whole, to.Idle()
	}
}

// single handles a message of one frame that is there as a whole.
func (r *Reader) single(h ws.Header, payload []byte, to Receiver) error {
	ws.Cipher(payload, h.Mask, 0)
	if !utf8.Valid(payload) {
		return errText
	}
	r.progress = true
	return to.Text(payload)
}

// resume takes bytes of the data frame at hand, and ends it when it has all.
func (r *Reader) resume(p []byte, to Receiver) (int, error) {
	n := int(min(r.frame.Length-r.read, int64(len(p))))
	start := len(r.message)
	r.message = append(r.message, p[:n]...)
	ws.Cipher(r.message[start:], r.frame.Mask, int(r.read%4))
	r.read += int64(n)
	if !r.checkText() {
		return 0, errText
	}
	if r.read < r.frame.Length {
		return n, nil
	}
	return n, r.endFrame(to)
}

// endFrame ends a data frame, and the message with its last one.
func (r *Reader) endFrame(to Receiver) error {
	r.inFrame = false
	r.fragmented = !r.frame.Fin
	if r.fragmented {
		if r.frame.Length < smallFragment {
			return to.Idle()
		}
		return nil
	}
	message := r.message
	whole := r.checked == len(message)
	r.message, r.checked, r.progress = nil, 0, true
	if !whole {
		return errText // it ends within a rune
	}
	return to.Text(message)
}

// checkText checks what came since the last call and reports whether the message
// can still become UTF-8.
func (r *Reader) checkText() bool {
	fresh := r.message[r.checked:]
	whole := wholeRunes(fresh)
	if !utf8.Valid(fresh[:whole]) {
		return false
	}
	r.checked += whole
	return true
}

// wholeRunes is the length of p without a last rune that is still incomplete but
// may become one.
func wholeRunes(p []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if start := len(p) - back; utf8.RuneStart(p[start]) {
			if !utf8.FullRune(p[start:]) {
				return start
			}
			break
		}
	}
	return len(p)
}
