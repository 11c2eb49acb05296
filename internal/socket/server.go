package socket

import (
	"cmp"
	"context"
	"github.com/skein-im/skein/internal/socket/frame"
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
	"github.com/skein-im/skein/internal/wire"
)

// Gate says who logs in. Errors go to the peer through the code table.
type Gate interface {
	Login(ctx context.Context, in access.Login) (skein.Actor, error)
	// Current reports whether what Login judged by is still so.
	Current(ctx context.Context, by skein.Actor) (bool, error)
	// AllowsOrigin reports whether a web page may call the app; of an empty app,
	// whether it may call any.
	AllowsOrigin(ctx context.Context, app, origin string) bool
}

// Registrar makes an unknown client known at its login, or refuses it. It is asked
// at every login; ext is JSON, nil: none.
type Registrar interface {
	Register(ctx context.Context, by skein.Actor, ext []byte) error
}

// Node makes an attached session one of the sessions of all nodes; see node.Node.
type Node interface {
	Enter(ctx context.Context, s *hub.Session, in node.Login) error
}

// Ops runs the commands that are no business of the socket itself. data is JSON,
// nil: none, and valid during the call only; so is the answer's JSON until the
// next call.
type Ops interface {
	Call(ctx context.Context, by skein.Actor, name string, data []byte) (answer []byte, err error)
	// CallAll calls an op once for each data, in this order; for names that Batches.
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

	// Bounds of what peers may hold; of those by app one app gets four fifths at
	// most, of the others half. Zero is the default, a negative number no bound.
	MaxSockets         int   // in all, and shared by app once logged in; default: no bound
	MaxStrangers       int   // that are not logged in, shared by address; default: no bound
	MaxPerAddress      int   // sockets of one remote address; default 1,000
	HandshakeRate      int   // a second, of one remote address; 20 s' worth at once; default 100
	MaxUnfinished      int64 // memory of messages that have not come whole, in bytes, shared by app; default 64 MiB
	MaxEarlyUnfinished int64 // the same before the login, shared by address; default 16 MiB

	LoginWait   time.Duration // from the handshake to a login; default 10 s
	WriteWait   time.Duration // for a peer to take what is written; default 10 s
	MessageWait time.Duration // for a message to come whole, from its first byte; default 30 s

	MaxMessage int64    // bytes of a message; default wire.MaxBody
	FileTypes  []string // that clients of apps which list none may upload, as they are told

	// Work is what handshakes and frames wait for before they cost the processor
	// anything; nil: nothing.
	Work *share.Gate

	Trust httpx.Trust // whom to believe where a handshake comes from

	Now        func() time.Time      // default time.Now
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	o.MaxSockets = cmp.Or(o.MaxSockets, -1)
	o.MaxStrangers = cmp.Or(o.MaxStrangers, -1)
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
	opts    Options
	roster  roster
	metrics metrics

	sockets    *share.Pool // logged in, by app
	unfinished *share.Pool // memory of unfinished messages, by app
	strangers  struct {    // before the login, by address
		sockets, unfinished *share.Pool
	}
	crowds share.Warning

	draining  atomic.Bool
	deadlines deadlines       // of commands
	running   sync.WaitGroup  // one reader a socket; added to under the roster's lock
	ctx       context.Context //nolint:containedctx // of every command, from none that waits: the server's own, ends with Shutdown's patience
	cancel    context.CancelFunc
}

// New makes a server; Shutdown ends it.
func New(opts Options) *Server {
	s := &Server{opts: opts.withDefaults()}
	s.roster.init(s.opts)
	s.sockets = share.New(int64(s.opts.MaxSockets), appWeight)
	s.strangers.sockets = share.New(int64(s.opts.MaxStrangers), 1)
	s.unfinished = share.New(s.opts.MaxUnfinished, 1)
	s.strangers.unfinished = share.New(s.opts.MaxEarlyUnfinished, 1)
	s.metrics.init(opts.Registerer, s)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Open counts the open sockets, those that are about to be with them.
func (s *Server) Open() int { return s.roster.places() }

// Shutdown ends the server: no socket and no login is taken any more (5030), each
// socket is closed with 1001 after the answer to its command at hand (the hub's
// Close says how that is spread over the time ctx has), and all goroutines are
// waited for. When ctx ends first the sockets left are cut, the commands at hand
// cancelled, and its error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.roster.shut()
	cut := context.AfterFunc(ctx, func() {
		s.cancel()
		s.roster.each((*conn).cut)
	})
	defer cut()
	defer s.cancel()

	err := s.opts.Hub.Close(ctx)
	s.roster.each(func(c *conn) { c.Close(frame.GoingAway, goingAway) })
	s.running.Wait()
	return err
}
