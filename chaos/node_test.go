package chaos

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/delivery"
	"github.com/skein-im/skein/internal/hub"
	ofnodes "github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/presence"
	"github.com/skein-im/skein/internal/rest"
	sockets "github.com/skein-im/skein/internal/socket"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

// node is one node in this process, all of it but files, over HTTP and WebSocket.
type node struct {
	hub      *hub.Hub
	sessions *ofnodes.Node
	presence *presence.Presence
	delivery *delivery.Delivery
	http     *httptest.Server
	store    *cache.Store
}

// These are short, so that a round comes to rest.
const (
	resyncOver = 500 * time.Millisecond
	lease      = 2 * time.Second
)

func newNode(name string, h *handle, b bus.Bus, logs slog.Handler) (*node, error) {
	log := slog.New(logs)
	n := new(node)
	s, err := h.cached(func(sent []skein.Committed) { n.delivery.Committed(sent) })
	if err != nil {
		return nil, err
	}
	n.store = s
	gate := access.New(access.Options{Apps: s, Clients: s, Log: log})
	n.hub = hub.New(hub.Options{
		KickFrame: func(reason string) []byte { return wire.AppendKick(nil, skein.MillisOf(time.Now()), reason) },
		Left: func(session *hub.Session) {
			n.sessions.Left(session)
			n.presence.Ended(session.ID())
		},
		Log: log,
	})
	n.presence = presence.New(presence.Options{
		Sessions: n.hub, Apps: gate, Store: s, Recheck: unlessBroken("presence", 5000),
		Online: func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
			return n.sessions.Online(ctx, app, clients)
		},
	})
	if n.sessions, err = ofnodes.New(context.Background(), ofnodes.Options{
		Name: name, Store: s, Hub: n.hub, Bus: b, Presence: hasty{n.presence}, Forget: s.Forget, Lease: lease, Log: log,
	}); err != nil {
		return nil, err
	}
	n.delivery = delivery.New(delivery.Options{
		Store: h.cripple(s), Logs: h.cripple(h), Bus: b, Hub: n.hub, Zone: time.UTC, Log: log, ResyncOver: resyncOver,
		Private: func(ctx context.Context, app string) bool {
			a, err := gate.App(ctx, app)
			return err != nil || a.Settings.PrivateHistory
		},
	})
	service := chat.New(chat.Options{Store: s, Events: events{n.delivery, n.sessions}})
	table := rows.New(rows.Deps{Chat: service, Gate: gate, Presence: n.presence, Zone: time.UTC, Cursors: cursor.NewSealer(s.Secret())})
	accept := sockets.New(sockets.Options{Gate: gate, Registrar: service, Ops: table, Hub: n.hub, Node: n.sessions, MaxPerAddress: -1, HandshakeRate: -1, Log: log})
	n.http = httptest.NewServer(rest.New(rest.Options{
		Table: table, Gate: gate, Log: log, Routes: map[string]http.Handler{rows.SocketPath: accept},
	}))
	return n, nil
}

func (n *node) addr() string { return strings.TrimPrefix(n.http.URL, "http://") }

func (n *node) close() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	_ = n.hub.Close(ctx)
	n.http.Close()
	n.sessions.Close(ctx)
	n.presence.Close(ctx)
	n.delivery.Close(ctx)
}

// hasty is presence that with -chaos.break doubt believes a store that lost sessions.
type hasty struct{ *presence.Presence }

func (h hasty) Came(app, client string, _ bool) { h.Presence.Came(app, client) }
func (h hasty) Doubt(within time.Duration)      { h.Presence.Doubt(unlessBroken("doubt", within)) }

// events are where the use cases tell what happened.
type events struct {
	*delivery.Delivery

	sessions *ofnodes.Node
}

// Cut ends sessions on every node.
func (e events) Cut(c skein.Cut) { e.sessions.Cut(c) }

// logbuffer is the log of all nodes: what is worse than a warning.
type logbuffer struct {
	mu  sync.Mutex
	bad bytes.Buffer // guarded by mu
}

func (l *logbuffer) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}
func (l *logbuffer) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *logbuffer) WithGroup(string) slog.Handler      { return l }

func (l *logbuffer) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bad.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		l.bad.WriteString(" " + a.String())
		return true
	})
	l.bad.WriteByte('\n')
	return nil
}

func (l *logbuffer) disaster() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, _, _ := strings.Cut(l.bad.String(), "\n")
	return line
}
