package socket

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/wire"
)

// Gate says who logs in. Errors go to the peer through the code table.
type Gate interface {
	Login(ctx context.Context, in access.Login) (skein.Actor, error)
	// AllowsOrigin reports whether a web page may call the app; of an empty app,
	// whether it may call any.
	AllowsOrigin(ctx context.Context, app, origin string) bool
}

// Registrar makes an unknown client known at its login, or refuses it. It is asked
// at every login; ext is JSON, nil: none.
type Registrar interface {
	Register(ctx context.Context, by skein.Actor, ext []byte) error
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

	MaxPerAddress int           // sockets of one remote address; default 1,000; negative: no limit
	LoginWait     time.Duration // from the handshake to a login; default 10 s
	WriteWait     time.Duration // for a peer to take what is written; default 10 s

	MaxMessage int64 // bytes of a message; default wire.MaxBody

	Trust httpx.Trust // whom to believe where a handshake comes from

	Now        func() time.Time      // default time.Now
	Log        *slog.Logger          // default: discarded
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	if o.MaxPerAddress == 0 {
		o.MaxPerAddress = 1000
	}
	if o.LoginWait == 0 {
		o.LoginWait = 10 * time.Second
	}
	if o.WriteWait == 0 {
		o.WriteWait = 10 * time.Second
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = wire.MaxBody
	}
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

	draining atomic.Bool
	running  sync.WaitGroup  // one reader a socket; added to under the roster's lock
	ctx      context.Context //nolint:containedctx // of every command, from none that waits: the server's own, ends with Shutdown's patience
	cancel   context.CancelFunc
}

// New makes a server; Shutdown ends it.
func New(opts Options) *Server {
	s := &Server{opts: opts.withDefaults()}
	s.roster.init(s.opts.MaxPerAddress)
	s.metrics.init(opts.Registerer, &s.roster)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

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
	s.roster.each(func(c *conn) { c.Close(closeGoingAway, goingAway) })
	s.running.Wait()
	return err
}
