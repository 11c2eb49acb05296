package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/console"
	"github.com/skein-im/skein/internal/delivery"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/presence"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/socket"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

// server is the parts of one node.
type server struct {
	config   config.Serve
	log      *slog.Logger
	registry *prometheus.Registry

	openAllowed bool // apps without token authentication are served
	trust       httpx.Trust
	unlock      func() error
	handles     handles

	store    store.Store
	gate     *access.Gate
	hub      *hub.Hub
	presence *presence.Presence
	node     *node.Node
	delivery *delivery.Delivery
	chat     *chat.Service
	feed     *feed.Runner
	sockets  *socket.Server

	public   endpointServer
	admin    endpointServer
	control  endpointServer // for commands beside it; no listener: none
	uploads  *files.Store
	draining atomic.Bool
}

// assemble wires the parts; nothing listens yet. Nothing in --data is opened, looked
// at or migrated before it is locked.
func assemble(ctx context.Context, c config.Serve, acceptLoss bool, log *slog.Logger) (_ *server, err error) {
	s := &server{config: c, log: log, registry: newRegistry()}
	s.handles = divide(openFiles(), c.Edge)
	s.openAllowed = c.AllowOpenApps || c.OnLoopback(ctx)
	s.trust = httpx.Trust{Proxies: c.Proxies(), PublicURL: c.PublicURL, Addr: c.Addr}
	if err := errors.Join(makeData(c.Data, log), tightenFiles(filepath.Join(c.Data, uploadsDir), log)); err != nil {
		return nil, err
	}
	if s.unlock, err = lockData(c.Data, "serve"); err != nil {
		return nil, err
	}
	if err := settle(c.Data); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if s.store, err = openStore(ctx, c.Store, storeOptions{
		Committed:  s.committed,
		Log:        log,
		Registerer: s.registry,
		CacheBytes: c.CacheMiB << 20,
		AcceptLoss: acceptLoss,
	}); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if err := s.prepareApps(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	uploads, err := files.Open(files.Options{
		Dir: filepath.Join(c.Data, uploadsDir), MinFree: mebibytes(c.MinFreeMiB), Log: log, Find: s.store.Upload, Registerer: s.registry,
		NotFound: http.HandlerFunc(rest.NotFound),
		NotAllowed: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rest.MethodNotAllowed(w, r, "GET, HEAD")
		}),
	})
	if err != nil {
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	s.uploads = uploads
	if err := s.wire(ctx, uploads); err != nil {
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	return s, nil
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// wire makes the parts above the store.
func (s *server) wire(ctx context.Context, uploads *files.Store) (err error) {
	s.gate = access.New(access.Options{
		Apps: s.store, Clients: s.store, AllowOpen: s.openAllowed, OpenToAll: s.config.AllowOpenApps,
		Limits: limitsOf(s.config.Limits), Now: clock, Log: s.log,
	})
	s.hub = hub.New(hub.Options{
		KickFrame: func(reason string) []byte {
			return wire.AppendKick(nil, skein.MillisOf(clock()), reason)
		},
		Left: func(session *hub.Session) {
			s.node.Left(session)
			s.presence.Ended(session.ID())
		},
		MaxWaiting: mebibytes(s.config.MaxUnreadMiB),
		Now:        clock, Log: s.log, Registerer: s.registry,
	})
	s.presence = presence.New(presence.Options{
		Sessions: s.hub, Apps: s.gate, Store: s.store, Now: clock, Registerer: s.registry,
		Online: func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
			return s.node.Online(ctx, app, clients)
		},
	})
	name := uuid.NewString() // of this process among the nodes
	if s.node, err = node.New(ctx, node.Options{
		Name: name, Store: s.store, Hub: s.hub, Presence: s.presence, Forget: s.forget, Now: clock, Log: s.log, Registerer: s.registry,
	}); err != nil {
		return err
	}
	s.delivery = delivery.New(delivery.Options{
		Store: s.store, Hub: s.hub, Zone: s.config.Location(),
		Private: s.historyIsPrivate, Log: s.log, Registerer: s.registry,
	})
	s.chat = chat.New(chat.Options{Store: s.store, Events: events{s.delivery, s.node}, Files: uploads, UnnamedFor: s.config.UnnamedFiles, Now: clock})
	s.feed = feed.New(feed.Options{Store: s.store, Node: name, Now: clock, Log: s.log, Registerer: s.registry})
	table := rows.New(rows.Deps{
		Chat: s.chat, Gate: s.gate, Files: uploads, Presence: s.presence, Zone: s.config.Location(),
		Cursors: cursor.NewSealer(s.store.Secret()),
	})
	work := s.newGate()
	s.sockets = socket.New(socket.Options{
		Work: work, Gate: s.gate, Registrar: s.chat, Ops: table, Hub: s.hub, Node: s.node,
		MaxSockets: s.handles.sockets, MaxUnauthenticated: s.perAddress(s.handles.unauthenticated),
		MaxPerAddress: s.socketsPerAddress(), HandshakeRate: s.perAddress(0), MaxUnfinished: mebibytes(s.config.MaxUnfinishedMiB),
		MaxMessage: s.maxBody(), FileTypes: files.DefaultTypes, Trust: s.trust, Now: clock, Log: s.log, Registerer: s.registry,
	})
	s.public.http = newHTTPServer(s.inLanguage(s.demoOnly(rest.New(rest.Options{
		Work: work, Table: table, Gate: s.gate, Trust: s.trust, MaxBody: s.maxBody(), Limits: s.restLimits(),
		Routes:    s.routes(),
		Downloads: map[string]http.Handler{skein.UploadsPath + "{name}": uploads.Handler()},
		Unrouted:  s.pages(table), Log: s.log, Registerer: s.registry,
	}))), s.log)
	s.public.http.WriteTimeout = answerWait
	s.guardConnections()
	s.watchSpace(uploads)
	s.admin.http = newHTTPServer(s.adminRoutes(), s.log)
	return nil
}

// committed is the store's commit hook.
func (s *server) committed(sent []skein.Committed) {
	s.delivery.Committed(sent)
	s.feed.Wake()
}

// events is where the use cases tell what happened: to delivery, and of cuts to the node.
type events struct {
	*delivery.Delivery

	node *node.Node
}

// Cut ends sessions on every node.
func (e events) Cut(c skein.Cut) { e.node.Cut(c) }

// forget drops what is remembered of a client that another node has changed.
func (s *server) forget(app, client string) {
	if c, ok := s.store.(*cache.Store); ok {
		c.Forget(app, client)
	}
}

// historyIsPrivate is true too of an app that cannot be looked up: members who miss
// something live fetch it.
func (s *server) historyIsPrivate(ctx context.Context, app string) bool {
	a, err := s.gate.App(ctx, app)
	return err != nil || a.Settings.PrivateHistory
}

// inLanguage answers callers who name no language in that of the installation.
func (s *server) inLanguage(next http.Handler) http.Handler {
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

// routes are the public paths beside the op table's.
func (s *server) routes() map[string]http.Handler {
	return map[string]http.Handler{
		rows.SocketPath: s.sockets,
		"/healthz":      http.HandlerFunc(healthz),
		"/readyz":       http.HandlerFunc(s.readyz),
	}
}

// pages serves the demo chat in --dev, and answers 404 to all else.
func (s *server) pages(table *ops.Table) http.Handler {
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

// adminRoutes are never on the public address.
func (s *server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// maxHeaderBytes lies above what package rest allows, so that a large header block
// is answered in the envelope.
const maxHeaderBytes = 60 << 10

// answerWait bounds a call from its headers to the end of its answer. Uploads and
// downloads bring their own patience, and a socket has nothing to do with it.
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
	}
}

// healthz says that the process is alive.
func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// readyz says whether calls can be served: migrations are done before anything
// listens, so what is left is the store and the drain.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
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
	default:
		plain(w, http.StatusOK, "ok\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the caller is gone
}

// close lets go of what assemble made, from the sessions down to the store.
func (s *server) close(ctx context.Context) error {
	err := s.hub.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // who was left was cut; that they were slow is no failure
	}
	s.node.Close(ctx)
	s.presence.Close(ctx)
	s.delivery.Close(ctx)
	return errors.Join(err, s.store.Close(), s.unlock())
}

// followApps ends the sessions that an app no longer allows, within 2 s of the CLI
// changing it.
func (s *server) followApps(ctx context.Context) {
	closed := make(map[string]bool)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			closed = s.endSessions(ctx, closed)
		}
	}
}

