package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/console"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/adminrows"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/wire"
)

// inLanguage answers callers who name no language in the language of the installation.
func (s *Server) inLanguage(next http.Handler) http.Handler {
	if s.config.Language != "en" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wire.SpeaksEither(r.Header.Get("Accept-Language")) {
			r.Header.Set("Accept-Language", "en")
		}
		next.ServeHTTP(w, r)
	})
}

// demoOnly serves the demo of --dev only to this machine, because the demo trusts every
// caller. It refuses requests that a proxy forwards, and requests with another host name
// (DNS rebinding). It lets health probes through.
func (s *Server) demoOnly(next http.Handler) http.Handler {
	if !s.config.Dev || s.config.AllowOpenApps {
		return next
	}
	warned := rate.Sometimes{First: 1, Interval: time.Minute}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if probe || !s.trust.From(r).Proxied {
			next.ServeHTTP(w, r)
			return
		}
		warned.Do(func() {
			s.log.Warn("refused a call from another machine to the demo of --dev; start with --allow-open-apps to serve it to everybody",
				slog.String("path", r.URL.Path))
		})
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Detail: "--dev serves this machine alone, under a loopback host such as " +
			"127.0.0.1 or localhost and not through a proxy: start the server with --allow-open-apps to serve the demo to everybody"})
	})
}

// routes are the public paths beside the op table's.
func (s *Server) routes() map[string]http.Handler {
	return map[string]http.Handler{
		rows.SocketPath: s.sockets,
		"/healthz":      http.HandlerFunc(healthz),
		"/readyz":       http.HandlerFunc(s.readyz),
	}
}

// pages serves the demo chat in --dev, and answers 404 to all else.
func (s *Server) pages(table *ops.Table) http.Handler {
	notFound := http.HandlerFunc(rest.NotFound)
	if !s.config.Dev {
		return notFound
	}
	page := console.Handler(console.Options{App: demoApp, Clients: demoClients, Ops: table.Rows()})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Owns(r.URL.Path) {
			page.ServeHTTP(w, r)
			return
		}
		notFound.ServeHTTP(w, r)
	})
}

// guarded bounds the requests of an address, and puts the security headers on every answer.
func (s *Server) guarded(next http.Handler) http.Handler {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { httpx.WriteError(w, r, errManyRequests) })
	address := func(r *http.Request) string { return s.trust.From(r).Counted() }
	return httpx.Secured(s.public.guard.Requests(next, refuse, address), true)
}

var errManyRequests error = &skein.Fault{Err: skein.ErrRateLimited, Detail: "too many requests of this address at once"}

// adminRoutes are the paths of the admin address. None of them is on the public address. The
// Admin API asks for an operator's token; the others are for whoever reaches the address.
func (s *Server) adminRoutes() (http.Handler, error) {
	api, err := s.adminAPI()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(adminrows.Prefix+"/", s.inLanguage(api))
	mux.Handle("/metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux, nil
}

// maxHeaderBytes is more than package rest allows, so that rest refuses a large header block in
// the envelope of answers.
const maxHeaderBytes = 60 << 10

// answerWait bounds a call from its headers to the end of its answer. Uploads and downloads have
// bounds of their own. It does not apply to sockets.
const answerWait = time.Minute

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  30 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered in the envelope too
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: streamBuffer,
			MaxReceiveBufferPerStream:     streamBuffer,
			WriteByteTimeout:              answerWait / 2,
		},
	}
}

// Bounds of one HTTP/2 connection. The timeouts of the http.Server hold for each of its requests.
const (
	maxStreams   = 100
	streamBuffer = 256 << 10 // bytes that callers sent and no request has read; what an upload may send in one round trip
)

// healthz says that the process is alive.
func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// readyz says whether calls can be served: the store answers, and the node does not drain. Migrations
// are done before anything listens. A storage of uploads that is away is told, but the node stays
// ready: all nodes would leave at once, and nobody could send messages.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := s.store.Ping(ctx)
	switch {
	case s.draining.Load():
		plain(w, http.StatusServiceUnavailable, "draining\n")
	case errors.Is(err, engine.ErrDamaged):
		plain(w, http.StatusServiceUnavailable, "store is damaged\n")
	case err != nil:
		plain(w, http.StatusServiceUnavailable, "store is away\n")
	case s.uploads.Check(ctx) != nil:
		plain(w, http.StatusOK, "ok, but uploads and downloads are answered 5030: their storage is away\n")
	default:
		plain(w, http.StatusOK, "ok\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // fails only if the caller is gone
}
