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

// readable writes durations as 10s, as the text format does, and not in nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// listen opens both addresses, so that a taken port is told before anything runs.
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

// announce tells a person where to look.
func (s *server) announce(w io.Writer) {
	at := "http://" + s.public.listener.Addr().String()
	out := fmt.Sprintf("Skein listens on %s (socket: %s/im/socket), metrics on http://%s/metrics\n", at, "ws"+at[len("http"):], s.admin.listener.Addr())
	if s.config.Dev {
		out += fmt.Sprintf("Demo app %s (app-key %s). Open %s/ in two tabs and talk.\n", demoApp, demoKey, at)
	}
	_, _ = io.WriteString(w, out) // nobody reads: serving goes on
}

// run serves until ctx ends or a part fails, then drains. Once ctx has ended a
// second signal ends the process at once, as restore gives signals their default.
func (s *server) run(ctx context.Context, restore func()) error {
	setGarbage()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.public.serve() })
	g.Go(func() error { return s.admin.serve() })
	g.Go(s.serveControl)
	g.Go(func() error { s.feed.Alone(gctx, "chores", s.chores); return nil })
	g.Go(func() error { s.feed.Doorbell(gctx, s.delivery.Ring); return nil })
	g.Go(func() error { s.followApps(gctx); return nil })
	g.Go(func() error { returnMemory(gctx); return nil })
	g.Go(func() error {
		<-gctx.Done()
		restore()
		return s.drain()
	})
	return g.Wait()
}

// chores is what one node at a time does for all. Each of its steps is safe to do twice
// and decides in its own transaction, so it needs no fence.
func (s *server) chores(ctx context.Context, _ store.Lease) { s.chat.Upkeep(ctx, s.log) }

// shutdownWait bounds each step of the drain beside the sockets' own time.
const shutdownWait = 10 * time.Second

// drain is the shutdown order: sockets, then REST, then what carries events, then
// the store, which commits all that was accepted.
func (s *server) drain() error {
	s.log.Info("draining", slog.Duration("over", s.config.Drain))
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain+time.Millisecond)
	defer cancel()
	if err := s.sockets.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("sockets did not close in order", slog.Any("error", err))
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
	guard    *edge.Guard // nil: whoever comes is served
}

// shutdown waits for the calls under way. Those that outlast ctx are cut: what they
// had been answered is kept, and that they were slow is no failure of the drain.
func (e *endpointServer) shutdown(ctx context.Context, log *slog.Logger) error {
	err := e.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("calls under way were cut", slog.String("addr", e.listener.Addr().String()))
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
