package testclient

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// trickle writes a few bytes at a time, so that frames come in pieces.
func trickle(conn net.Conn, b []byte, step int) {
	defer conn.Close()
	for len(b) > 0 {
		n := min(step, len(b))
		if _, err := conn.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
}

func readFrame(r io.Reader) (frame ws.Frame, err error) {
	if frame.Header, err = ws.ReadHeader(r); err != nil {
		return frame, err
	}
	frame.Payload = make([]byte, frame.Header.Length)
	_, err = io.ReadFull(r, frame.Payload)
	return frame, err
}

func TestFramesComeWholeHoweverTheyArrive(t *testing.T) {
	var stream bytes.Buffer
	sizes := []int{0, 1, 125, 126, readBytes - 4, readBytes, 65535, 65536, 3}
	for _, size := range sizes {
		if err := ws.WriteFrame(&stream, ws.NewTextFrame(bytes.Repeat([]byte{'x'}, size))); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []int{1, 7, 4096, stream.Len()} {
		client, server := net.Pipe()
		go trickle(server, stream.Bytes(), step)
		var got []int
		err := (&Conn{Net: client, in: make([]byte, readBytes)}).Loop(func(frame []byte) { got = append(got, len(frame)) })
		if !errors.Is(err, io.EOF) || len(got) != len(sizes) {
			t.Fatalf("%d bytes at a time: got frames of %v, %v, want %v", step, got, err, sizes)
		}
		for i := range sizes {
			if got[i] != sizes[i] {
				t.Fatalf("%d bytes at a time: got frames of %v, want %v", step, got, sizes)
			}
		}
	}
}

func TestPingsAreAnsweredAndClosesAreTold(t *testing.T) {
	client, server := net.Pipe()
	s := &Conn{Net: client, in: make([]byte, readBytes)}
	var over error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		over = s.Loop(func([]byte) {})
	}()
	if err := ws.WriteFrame(server, ws.NewPingFrame([]byte("hello"))); err != nil {
		t.Fatal(err)
	}
	pong, err := readFrame(server)
	if err != nil || pong.Header.OpCode != ws.OpPong || !pong.Header.Masked || string(ws.UnmaskFrame(pong).Payload) != "hello" {
		t.Errorf("answer to a ping: got %+v, %v", pong, err)
	}
	if err := ws.WriteFrame(server, ws.NewCloseFrame(ws.NewCloseFrameBody(4508, "slow"))); err != nil {
		t.Fatal(err)
	}
	if answer, err := readFrame(server); err != nil || answer.Header.OpCode != ws.OpClose {
		t.Errorf("answer to a close frame: got %+v, %v", answer, err)
	}
	<-ended
	if over == nil || !strings.Contains(over.Error(), "4508 slow") {
		t.Errorf("end of the socket: got %v, want 4508 slow", over)
	}
}

func TestWhatIsQueuedIsMaskedAndWrittenAtOnce(t *testing.T) {
	client, server := net.Pipe()
	s := &Conn{Net: client}
	texts := []string{"", "short", strings.Repeat("m", 126), strings.Repeat("l", 70000)}
	for _, text := range texts {
		s.Queue([]byte(text))
	}
	flushed := make(chan error, 1)
	go func() { flushed <- s.Flush() }()
	for _, want := range texts {
		frame, err := readFrame(server)
		if err != nil || !frame.Header.Masked || frame.Header.OpCode != ws.OpText || string(ws.UnmaskFrame(frame).Payload) != want {
			t.Fatalf("got %+v, %v, want a masked text of %d bytes", frame.Header, err, len(want))
		}
	}
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}