// endSessions ends those of apps that are gone, and those without a token where an
// app asks for one now. closed are the apps where it did so already; it answers them
// as they are now. It lets in nobody after that, so once is enough.
func (s *server) endSessions(ctx context.Context, closed map[string]bool) map[string]bool {
	still := make(map[string]bool)
	for _, id := range s.hub.Apps() {
		app, err := s.gate.App(ctx, id)
		switch {
		case errors.Is(err, skein.ErrUnknownApp):
			s.hub.KickApp(id, skein.KickDeleted)
		case err != nil:
			still[id] = closed[id] // as far as one knows
		case !app.Settings.Open:
			if !closed[id] {
				s.hub.Kick(hub.Target{App: id, WithoutToken: true}, skein.KickLoggedOut)
			}
			still[id] = true
		}
	}
	return still
}

// prepareApps seeds the demo app in --dev, and refuses to start where an app would
// be open to everyone.
func (s *server) prepareApps(ctx context.Context) error {
	if s.config.Dev {
		if err := seedDemo(ctx, s.store, clock()); err != nil {
			return fmt.Errorf("seed the demo app: %w", err)
		}
	}
	if s.openAllowed {
		return nil
	}
	apps, err := s.store.Apps(ctx)
	if err != nil {
		return err
	}
	for _, app := range apps {
		if app.Settings.Open {
			return fmt.Errorf("app %q has token authentication off and --addr %s is not loopback: turn it on (skein app update --id %s --token-auth on) or start with --allow-open-apps", app.ID, s.config.Addr, app.ID)
		}
	}
	return nil
}
