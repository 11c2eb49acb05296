package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/store"
)

// Run opens the addresses and prints them to out. It serves until ctx ends or a part fails, then
// drains. restore gives signals their default again, so that a second signal ends the process
// at once. The server cannot be used again.
func (s *Server) Run(ctx context.Context, out io.Writer, restore func()) error {
	if err := s.listen(ctx); err != nil {
		return errors.Join(err, s.close(context.Background()))
	}
	s.logSurroundings()
	s.announce(out)
	g, gctx := errgroup.WithContext(ctx)
	for _, e := range []*endpointServer{&s.public, &s.admin, &s.redirect, &s.control} {
		g.Go(e.serve)
	}
	g.Go(func() error { s.followCertificates(gctx); return nil })
	g.Go(func() error { s.feed.Alone(gctx, "chores", s.chores); return nil })
	if s.bus != nil { // without another node no announcement can be lost
		g.Go(func() error { s.feed.Doorbell(gctx, s.delivery.Compare, s.delivery.Resync); return nil })
	}
	g.Go(func() error { s.webhooks.Run(gctx); return nil })
	g.Go(func() error { s.followApps(gctx); return nil })
	g.Go(func() error { returnMemory(gctx); return nil })
	g.Go(func() error { s.usage.Run(gctx); return nil })
	g.Go(func() error {
		<-gctx.Done()
		restore()
		return s.drain()
	})
	return g.Wait()
}

// listen opens both addresses first, so that a used port is reported before anything runs.
func (s *Server) listen(ctx context.Context) error {
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
	if err := s.listenRedirect(ctx); err != nil {
		return errors.Join(err, s.public.listener.Close(), s.admin.listener.Close())
	}
	if err := s.listenControl(ctx); err != nil {
		return errors.Join(err, s.public.listener.Close(), s.admin.listener.Close(), s.redirect.close())
	}
	return nil
}

// logSurroundings logs at the start which proxies and addresses the server trusts.
func (s *Server) logSurroundings() {
	c := s.config
	if len(c.TrustedProxies) > 0 {
		var proxies []string
		for _, p := range c.Proxies() {
			proxies = append(proxies, p.String())
		}
		s.log.Info("trusted proxies", slog.String("addresses", strings.Join(proxies, ",")), slog.Bool("proxy_protocol", c.ProxyProtocol))
	}
	if c.PublicURL == "" && len(c.TrustedProxies) == 0 && !c.Dev {
		s.log.Info("links of uploads use the address of the listener; set --public-url if clients use another one")
	}
}

// announce prints the addresses.
func (s *Server) announce(w io.Writer) {
	at := s.public.url()
	out := fmt.Sprintf("Skein listens on %s (socket: %s/im/socket), metrics on %s/metrics\n", at, "ws"+at[len("http"):], s.admin.url())
	if s.config.Dev {
		out += fmt.Sprintf("Demo app %s (app-key %s). Open %s/ in two tabs and talk.\n", demoApp, demoKey, at)
	}
	_, _ = io.WriteString(w, out) // the server runs even if nobody reads this
}

// chores is the work that one node at a time does for all nodes. Each step may run twice and
// decides in its own transaction, so it needs no fence.
func (s *Server) chores(ctx context.Context, _ store.Lease) { s.upkeep.Run(ctx) }

// shutdownWait bounds each step of the drain except the closing of sockets.
const shutdownWait = 10 * time.Second

// drain shuts down in this order: sockets, REST, delivery and bus, and the store, which
// commits everything that was accepted.
func (s *Server) drain() error {
	s.log.Info("draining", slog.Duration("over", s.config.Drain))
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain+time.Millisecond)
	defer cancel()
	if err := s.sockets.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("sockets did not close in time", slog.Any("error", err))
	}
	ctx, cancel = context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	err := errors.Join(s.redirect.shutdown(ctx, s.log), s.public.shutdown(ctx, s.log), s.closeControl(ctx), s.close(ctx), s.admin.shutdown(ctx, s.log))
	s.log.Info("stopped")
	return err
}
