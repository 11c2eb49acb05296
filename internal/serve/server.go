package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/delivery"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/files/links"
	"github.com/skein-im/skein/internal/files/s3"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/keyset"
	"github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/presence"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/socket"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/tracing"
	"github.com/skein-im/skein/internal/upkeep"
	"github.com/skein-im/skein/internal/usage"
	"github.com/skein-im/skein/internal/webhooks"
	"github.com/skein-im/skein/internal/words"
)

// Server is one node: its parts, and the addresses that it listens on.
type Server struct {
	config   config.Serve
	log      *slog.Logger
	registry *prometheus.Registry

	openAllowed bool // apps without token authentication are served
	trust       httpx.Trust
	keys        *seal.Keys // that seal secrets in the store
	unlock      func() error
	handles     handles

	store    store.Store
	bus      bus.Bus // nil: there is no other node
	closeBus func(context.Context)
	name     string // of this process among the nodes
	gate     *access.Gate
	hub      *hub.Hub
	presence *presence.Presence
	node     *node.Node
	delivery *delivery.Delivery
	words    *words.Lists
	keySets  *keyset.Sets
	usage    *usage.Meter
	chat     *chat.Service
	upkeep   *upkeep.Upkeep
	feed     *feed.Runner

	webhooks  *webhooks.Deliverer
	endpoints *webhooks.Service
	collector *webhooks.Collector

	sockets *socket.Server

	public   endpointServer
	admin    endpointServer
	redirect endpointServer  // from http:// to the public one; without a listener there is none
	control  endpointServer  // for commands on this machine; without a listener there is none
	tracer   *tracing.Tracer // nil: nothing is traced
	uploads  *files.Store
	links    *links.Signer
	draining atomic.Bool
}

// New makes the parts of a node and connects them; nothing listens yet. It locks --data before it
// opens or migrates anything there. acceptLoss: see sqlite.Options.
func New(ctx context.Context, c config.Serve, acceptLoss bool, log *slog.Logger) (_ *Server, err error) {
	s := &Server{config: c, log: log, registry: newRegistry(), name: uuid.NewString()}
	s.handles = divide(openFiles(), c.Edge)
	s.openAllowed = c.AllowOpenApps || c.OnLoopback(ctx)
	s.trust = httpx.Trust{Proxies: c.Proxies(), PublicURL: c.PublicURL, Addr: c.Addr}
	if s.keys, err = seal.Read(c.SecretKeyFile); err != nil {
		return nil, err
	}
	if err := errors.Join(datadir.Make(c.Data, log), datadir.TightenUploads(c.Data, log)); err != nil {
		return nil, err
	}
	if s.unlock, err = datadir.Lock(c.Data, "serve"); err != nil {
		return nil, err
	}
	if err := datadir.Settle(c.Data); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if s.store, err = datadir.Open(ctx, c.Store, datadir.Options{
		Committed:  s.committed,
		Log:        log,
		Registerer: s.registry,
		CacheBytes: c.CacheMiB << 20,
		Shared:     c.SeveralNodes(),
		AcceptLoss: acceptLoss,
		Keys:       s.keys,
		Secrets:    true,
	}); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if err := s.prepareApps(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	s.links = links.NewSigner(s.store.Secret(), clock.Now)
	if s.uploads, err = s.openUploads(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	if err := s.openBus(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("--bus: %w", err), s.store.Close(), s.unlock())
	}
	if err := s.wire(ctx); err != nil {
		s.closeBus(ctx)
		return nil, errors.Join(err, s.store.Close(), s.unlock())
	}
	return s, nil
}

// openUploads opens the storage of uploads. One that is away does not keep the node from serving
// messages; one that refuses this server does.
func (s *Server) openUploads(ctx context.Context) (*files.Store, error) {
	c := s.config
	storage, err := datadir.OpenUploads(c.Store, s.registry)
	if err != nil {
		return nil, fmt.Errorf("--uploads: %w", err)
	}
	uploads, err := files.Open(files.Options{
		Dir: datadir.UploadsOf(c.Store), Shared: datadir.SharedUploads(c.Store), Storage: storage,
		MinFree: mebibytes(c.MinFreeMiB), Log: s.log, Find: s.store.Upload, Registerer: s.registry,
		ThumbnailMemory: mebibytes(c.ThumbnailMiB),
		Admit:           s.admitLink, Refuse: httpx.WriteError,
		NotFound: http.HandlerFunc(rest.NotFound),
		Away: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			httpx.WriteError(w, r, skein.ErrUnavailable)
		}),
		NotAllowed: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rest.MethodNotAllowed(w, r, "GET, HEAD")
		}),
	})
	if err != nil {
		return nil, err
	}
	if err := uploads.Check(ctx); s3.Refused(err) {
		return nil, fmt.Errorf("--uploads: %w", err)
	}
	return uploads, nil
}

// admitLink decides whether a link may open an upload; see files.Options.
func (s *Server) admitLink(ctx context.Context, u skein.Upload, signature string) (left time.Duration, err error) {
	app, err := s.gate.App(ctx, u.App)
	if err != nil || !app.Settings.PrivateFiles {
		return 0, err
	}
	until, err := s.links.Check(u.App, u.Name, signature)
	return until.Sub(clock.Now()), err
}

// signLinks signs the links in a frame or an event of an app whose files are private. If the app cannot be
// read, they stay unsigned: receivers read the message again.
func (s *Server) signLinks(ctx context.Context, app string, frame []byte) []byte {
	if a, err := s.gate.App(ctx, app); err == nil && a.Settings.PrivateFiles {
		return s.links.Refresh(a, frame)
	}
	return frame
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// close ends the parts, from the sessions down to the store.
func (s *Server) close(ctx context.Context) error {
	s.words.Close()
	s.keySets.Close()
	err := s.hub.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // the remaining sessions were cut; slow clients are no failure
	}
	s.node.Close(ctx)
	s.presence.Close(ctx)
	s.collector.Close(ctx)
	s.delivery.Close(ctx)
	s.usage.Close(ctx)
	s.tracer.Close(ctx)
	s.closeBus(ctx)
	return errors.Join(err, s.store.Close(), s.unlock())
}
