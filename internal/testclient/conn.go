// Package testclient speaks Skein's documented protocol: REST calls, WebSocket
// sessions, tokens. The load generator and the black-box tests share it. It knows
// nothing of the server's packages and nothing of package testing.
package testclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// Conn is one WebSocket to /im/socket, made for 20,000 of them in a process: it starts
// no goroutine, and its one buffer begins small and grows with the frames that arrive.
// One goroutine reads; Queue, Flush and Send are safe for concurrent use.
type Conn struct {
	Net       net.Conn
	WriteWait time.Duration // of one flush; zero: it may take for ever
	Pings     atomic.Int64  // received
	Mute      atomic.Bool   // pings are not answered
	TellPongs bool          // Next returns each pong too, as "pong " and its payload

	in         []byte
	start, end int // the bytes of in that were received and not yet handled

	mu  sync.Mutex
	out []byte // frames to write; guarded by mu
}

// Options of Dial. The zero value is good.
type Options struct {
	Header  http.Header // of the handshake
	Host    string      // the Host header; empty: that of the address
	TLS     *tls.Config // for a wss URL
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	Timeout time.Duration // of connection and handshake; zero: until ctx ends
}

const readBytes = 4 << 10 // what in begins with

// Dial opens a WebSocket to a URL such as ws://127.0.0.1:8080/im/socket.
func Dial(ctx context.Context, url string, o Options) (*Conn, error) {
	d := ws.Dialer{
		NetDial: o.NetDial, Timeout: o.Timeout, Host: o.Host, TLSConfig: o.TLS,
		Header: ws.HandshakeHeaderHTTP(o.Header), ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10,
	}
	conn, early, _, err := d.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	c := &Conn{Net: conn, in: make([]byte, readBytes)}
	if early != nil { // the server wrote frames right behind the handshake
		c.end, err = io.ReadAtLeast(early, c.in, early.Buffered())
		ws.PutReader(early)
		if err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// URL is the socket's URL at a host:port.
func URL(addr string) string { return "ws://" + addr + "/im/socket" }

// Close cuts the connection without a close frame.
func (c *Conn) Close() { _ = c.Net.Close() } // what is lost with it nobody waits for

// Queue masks a text frame for the next flush.
func (c *Conn) Queue(payload []byte) { c.QueueFrame(ws.OpText, payload) }

// QueueFrame masks a frame for the next flush.
func (c *Conn) QueueFrame(op ws.OpCode, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = AppendFrame(c.out, 0x80|byte(op), payload, true)
}

// AppendFrame appends a frame whose first byte is as given, so that a test can write
// frames that RFC 6455 forbids.
func AppendFrame(b []byte, first byte, payload []byte, masked bool) []byte {
	const short, long = 126, 127
	b = append(b, first)
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < short:
		b = append(b, bit|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, bit|short), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|long), uint64(n))
	}
	if !masked {
		return append(b, payload...)
	}
	var mask [4]byte
	binary.LittleEndian.PutUint32(mask[:], rand.Uint32()) //nolint:gosec // masks need not be secret here
	b = append(b, mask[:]...)
	at := len(b)
	b = append(b, payload...)
	ws.Cipher(b[at:], mask, 0)
	return b
}

// Flush writes what is queued.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 {
		return nil
	}
	if c.WriteWait > 0 {
		if err := c.Net.SetWriteDeadline(time.Now().Add(c.WriteWait)); err != nil {
			return err
		}
	}
	_, err := c.Net.Write(c.out)
	c.out = c.out[:0]
	return err
}

// Send queues a text frame and flushes.
func (c *Conn) Send(payload []byte) error {
	c.Queue(payload)
	return c.Flush()
}

// Loop hands each text frame to handle until the connection ends; a frame is valid
// until handle returns. What handle queues is written once all that arrived is handled.
func (c *Conn) Loop(handle func(frame []byte)) error {
	for {
		frame, err := c.Next()
		if err != nil {
			return err
		}
		handle(frame)
		if !c.whole() {
			if err := c.Flush(); err != nil {
				return err
			}
		}
	}
}

