package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// socket is one WebSocket of the generator. With 20,000 of them in a process each
// has one goroutine, which reads, and one small buffer, which grows with the frames
// that come. Reading belongs to that goroutine; queue, flush and send are safe for
// concurrent use.
type socket struct {
	conn       net.Conn
	in         []byte
	start, end int // what of in was read from the connection and not yet handled

	mu  sync.Mutex
	out []byte // frames to be written; guarded by mu
}

const readBytes = 4 << 10

// dial opens a socket.
func (h *host) dial(ctx context.Context) (*socket, error) {
	d := ws.Dialer{NetDial: h.from.dial, Timeout: dialTimeout, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	conn, early, _, err := d.Dial(ctx, "ws://"+h.addr+"/im/socket")
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, in: make([]byte, readBytes)}
	if early != nil { // the server spoke right behind the handshake
		s.end, err = io.ReadAtLeast(early, s.in, early.Buffered())
		ws.PutReader(early)
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *socket) close() { _ = s.conn.Close() } // nobody waits for what is lost with it

// queue masks a text frame for the next flush.
func (s *socket) queue(payload []byte) { s.queueFrame(ws.OpText, payload) }

func (s *socket) queueFrame(op ws.OpCode, payload []byte) {
	const masked, short, long = 0x80, 126, 127
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = append(s.out, 0x80|byte(op))
	switch n := len(payload); {
	case n < short:
		s.out = append(s.out, masked|byte(n))
	case n <= 0xffff:
		s.out = binary.BigEndian.AppendUint16(append(s.out, masked|short), uint16(n))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, masked|long), uint64(n))
	}
	var mask [4]byte
	binary.LittleEndian.PutUint32(mask[:], rand.Uint32()) //nolint:gosec // masks need not be secret here
	s.out = append(s.out, mask[:]...)
	at := len(s.out)
	s.out = append(s.out, payload...)
	ws.Cipher(s.out[at:], mask, 0)
}

// flush writes what is queued.
func (s *socket) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

func (s *socket) send(payload []byte) error {
	s.queue(payload)
	return s.flush()
}

// loop hands each text frame to handle until the socket is over; a frame is good
// until handle returns. What handle queues is written when all that came is handled.
func (s *socket) loop(handle func(frame []byte)) error {
	for {
		frame, err := s.next()
		if err != nil {
			return err
		}
		handle(frame)
		if !s.whole() {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
}

// next is the next text frame; good until the next call.
func (s *socket) next() ([]byte, error) {
	for {
		for !s.whole() {
			if err := s.fill(); err != nil {
				return nil, err
			}
		}
		op, head, n := s.head()
		payload := s.in[s.start+head : s.start+head+n]
		s.start += head + n
		switch op {
		case ws.OpText:
			return payload, nil
		case ws.OpPing:
			s.queueFrame(ws.OpPong, payload)
			if err := s.flush(); err != nil {
				return nil, err
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return nil, fmt.Errorf("the server closed the socket: %d %s", code, reason)
		}
	}
}

// head is what the frame at start says of itself; n is -1 where too little is there.
// Servers neither mask nor, this one, fragment.
func (s *socket) head() (op ws.OpCode, head, n int) {
	b := s.in[s.start:s.end]
	if len(b) < 2 {
		return 0, 0, -1
	}
	op, n = ws.OpCode(b[0]&0x0f), int(b[1]&0x7f)
	switch {
	case n < 126:
		return op, 2, n
	case n == 126 && len(b) >= 4:
		return op, 4, int(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		return op, 10, int(binary.BigEndian.Uint64(b[2:]))
	default:
		return op, 0, -1
	}
}

// whole says that all of a frame is there.
func (s *socket) whole() bool {
	_, head, n := s.head()
	return n >= 0 && s.end-s.start >= head+n
}

// maxFrame is far past what a server answers.
const maxFrame = 64 << 20

// fill reads what is there, after making room for the frame that began.
func (s *socket) fill() error {
	if s.start > 0 {
		s.end = copy(s.in, s.in[s.start:s.end])
		s.start = 0
	}
	if _, head, n := s.head(); n > maxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	} else if head+n > len(s.in) {
		s.in = append(s.in, make([]byte, head+n-len(s.in))...)
	}
	n, err := s.conn.Read(s.in[s.end:])
	s.end += n
	return err
}

// refusal is an error answer.
type refusal struct {
	what string
	code int
	raw  string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s was refused: %s", r.what, r.raw) }

const (
	codeUnauthenticated = 4003
	codeTooMany         = 4290
)

// ask sends a command and waits for its answer, past events. The answer is good
// until the next read.
func (s *socket) ask(name string, command []byte) ([]byte, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(maxPatience)); err != nil {
		return nil, err
	}
	if err := s.send(command); err != nil {
		return nil, err
	}
	success, failure := []byte(`{"type":"`+name+`.success"`), []byte(`{"type":"`+name+`.error"`)
	for {
		frame, err := s.next()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case bytes.HasPrefix(frame, failure):
			return nil, &refusal{name, int(number(frame, `"code":`)), string(frame)}
		case bytes.HasPrefix(frame, success):
			return frame, s.conn.SetReadDeadline(time.Time{})
		}
	}
}

// login logs the client in; the token is empty where none is needed.
func (s *socket) login(app, client, device, token string) error {
	command := `{"type":"login","data":{"app_id":"` + app + `","client_id":"` + client + `","device_id":"` + device + `"`
	if token != "" {
		command += `,"token":"` + token + `"`
	}
	_, err := s.ask("login", []byte(command+`}}`))
	return err
}

// device is the one that clients of the bench log in on.
const device = "bench"

// join opens a socket of a client and logs it in.
func (h *host) join(ctx context.Context, client string) (*socket, error) {
	return h.joinOn(ctx, client, device)
}

func (h *host) joinOn(ctx context.Context, client, device string) (*socket, error) {
	token, err := h.tokenOf(ctx, client)
	if err != nil {
		return nil, err
	}
	s, err := h.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial for %s: %w", client, err)
	}
	if err := s.login(h.app, client, device, token); err != nil {
		s.close()
		return nil, fmt.Errorf("client %s: %w", client, err)
	}
	return s, nil
}

// joinAll opens a socket for each of the clients. On an error none is left open.
func (h *host) joinAll(ctx context.Context, clients []string) ([]*socket, error) {
	sockets := make([]*socket, len(clients))
	err := parallel(ctx, len(clients), setupConnections, func(ctx context.Context, i int) error {
		var err error
		sockets[i], err = h.join(ctx, clients[i])
		return err
	})
	if err != nil {
		closeAll(sockets)
		return nil, err
	}
	return sockets, nil
}

func closeAll(sockets []*socket) {
	for _, s := range sockets {
		if s != nil {
			s.close()
		}
	}
}

// closedByUs says that a read ended since the socket was closed on this side.
func closedByUs(err error) bool { return errors.Is(err, net.ErrClosed) }
