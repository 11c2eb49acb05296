package socket

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// tcpPair is a socket of a server that nobody serves, and its peer.
func tcpPair(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	f := start(t, nil)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	peer, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close(); _ = peer.Close() })
	return newConn(f.socket, nc, "127.0.0.1", 0), peer
}

func TestAWriteTellsBeforeItWaits(t *testing.T) {
	c, peer := tcpPair(t)
	told := 0
	read := make(chan []byte, 1)
	const big = 16 << 20 // more than the kernel holds for a socket
	drain := func() {
		told++
		go func() {
			all := make([]byte, big)
			_, _ = io.ReadFull(peer, all)
			read <- all
		}()
	}
	if err := c.WriteFrames([][]byte{[]byte("small")}, drain); err != nil || told != 0 {
		t.Fatalf("a small frame: %v, told %d times, want never", err, told)
	}
	small := make([]byte, 2+len("small"))
	if _, err := io.ReadFull(peer, small); err != nil {
		t.Fatal(err)
	}
	frame := bytes.Repeat([]byte("x"), big)
	if err := c.WriteFrames([][]byte{frame}, drain); err != nil || told == 0 {
		t.Fatalf("a frame that waits for its peer to read: %v, told %d times", err, told)
	}
	if all := <-read; !bytes.HasSuffix(all, frame[:1000]) {
		t.Errorf("got %q at the end, want what was sent", all[big-1000:])
	}
}

func TestAWriteTellsBeforeItWaitsForAnother(t *testing.T) {
	c, _ := tcpPair(t)
	for name, write := range map[string]func(func()) error{
		"frames": func(waits func()) error { return c.WriteFrames([][]byte{[]byte("x")}, waits) },
		"a ping": c.Ping,
	} {
		c.writing.Lock()
		told := 0
		err := write(func() {
			told++
			c.writing.Unlock()
		})
		if err != nil || told != 1 {
			t.Errorf("%s: %v, told %d times, want once", name, err, told)
		}
	}
}
