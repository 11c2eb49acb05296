package socket

import (
	"net"
	"testing"
)

func TestASocketKeepsAFrameReaderOnlyWhileAFrameIsUnderWay(t *testing.T) {
	f := start(t, nil)
	client, server := net.Pipe()
	defer func() { _ = client.Close() }()
	c := newConn(f.socket, server, "pipe", 0)
	pong := []byte{0x8a, 0x80, 1, 2, 3, 4}
	for name, tt := range map[string]struct {
		pieces [][]byte
		want   bool
	}{
		"a whole frame":                       {[][]byte{pong}, false},
		"a piece of a frame":                  {[][]byte{pong[:3]}, true},
		"a frame in pieces":                   {[][]byte{pong[:1], pong[1:5], pong[5:]}, false},
		"a frame and a piece of another":      {[][]byte{append(pong[:6:6], pong[:1]...)}, true},
		"a fragment whose message goes on":    {[][]byte{{0x01, 0x81, 0, 0, 0, 0, 'x'}}, true},
		"a fragment whose payload is to come": {[][]byte{{0x01, 0x82, 0, 0, 0, 0, 'x'}}, true},
	} {
		c.frames = nil
		for _, p := range tt.pieces {
			if err := c.feed(append([]byte(nil), p...)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := c.frames != nil; got != tt.want {
			t.Errorf("after %s: keeps a frame reader: %v, want %v", name, got, tt.want)
		}
	}
}
