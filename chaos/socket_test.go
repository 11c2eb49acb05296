package chaos

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// How long a client waits before it gives a connection up.
const (
	answerWait = 4 * time.Second // see patient
	quietWait  = time.Second     // then it asks whether the server is there
	deadWait   = 4 * time.Second // then it is not
)

// patient is how long somebody waits for an answer who has had none since a moment: longer and longer.
// With one limit a server that takes longer for each login, for want of processor time, would be
// asked for ever and never answer.
func patient(least time.Duration, since time.Time) time.Duration {
	return max(least, time.Since(since)/4)
}

var errClosed = testclient.ErrClosed

// frame is one text frame of the server.
type frame = testclient.Frame

// socket is a client's side of /im/socket over one TCP connection.
type socket struct {
	*testclient.Session

	wait time.Duration // for an answer
}

func dial(ctx context.Context, addr string, wait time.Duration) (*socket, error) {
	conn, err := testclient.Dial(ctx, testclient.URL(addr), testclient.Options{Timeout: wait})
	if err != nil {
		return nil, err
	}
	conn.WriteWait = wait
	return &socket{testclient.NewSession(conn, nil), wait}, nil
}

func (s *socket) alive() bool {
	_, end := s.End()
	return end == nil
}

// next is the next push; ok is false when none came within limit.
func (s *socket) next(limit time.Duration) (f frame, ok bool, err error) {
	s.Forget(func(f *frame) bool { return f.Type == "pong" })
	push, err := s.Take(limit, func(f *frame) bool { return f.ID == nil && f.Type != "pong" })
	if errors.Is(err, testclient.ErrNothing) {
		return frame{}, false, nil
	}
	if err != nil {
		return frame{}, false, err
	}
	return *push, true, nil
}

func (s *socket) ping() {
	if s.Conn.Send([]byte(`{"type":"ping"}`)) != nil {
		s.Conn.Close() // the reader tells everybody who waits
	}
}

// ask sends a command and waits for its answer. An error says that none came: the
// server may have done what was asked all the same.
func (s *socket) ask(typ string, data any) (frame, error) { return s.askFor(s.wait, typ, data) }

// askFor is ask that waits so long.
func (s *socket) askFor(wait time.Duration, typ string, data any) (frame, error) {
	f, err := s.Ask(typ, data, wait)
	if err != nil {
		s.Conn.Close() // a server that does not answer is not there
		return frame{}, err
	}
	return *f, nil
}
