package testclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Frame is one text frame of the server.
type Frame struct {
	Type string          `json:"type"`
	Msg  string          `json:"msg"`
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"`
	ID   *string         `json:"id"` // of an answer
	Raw  []byte          `json:"-"`

	Retry int64 `json:"retry_after_ms"` // of an error: the server asks to wait so long
}

func (f *Frame) String() string { return string(f.Raw) }

// ErrClosed says that the session has ended.
var ErrClosed = errors.New("the socket is closed")

// Session reads one Conn in a goroutine and keeps the frames until somebody takes
// them. It is safe for concurrent use.
type Session struct {
	Conn *Conn

	ended chan struct{} // closed when reading has ended
	tap   func(*Frame)  // sees each frame first; nil: none

	mu     sync.Mutex
	asked  int64         // guarded by mu
	frames []*Frame      // not yet taken; guarded by mu
	news   chan struct{} // closed when frames or end change; guarded by mu
	heard  time.Time     // of the last frame; guarded by mu
	end    error         // why reading ended; guarded by mu
}

// NewSession starts to read; Drop ends it. tap is called from the reading goroutine
// with each frame; nil: none.
func NewSession(c *Conn, tap func(*Frame)) *Session {
	s := &Session{Conn: c, ended: make(chan struct{}), tap: tap, news: make(chan struct{}), heard: time.Now()}
	go s.read()
	return s
}

// Drop cuts the connection without a close frame and waits for the reader.
func (s *Session) Drop() {
	s.Conn.Close()
	<-s.ended
}

// Ended is closed when the connection has ended.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// End is the close code and the reason why the connection ended. Without a close frame
// the code is 0; while the connection lives the reason is nil.
func (s *Session) End() (code int, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closed := (*CloseError)(nil); errors.As(s.end, &closed) {
		code = closed.Code
	}
	return code, s.end
}

func (s *Session) read() {
	defer close(s.ended)
	for {
		f, err := s.next()
		s.mu.Lock()
		if err != nil {
			s.end = err
		} else {
			s.frames, s.heard = append(s.frames, f), time.Now()
		}
		close(s.news)
		s.news = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *Session) next() (*Frame, error) {
	raw, err := s.Conn.Next()
	if err != nil {
		return nil, err
	}
	f := &Frame{Raw: slices.Clone(raw)}
	if err := json.Unmarshal(f.Raw, f); err != nil {
		return nil, fmt.Errorf("a frame that is no JSON object: %w in %q", err, raw)
	}
	if s.tap != nil {
		s.tap(f)
	}
	return f, nil
}

// Take removes the first frame that pick accepts and returns it; if none is there it
// waits for at most limit.
func (s *Session) Take(limit time.Duration, pick func(*Frame) bool) (*Frame, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.mu.Lock()
		at := slices.IndexFunc(s.frames, pick)
		if at >= 0 {
			f := s.frames[at]
			s.frames = slices.Delete(s.frames, at, at+1)
			s.mu.Unlock()
			return f, nil
		}
		end, news := s.end, s.news
		s.mu.Unlock()
		if end != nil {
			return nil, fmt.Errorf("%w: %w", ErrClosed, end)
		}
		select {
		case <-news:
		case <-timer.C:
			return nil, fmt.Errorf("%w within %v", ErrNothing, limit)
		}
	}
}

// ErrNothing says that no such frame came in time.
var ErrNothing = errors.New("no such frame came")

// Pending are the frames that nobody has taken.
func (s *Session) Pending() []*Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.frames)
}

// Forget drops the frames that pick accepts.
func (s *Session) Forget(pick func(*Frame) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = slices.DeleteFunc(s.frames, pick)
}

// Silence is how long no frame has come.
func (s *Session) Silence() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.heard)
}

// Post sends a command with an id of its own and does not wait.
func (s *Session) Post(typ string, data any) (id string, err error) {
	s.mu.Lock()
	s.asked++
	id = strconv.FormatInt(s.asked, 10)
	s.mu.Unlock()
	text, err := json.Marshal(map[string]any{"type": typ, "data": data, "id": id})
	if err != nil {
		return id, err
	}
	err = s.Conn.Send(text)
	if err != nil {
		s.Conn.Close() // the reader tells everybody who waits
	}
	return id, err
}

// Ask sends a command and waits for its answer. An error says that none came: the
// server may have done what was asked all the same.
func (s *Session) Ask(typ string, data any, limit time.Duration) (*Frame, error) {
	id, err := s.Post(typ, data)
	if err != nil {
		return nil, err
	}
	f, err := s.Take(limit, func(f *Frame) bool { return f.ID != nil && *f.ID == id })
	if err != nil {
		return nil, fmt.Errorf("answer to %s: %w", typ, err)
	}
	return f, nil
}
