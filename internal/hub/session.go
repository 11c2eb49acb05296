package hub

import (
	"sync"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// Session is one logged-in socket. Begin, Answer, Finish and Detach belong to the
// socket's reader, one at a time; everything else is safe for concurrent use.
type Session struct {
	shard *shard
	conn  Conn
	waits func() // as in Login

	app, client, device string

	id         string         // 32 hex digits of a UUIDv7
	number     int64          // of the sessions of this node, in the order in which they entered; zero: it has not; guarded by shard.mu
	generation int64          // of the store's sessions; set before entered is
	saw        skein.Snapshot // see Enter; guarded by shard.mu
	rev        int64          // skein.Client.Rev by which it was allowed; guarded by shard.mu
	expires    skein.Millis   // end of the token; zero: none

	alive atomic.Int64 // skein.Millis of the last sign of life, by the hub's clock

	next   *Session     // of the same client; guarded by shard.mu
	pingAt skein.Millis // guarded by shard.mu
	links  wheelLinks   // in the wheel; guarded by shard.mu

	behind *Session // in the queue; guarded by queue.mu

	writer sync.Mutex // held by whoever writes to conn

	mu     sync.Mutex
	ready  *batch  // may be written; nil: nothing; guarded by mu
	held   *batch  // waits for the answer to the command at hand; guarded by mu
	ending *ending // set: takes no more frames; guarded by mu
	bytes  int     // of ready, held and what is being written; guarded by mu
	frames int32   // the same; guarded by mu

	// Small fields stand together, which keeps a session small.

	withheld   skein.EventSet // events it does not get
	slot       int16          // in the wheel, plus one; zero: in none; guarded by shard.mu
	attached   bool           // guarded by shard.mu
	entered    bool           // guarded by shard.mu
	resumed    bool           // set before entered is
	deviceType skein.DeviceType
	queued     bool // guarded by queue.mu
	holding    bool // a command is at hand; guarded by mu
	flushing   bool // someone will look at ready again; guarded by mu
	pingDue    bool // guarded by mu
	closed     bool // nothing will be written any more; guarded by mu
}

// ending is how a session ends once the ready frames have been written.
type ending struct {
	code    int
	reason  string
	patient bool // lets the command at hand have its answer first
}

// ID is the session's id: 32 hex digits of a UUIDv7.
func (s *Session) ID() string { return s.id }

// Client is who logged in.
func (s *Session) Client() string { return s.client }

// Device is what the client logged in with; may be empty.
func (s *Session) Device() string { return s.device }

// Expires is the end of the token; zero: none.
func (s *Session) Expires() skein.Millis { return s.expires }

// App is where the client logged in.
func (s *Session) App() string { return s.app }

// DeviceType is what the device is.
func (s *Session) DeviceType() skein.DeviceType { return s.deviceType }

// Generation says how new the login is; see Enter.
func (s *Session) Generation() int64 { return s.generation }

// Resumed says that it resumes an earlier login; see Enter.
func (s *Session) Resumed() bool { return s.resumed }

// Touch notes a sign of life of the peer. It costs an atomic store.
func (s *Session) Touch() { s.alive.Store(s.shard.hub.clock.Load()) }

// Begin holds events back until Answer: the reader runs a command, or several that are
// answered together. It reports false if the session is over; the command must not run
// then.
func (s *Session) Begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		return false
	}
	s.holding = true
	return true
}

// Answer sends the answers to the commands since Begin, and behind them the events that
// were held back. When it returns they are written, or the session is over; the caller
// may use the frames again.
func (s *Session) Answer(frames ...[]byte) {
	s.mu.Lock()
	if s.ending != nil && !s.ending.patient {
		s.mu.Unlock()
		return
	}
	s.holding = false
	for _, f := range frames { // not held to the bound: the reader waits until they are written
		s.push(&s.ready, f)
	}
	s.release()
	s.flushing = true
	s.mu.Unlock()
	s.flush(s.waits)
}

// Finish is Answer, and closes the session behind it.
func (s *Session) Finish(frame []byte, code int, reason string) {
	s.mu.Lock()
	if s.ending == nil {
		s.ending = &ending{code: code, reason: reason, patient: true}
	}
	s.mu.Unlock()
	s.Answer(frame)
}

// Detach takes out a session whose socket is gone. Waiting frames are dropped.
func (s *Session) Detach() {
	s.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending == nil {
		s.ending = &ending{code: CloseAbnormal}
	}
	s.closed = true
	s.discard()
}

// end closes the session behind one last frame (nil: none), unless it is over already. It
// does not wait.
func (s *Session) end(last []byte, how ending) {
	s.mu.Lock()
	if s.ending != nil {
		s.mu.Unlock()
		return
	}
	s.ending = &how
	if s.holding && how.patient {
		s.mu.Unlock() // Answer goes on from here
		return
	}
	s.release()
	if last != nil {
		s.push(&s.ready, last)
	}
	s.startFlush()
}

// leave takes the session out of its shard.
func (s *Session) leave() {
	s.shard.mu.Lock()
	gone := s.shard.remove(s)
	s.shard.mu.Unlock()
	gone.tell()
}

func (s *Session) address() address { return address{s.app, s.client} }
