package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/skein-im/skein/internal/certs"
	"github.com/skein-im/skein/internal/edge"
)

// endpointServer is one listening address.
type endpointServer struct {
	http     *http.Server
	listener net.Listener // nil: there is none
	guard    *edge.Guard  // nil: connections are not bounded
	certs    *certs.Files // nil: without TLS
}

// url is where the endpoint is reached.
func (e *endpointServer) url() string {
	scheme := "http"
	if e.certs != nil {
		scheme = "https"
	}
	return scheme + "://" + e.listener.Addr().String()
}

// serve serves until shutdown.
func (e *endpointServer) serve() error {
	l := e.listener
	if l == nil {
		return nil
	}
	if e.guard != nil {
		l = e.guard.Listen(l)
	}
	run := e.http.Serve
	if e.certs != nil {
		run = func(l net.Listener) error { return e.http.ServeTLS(l, "", "") }
	}
	if err := run(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", e.listener.Addr(), err)
	}
	return nil
}

// shutdown waits for the running calls, and cuts those that are still running when ctx ends.
// Slow calls are no error: everything that was answered is stored.
func (e *endpointServer) shutdown(ctx context.Context, log *slog.Logger) error {
	if e.listener == nil {
		return nil
	}
	err := e.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("cut calls that were still running", slog.String("addr", e.listener.Addr().String()))
		return e.http.Close()
	}
	return err
}

// close closes the listener of an endpoint that does not serve yet.
func (e *endpointServer) close() error {
	if e.listener == nil {
		return nil
	}
	return e.listener.Close()
}
