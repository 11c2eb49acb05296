package socket

import (
	"bytes"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/skein-im/skein/internal/wire"

	"github.com/skein-im/skein/internal/socket/frame"
)

// tracer records the calls of a frame.Reader.
type tracer struct {
	t     *testing.T
	trace []string
}

func (r *tracer) Text(message []byte) error {
	if !utf8.Valid(message) || len(message) > wire.MaxBody {
		r.t.Errorf("told a text of %d bytes, valid %v", len(message), utf8.Valid(message))
	}
	r.trace = append(r.trace, fmt.Sprintf("text %q", message))
	return nil
}

func (r *tracer) Pinged(payload []byte) error {
	if len(payload) > 125 {
		r.t.Errorf("told a ping of %d bytes", len(payload))
	}
	r.trace = append(r.trace, fmt.Sprintf("ping %q", payload))
	return nil
}

func (*tracer) MaxMessage() int64 { return wire.MaxBody }

func (r *tracer) Idle() error {
	r.trace = append(r.trace, "idle")
	return nil
}

// traceOf is the trace of a stream that arrives in pieces of n bytes.
func traceOf(t *testing.T, stream []byte, n int) []string {
	var frames frame.Reader
	r := &tracer{t: t}
	for len(stream) > 0 {
		piece := bytes.Clone(stream[:min(n, len(stream))]) // feed writes to it
		stream = stream[len(piece):]
		if err := frames.Feed(piece, r); err != nil {
			return append(r.trace, fmt.Sprintf("%#v", err))
		}
	}
	if frames.Between() && frames.Size() != 0 {
		t.Errorf("keeps %d bytes between messages", frames.Size())
	}
	return r.trace
}

// FuzzFrame checks that the trace of a stream does not depend on how it is cut into
// pieces, and that the receiver is never called for what RFC 6455 forbids.
func FuzzFrame(f *testing.F) {
	command, _ := echo("日本語 𝄞")
	for _, seed := range [][]byte{
		text(command),
		append(opening(command[:30]), last(command[30:])...),
		append(opening("a"), append(pingOf("x"), last("b")...)...),
		append(text("\xff"), closeCode(1000)...),
		append(pongOf(""), more("x")...),
		closing("\x03"),
		closing(codeBytes(1000) + "bye"),
		{0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4},
		unmasked(0x81, "x"),
	} {
		f.Add(seed, uint16(1))
		f.Add(seed, uint16(7))
	}
	f.Fuzz(func(t *testing.T, stream []byte, n uint16) {
		whole := traceOf(t, stream, max(len(stream), 1))
		pieces := traceOf(t, stream, int(n)+1)
		if fmt.Sprint(whole) != fmt.Sprint(pieces) {
			t.Errorf("stream %x\nwhole     %v\nin pieces %v", stream, whole, pieces)
		}
	})
}
