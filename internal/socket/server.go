package socket

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/socket/admission"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/tracing"
	"github.com/skein-im/skein/internal/wire"
)

// Gate authenticates logins. The client receives its errors as codes.
type Gate interface {
	Login(ctx context.Context, in access.Login) (skein.Actor, error)
	// Current reports whether the client is unchanged since Login authenticated it.
	Current(ctx context.Context, by skein.Actor) (bool, error)
	// AllowsOrigin reports whether web pages of the origin may call the app. With an
	// empty app it reports whether they may call any app.
	AllowsOrigin(ctx context.Context, app, origin string) bool
}

// Registrar creates the client of a login if it does not exist, or refuses it. It is
// called at every login. ext is JSON or nil.
type Registrar interface {
	Register(ctx context.Context, by skein.Actor, ext []byte, addr string) error
}

// Node adds an attached session to the sessions of all nodes; see node.Node.
type Node interface {
	Enter(ctx context.Context, s *hub.Session, in node.Login) error
}

// Ops runs all commands except login, logout and ping. data is JSON or nil, and valid
// only during the call. The answer is JSON, and valid until the next call.
type Ops interface {
	Call(ctx context.Context, by skein.Actor, name string, data []byte) (answer []byte, err error)
	// CallAll calls an op once for each element of data, in order. Only for ops for
	// which Batches is true.
	CallAll(ctx context.Context, by skein.Actor, name string, data [][]byte) []ops.Outcome
	Batches(name string) bool
}

// Options are the choices of one server.
type Options struct {
	Gate      Gate
	Registrar Registrar
	Ops       Ops
	Hub       *hub.Hub
	Node      Node

	// Bounds of what clients may hold. Zero means the default, a negative number no
	// bound.
	MaxSockets         int   // of the node; see admission.Options; default: no bound
	MaxUnauthenticated int   // sockets not logged in; one address may have half; default: no bound
	MaxPerAddress      int   // sockets of one remote address; default 1,000
	HandshakeRate      int   // a second, of one remote address; 20 s' worth at once; default 100
	MaxUnfinished      int64 // bytes of unfinished messages; one app may have half; default 64 MiB
	MaxEarlyUnfinished int64 // the same before the login; one address may have half; default 16 MiB

	LoginWait   time.Duration // from the handshake to the login; default 10 s
	WriteWait   time.Duration // for the client to take what is written; default 10 s
	MessageWait time.Duration // from the first byte of a message to its last; default 30 s

	MaxMessage int64    // bytes of a message; default wire.MaxBody
	FileTypes  []string // login.success lists them for apps that set no file types
	NodeName   string   // login.success tells it; empty: none

	// Work divides the processor among apps: handshakes and frames wait for their
	// turn there. Nil: they do not wait.
	Work *share.Gate

	Trust httpx.Trust // the proxies whose headers say where a handshake comes from

	Tracer *tracing.Tracer // nil: nothing is traced

	Now        func() time.Time      // default time.Now
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	o.MaxSockets = cmp.Or(o.MaxSockets, -1)
	o.MaxUnauthenticated = cmp.Or(o.MaxUnauthenticated, -1)
	o.MaxPerAddress = cmp.Or(o.MaxPerAddress, 1000)
	o.HandshakeRate = cmp.Or(o.HandshakeRate, 100)
	o.MaxUnfinished = cmp.Or(o.MaxUnfinished, 64<<20)
	o.MaxEarlyUnfinished = cmp.Or(o.MaxEarlyUnfinished, 16<<20)
	o.LoginWait = cmp.Or(o.LoginWait, 10*time.Second)
	o.WriteWait = cmp.Or(o.WriteWait, 10*time.Second)
	o.MessageWait = cmp.Or(o.MessageWait, 30*time.Second)
	o.MaxMessage = cmp.Or(o.MaxMessage, wire.MaxBody)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Server accepts sockets and runs them. Safe for concurrent use.
type Server struct {
	opts      Options
	admission *admission.Control
	open      connections
	metrics   metrics
	warning   share.Warning // about sockets refused or closed because a bound was reached

	unfinished      *share.Pool // memory of unfinished messages, by app
	earlyUnfinished *share.Pool // the same before the login, by address

	draining  atomic.Bool
	deadlines deadlines       // of commands
	running   sync.WaitGroup  // one reader a socket; Add is called under the lock of open
	ctx       context.Context //nolint:containedctx // the parent of every command's context; ends when the context of Shutdown ends
	cancel    context.CancelFunc
}

// New makes a server; Shutdown ends it.
func New(opts Options) *Server {
	s := &Server{opts: opts.withDefaults()}
	s.admission = admission.New(admission.Options{
		MaxSockets: s.opts.MaxSockets, MaxUnauthenticated: s.opts.MaxUnauthenticated,
		MaxPerAddress: s.opts.MaxPerAddress, HandshakeRate: s.opts.HandshakeRate,
	})
	s.unfinished = share.New(s.opts.MaxUnfinished)
	s.earlyUnfinished = share.New(s.opts.MaxEarlyUnfinished)
	s.metrics.init(opts.Registerer, s)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Open counts the sockets, including those whose handshake has not ended.
func (s *Server) Open() int { return s.admission.Sockets() }

// Shutdown ends the server and waits for all its goroutines. It refuses new sockets and
// logins with 5030, and closes each socket with 1001 after the answer to its current
// command; the hub's Close spreads that over the time ctx has. If ctx ends first,
// Shutdown cancels the current commands, cuts the remaining sockets, and returns the
// error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.open.shut()
	cut := context.AfterFunc(ctx, func() {
		s.cancel()
		s.open.each((*conn).cut)
	})
	defer cut()
	defer s.cancel()

	err := s.opts.Hub.Close(ctx)
	s.open.each(func(c *conn) { c.Close(frame.GoingAway, goingAway) })
	s.running.Wait()
	return err
}
