package pgtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Warm connects to one server, whose connections serve one client after the other, as behind a
// pooler of sessions. PostgreSQL starts a process for a connection and has it learn the schema,
// which takes more time than most tests do. The zero value has no connections; Close ends them.
type Warm struct {
	mu   sync.Mutex
	idle map[string][]*session // by how they were begun; guarded by mu
}

// session is a connection of the server.
type session struct {
	net.Conn

	greeting []byte // all that the server said until it was ready
}

// Dial returns a connection that connects when its client has said how it begins.
func (w *Warm) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return &lent{warm: w, network: network, address: address, connected: make(chan struct{}), dial: func() (net.Conn, error) {
		return new(net.Dialer).DialContext(context.WithoutCancel(ctx), network, address)
	}}, nil
}

// Connect is pgx.Connect with Dial.
func (w *Warm) Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.DialFunc = w.Dial
	return pgx.ConnectConfig(ctx, config)
}

// Close ends the connections that nobody uses.
func (w *Warm) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, idle := range w.idle {
		for _, s := range idle {
			_ = s.Close() // the server forgets it in any case
		}
	}
	w.idle = nil
}

func (w *Warm) take(begun string) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	idle := w.idle[begun]
	if len(idle) == 0 {
		return nil
	}
	last := idle[len(idle)-1]
	w.idle[begun] = idle[:len(idle)-1]
	return last
}

func (w *Warm) put(begun string, s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle == nil {
		w.idle = make(map[string][]*session)
	}
	w.idle[begun] = append(w.idle[begun], s)
}

// lent is a connection as its client sees it. It ends when the client says so; the session does not.
type lent struct {
	warm             *Warm
	network, address string
	dial             func() (net.Conn, error)
	connected        chan struct{} // closed when there is a session, or none will come

	mu      sync.Mutex
	closed  bool     // guarded by mu
	session *session // nil: the client has sent nothing, or has closed the connection; guarded by mu
	begun   string   // how it was begun; empty: not as a session, or the server is not ready; guarded by mu
	unread  []byte   // of a greeting that another client got; guarded by mu
	ended   bool     // the client has said goodbye; guarded by mu
	reading int      // reads that wait; guarded by mu
}

var _ net.Conn = (*lent)(nil)

// Write sends to the server, but for the client's goodbye.
func (l *lent) Write(b []byte) (int, error) {
	l.mu.Lock()
	s := l.session
	if l.ended = string(b) == goodbye; l.ended {
		l.mu.Unlock()
		return len(b), nil
	}
	if s == nil {
		defer l.mu.Unlock()
		if l.closed {
			return 0, net.ErrClosed
		}
		n, err := l.begin(b)
		if l.session != nil {
			close(l.connected)
		}
		return n, err
	}
	l.mu.Unlock() // the server may want to be read before it reads more
	return s.Write(b)
}

// goodbye is the message Terminate.
const goodbye = "X\x00\x00\x00\x04"

// begin takes a session that was begun in the same way, or begins one.
func (l *lent) begin(b []byte) (int, error) {
	begun := startOf(b)
	if s := l.warm.take(begun); s != nil {
		l.session, l.begun, l.unread = s, begun, s.greeting
		return len(b), nil
	}
	conn, err := l.dial()
	if err != nil {
		return 0, err
	}
	l.session, l.begun = &session{Conn: conn}, begun
	return conn.Write(b)
}

// startOf tells what a StartupMessage asks for; empty: it is none.
func startOf(b []byte) string {
	const headerBytes = 4
	var start pgproto3.StartupMessage
	if len(b) < headerBytes || int(binary.BigEndian.Uint32(b)) != len(b) || start.Decode(b[headerBytes:]) != nil {
		return ""
	}
	var asked []string
	for name, value := range start.Parameters {
		asked = append(asked, name+"="+value)
	}
	slices.Sort(asked)
	return strings.Join(asked, "\n")
}

// Read reads what the server says. A client may read before it has sent anything: pgx does so if it
// cannot send for a moment.
func (l *lent) Read(b []byte) (int, error) {
	<-l.connected
	l.mu.Lock()
	s := l.session
	if s == nil || l.ended {
		l.mu.Unlock()
		return 0, io.EOF
	}
	if len(l.unread) > 0 {
		n := copy(b, l.unread)
		l.unread = l.unread[n:]
		l.mu.Unlock()
		return n, nil
	}
	l.reading++
	l.mu.Unlock()

	n, err := s.Read(b)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.reading--
	if !s.greeted() {
		s.greeting = append(s.greeting, b[:n]...)
	}
	return n, err
}

// ready is the message ReadyForQuery, outside a transaction.
const ready = "Z\x00\x00\x00\x05I"

func (s *session) greeted() bool { return strings.HasSuffix(string(s.greeting), ready) }

// Close gives a session back that is as new, and ends another.
func (l *lent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.session
	if s == nil {
		if !l.closed {
			l.closed = true
			close(l.connected)
		}
		return nil
	}
	if l.ended && l.begun != "" && l.reading == 0 && len(l.unread) == 0 && s.greeted() && s.forget() {
		l.warm.put(l.begun, s)
		l.session, l.closed = nil, true
		return nil
	}
	return s.Close()
}

// forget makes a session as new, unless it is in the middle of something.
func (s *session) forget() bool {
	const limit = 10 * time.Second
	if s.SetDeadline(time.Now().Add(limit)) != nil {
		return false
	}
	front := pgproto3.NewFrontend(s.Conn, s.Conn)
	front.Send(&pgproto3.Query{String: `DISCARD ALL`})
	if front.Flush() != nil {
		return false
	}
	for {
		m, err := front.Receive()
		if err != nil {
			return false
		}
		switch m := m.(type) {
		case *pgproto3.CommandComplete, *pgproto3.ParameterStatus:
		case *pgproto3.ReadyForQuery:
			return m.TxStatus == 'I' && s.SetDeadline(time.Time{}) == nil
		default:
			return false
		}
	}
}

// LocalAddr is the client's end.
func (l *lent) LocalAddr() net.Addr { return &net.UnixAddr{Net: l.network} }

// RemoteAddr is where the server is.
func (l *lent) RemoteAddr() net.Addr { return &net.UnixAddr{Net: l.network, Name: l.address} }

func (l *lent) SetDeadline(t time.Time) error {
	return l.set(func(s *session) error { return s.SetDeadline(t) })
}

func (l *lent) SetReadDeadline(t time.Time) error {
	return l.set(func(s *session) error { return s.SetReadDeadline(t) })
}

func (l *lent) SetWriteDeadline(t time.Time) error {
	return l.set(func(s *session) error { return s.SetWriteDeadline(t) })
}

func (l *lent) set(deadline func(*session) error) error {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s == nil {
		return nil // nothing waits
	}
	return deadline(s)
}
