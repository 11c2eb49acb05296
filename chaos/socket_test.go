package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// How long a client waits before it takes a connection for dead.
const (
	dialWait   = 3 * time.Second
	answerWait = 4 * time.Second
	quietWait  = time.Second     // then it asks whether the server is there
	deadWait   = 4 * time.Second // then it is not
)

var errClosed = errors.New("the socket is closed")

// frame is one text frame of the server.
type frame struct {
	Type string          `json:"type"`
	Msg  string          `json:"msg"`
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"`
	ID   string          `json:"id"`
}

// socket is a client's side of /im/socket over one TCP connection.
type socket struct {
	conn  net.Conn
	ended chan struct{} // closed when reading has ended

	write sync.Mutex // held while a frame is written

	mu      sync.Mutex
	calls   int                   // guarded by mu
	waiting map[string]chan frame // by id; guarded by mu
	events  []frame               // guarded by mu
	heard   time.Time             // guarded by mu
	news    chan struct{}
}

func dial(ctx context.Context, addr string) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	conn, buffered, _, err := ws.Dial(ctx, "ws://"+addr+"/im/socket")
	if err != nil {
		return nil, err
	}
	var r io.Reader = conn
	if buffered != nil {
		r = io.MultiReader(buffered, conn)
	}
	s := &socket{
		conn: conn, ended: make(chan struct{}), waiting: map[string]chan frame{},
		heard: time.Now(), news: make(chan struct{}, 1),
	}
	go s.readLoop(r)
	return s, nil
}

// close cuts the connection without a word and waits for the reader.
func (s *socket) close() {
	s.conn.Close()
	<-s.ended
}

func (s *socket) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

func (s *socket) readLoop(r io.Reader) {
	defer close(s.ended)
	defer s.conn.Close()
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(r, payload); err != nil {
			return
		}
		switch h.OpCode {
		case ws.OpPing:
			s.writeFrame(ws.NewPongFrame(payload))
		case ws.OpClose:
			s.writeFrame(ws.NewCloseFrame(payload))
		case ws.OpText:
			var f frame
			if err := json.Unmarshal(payload, &f); err != nil {
				return
			}
			s.dispatch(f)
		}
	}
}

// dispatch hands an answer to who waits for it and keeps an event in its place.
func (s *socket) dispatch(f frame) {
	s.mu.Lock()
	s.heard = time.Now()
	answer := s.waiting[f.ID]
	delete(s.waiting, f.ID)
	if f.ID == "" && f.Type != "pong" {
		s.events = append(s.events, f)
	}
	s.mu.Unlock()
	if answer != nil {
		answer <- f
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// next is the next event; ok is false when none came within limit.
func (s *socket) next(limit time.Duration) (f frame, ok bool, err error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.mu.Lock()
		if len(s.events) > 0 {
			f, s.events = s.events[0], s.events[1:]
			s.mu.Unlock()
			return f, true, nil
		}
		s.mu.Unlock()
		select {
		case <-s.news:
		case <-timer.C:
			return frame{}, false, nil
		case <-s.ended:
			return frame{}, false, errClosed
		}
	}
}

// silence is how long nothing has come.
func (s *socket) silence() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.heard)
}

func (s *socket) writeFrame(f ws.Frame) {
	s.write.Lock()
	defer s.write.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(answerWait))
	if err := ws.WriteFrame(s.conn, ws.MaskFrameInPlace(f)); err != nil {
		s.conn.Close() // the reader tells who waits
	}
}

func (s *socket) ping() { s.writeFrame(ws.NewTextFrame([]byte(`{"type":"ping"}`))) }

// ask sends a command and waits for its answer. An error says that none came: what
// was asked may have been done all the same.
func (s *socket) ask(typ string, data any) (frame, error) {
	answer := make(chan frame, 1)
	s.mu.Lock()
	s.calls++
	id := strconv.Itoa(s.calls)
	s.waiting[id] = answer
	s.mu.Unlock()
	text, err := json.Marshal(map[string]any{"type": typ, "data": data, "id": id})
	if err != nil {
		return frame{}, err
	}
	s.writeFrame(ws.NewTextFrame(text))
	timer := time.NewTimer(answerWait)
	defer timer.Stop()
	select {
	case f := <-answer:
		return f, nil
	case <-timer.C:
		s.conn.Close() // a peer that does not answer is not there
		return frame{}, fmt.Errorf("%s: no answer in %v", typ, answerWait)
	case <-s.ended:
		select {
		case f := <-answer: // it came last
			return f, nil
		default:
			return frame{}, errClosed
		}
	}
}