// CloseError says that the server closed the socket with a close frame.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("the server closed the socket: %d %s", e.Code, e.Reason)
}

// Next is the next text frame; it is valid until the next call. Pings and close frames
// are answered here.
func (c *Conn) Next() ([]byte, error) {
	for {
		for !c.whole() {
			if err := c.fill(); err != nil {
				return nil, err
			}
		}
		op, head, n := c.head()
		first := c.in[c.start]
		payload := c.in[c.start+head : c.start+head+n]
		c.start += head + n
		switch {
		case first&0xf0 != 0x80:
			return nil, fmt.Errorf("a frame that is fragmented or has reserved bits: first byte %#x", first)
		case op == ws.OpText:
			return payload, nil
		case op == ws.OpPing:
			c.Pings.Add(1)
			if c.Mute.Load() {
				continue
			}
			c.QueueFrame(ws.OpPong, payload)
			if err := c.Flush(); err != nil {
				return nil, err
			}
		case op == ws.OpPong && c.TellPongs:
			return append([]byte("pong "), payload...), nil
		case op == ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			c.QueueFrame(ws.OpClose, payload)
			_ = c.Flush() // the server may not wait for it
			return nil, &CloseError{int(code), reason}
		}
	}
}

// head reads the header of the frame at start; n is -1 if it has not arrived whole.
// A server's frame with a mask is too long to be one.
func (c *Conn) head() (op ws.OpCode, head, n int) {
	b := c.in[c.start:c.end]
	if len(b) < 2 {
		return 0, 0, -1
	}
	op, n = ws.OpCode(b[0]&0x0f), int(b[1])
	switch {
	case n < 126:
		return op, 2, n
	case n == 126 && len(b) >= 4:
		return op, 4, int(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		return op, 10, int(binary.BigEndian.Uint64(b[2:]))
	case n > 127:
		return op, 0, maxFrame + 1
	default:
		return op, 0, -1
	}
}

// whole reports whether all of a frame has arrived.
func (c *Conn) whole() bool {
	_, head, n := c.head()
	return n >= 0 && c.end-c.start >= head+n
}

// maxFrame is far more than a server sends.
const maxFrame = 64 << 20

// fill reads what has arrived, after making room for the frame that began.
func (c *Conn) fill() error {
	if c.start > 0 {
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	if _, head, n := c.head(); n > maxFrame {
		return errors.New("a frame of more than 64 MiB, or a masked one")
	} else if head+n > len(c.in) {
		c.in = append(c.in, make([]byte, head+n-len(c.in))...)
	}
	n, err := c.Net.Read(c.in[c.end:])
	c.end += n
	return err
}

// Refusal is an error answer, of REST or of the socket.
type Refusal struct {
	What    string // the call
	Code    int
	Message string
	Retry   time.Duration // the server asks to wait so long; zero: it names no time
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s was refused: %d %s", r.What, r.Code, r.Message)
}

// Ask sends a command and reads until its answer, dropping the pushes before it; the
// answer is valid until the next read. An error answer is a *Refusal. name is the
// command's type.
func (c *Conn) Ask(name string, command []byte, limit time.Duration) ([]byte, error) {
	if err := c.Net.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	if err := c.Send(command); err != nil {
		return nil, err
	}
	success, failure := []byte(`{"type":"`+name+`.success"`), []byte(`{"type":"`+name+`.error"`)
	for {
		frame, err := c.Next()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case bytes.HasPrefix(frame, failure):
			var f Frame
			err := json.Unmarshal(frame, &f)
			return nil, errors.Join(err, &Refusal{name, f.Code, f.Msg, time.Duration(f.Retry) * time.Millisecond})
		case bytes.HasPrefix(frame, success):
			return frame, c.Net.SetReadDeadline(time.Time{})
		}
	}
}
