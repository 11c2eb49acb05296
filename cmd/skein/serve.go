package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/edge"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/store"
)

// serveCmd is `skein serve`.
type serveCmd struct {
	config.Serve

	AcceptLoss bool `help:"Start although the store's log is damaged, without the writes in it. The damaged log is kept beside the store."`
}

// Help is shown below the summary by --help.
func (serveCmd) Help() string {
	return "SIGTERM or SIGINT drains: no new logins, sockets are closed over --drain, every accepted message is committed. A second one exits at once."
}

// Run serves until a signal, then drains.
func (c *serveCmd) Run() error {
	log := newLogger(os.Stderr, c.Serve)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s, err := assemble(ctx, c.Serve, c.AcceptLoss, log)
	if err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		return errors.Join(err, s.close(context.Background()))
	}
	s.logSurroundings()
	s.announce(os.Stdout)
	return s.run(ctx, stop)
}

func newLogger(w io.Writer, c config.Serve) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Level()}
	if c.LogFormat == "json" {
		opts.ReplaceAttr = readable
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// readable makes the JSON log write durations as 10s, like the text log, instead of in
// nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// listen opens both addresses first, so that a used port is reported before anything runs.
func (s *server) listen(ctx context.Context) error {
	var lc net.ListenConfig
	var err error
	if s.public.listener, err = lc.Listen(ctx, "tcp", s.config.Addr); err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if s.config.ProxyProtocol {
		s.public.listener = httpx.ProxyProtocol{Listener: s.public.listener, Trust: s.trust}
	}
	if s.admin.listener, err = lc.Listen(ctx, "tcp", s.config.AdminAddr); err != nil {
		return fmt.Errorf("--admin-addr: %w", errors.Join(err, s.public.listener.Close()))
	}
	if err := s.listenControl(ctx, s.uploads); err != nil {
		return errors.Join(err, s.public.listener.Close(), s.admin.listener.Close())
	}
	return nil
}

// announce prints the addresses.
func (s *server) announce(w io.Writer) {
	at := "http://" + s.public.listener.Addr().String()
	out := fmt.Sprintf("Skein listens on %s (socket: %s/im/socket), metrics on http://%s/metrics\n", at, "ws"+at[len("http"):], s.admin.listener.Addr())
	if s.config.Dev {
		out += fmt.Sprintf("Demo app %s (app-key %s). Open %s/ in two tabs and talk.\n", demoApp, demoKey, at)
	}
	_, _ = io.WriteString(w, out) // the server runs even if nobody reads this
}

// run serves until ctx ends or a part fails, then drains. restore gives signals their
// default again, so that a second signal ends the process at once.
func (s *server) run(ctx context.Context, restore func()) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.public.serve() })
	g.Go(func() error { return s.admin.serve() })
	g.Go(s.serveControl)
	g.Go(func() error { s.feed.Alone(gctx, "chores", s.chores); return nil })
	g.Go(func() error { s.feed.Doorbell(gctx, s.delivery.Ring); return nil })
	g.Go(func() error { s.followApps(gctx); return nil })
	g.Go(func() error { returnMemory(gctx); return nil })
	g.Go(func() error { collectLess(gctx); return nil })
	g.Go(func() error {
		<-gctx.Done()
		restore()
		return s.drain()
	})
	return g.Wait()
}

// chores is the work that one node at a time does for all nodes. Each step may run twice and
// decides in its own transaction, so it needs no fence.
func (s *server) chores(ctx context.Context, _ store.Lease) { s.chat.Upkeep(ctx, s.log) }

// shutdownWait bounds each step of the drain except the closing of sockets.
const shutdownWait = 10 * time.Second

// drain shuts down in this order: sockets, REST, delivery and bus, and the store, which
// commits everything that was accepted.
func (s *server) drain() error {
	s.log.Info("draining", slog.Duration("over", s.config.Drain))
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain+time.Millisecond)
	defer cancel()
	if err := s.sockets.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("sockets did not close in time", slog.Any("error", err))
	}
	ctx, cancel = context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	err := errors.Join(s.public.shutdown(ctx, s.log), s.closeControl(ctx), s.close(ctx), s.admin.shutdown(ctx, s.log))
	s.log.Info("stopped")
	return err
}

// endpointServer is one listening address.
type endpointServer struct {
	http     *http.Server
	listener net.Listener
	guard    *edge.Guard // nil: connections are not bounded
}

// shutdown waits for the running calls, and cuts those that are still running when ctx ends.
// Slow calls are no error: everything that was answered is stored.
func (e *endpointServer) shutdown(ctx context.Context, log *slog.Logger) error {
	err := e.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("cut calls that were still running", slog.String("addr", e.listener.Addr().String()))
		return e.http.Close()
	}
	return err
}

func (e *endpointServer) serve() error {
	l := e.listener
	if e.guard != nil {
		l = e.guard.Listen(l)
	}
	if err := e.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", e.listener.Addr(), err)
	}
	return nil
}
