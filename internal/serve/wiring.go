package serve

import (
	"context"
	"net/http"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/delivery"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/files/links"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/keyset"
	"github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/presence"
	"github.com/skein-im/skein/internal/rest"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/socket"
	"github.com/skein-im/skein/internal/store/cache"
	"github.com/skein-im/skein/internal/upkeep"
	"github.com/skein-im/skein/internal/usage"
	"github.com/skein-im/skein/internal/webhooks"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/words"
)

// wire makes and connects the parts above the store.
func (s *Server) wire(ctx context.Context) (err error) {
	s.tracer = s.newTracer()
	outbound := dial.New(dial.Options{Allow: s.config.Outbound(), ConnsPerHost: 64})
	s.keySets = keyset.New(keyset.Options{Client: outbound, Now: clock.Now, Log: s.log, Registerer: s.registry})
	s.usage = usage.New(usage.Options{
		Store: s.store, Sessions: func() map[string]int { return s.hub.SessionsByApp() }, Settings: s.settingsOf, Now: clock.Now, Log: s.log, Registerer: s.registry,
	})
	s.gate = access.New(access.Options{
		Keys:  s.keySets,
		Nodes: func() int { return s.node.Live() }, KeyUsed: s.usage.KeyUsed,
		Apps: s.store, Clients: s.store, AllowOpen: s.openAllowed, OpenToAll: s.config.AllowOpenApps,
		Limits: limitsOf(s.config.Limits), Now: clock.Now, Log: s.log,
	})
	s.hub = hub.New(hub.Options{
		KickFrame: func(reason string) []byte {
			return wire.AppendKick(nil, skein.MillisOf(clock.Now()), reason)
		},
		Left: func(session *hub.Session) {
			s.node.Left(session)
			s.presence.Ended(session.ID())
		},
		MaxWaiting: mebibytes(s.config.MaxUnreadMiB),
		Now:        clock.Now, Log: s.log, Registerer: s.registry,
	})
	s.presence = presence.New(presence.Options{
		Sessions: s.hub, Apps: s.gate, Store: s.store, Recheck: s.rechecks(), Now: clock.Now, Registerer: s.registry,
		Online: func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
			return s.node.Online(ctx, app, clients)
		},
	})
	s.collector = webhooks.NewCollector(webhooks.CollectorOptions{
		Store: s.store, Now: clock.Now, Log: s.log, Registerer: s.registry,
		Online: func(ctx context.Context, app string, clients []string) (map[string]skein.DeviceSet, error) {
			return s.node.Online(ctx, app, clients)
		},
	})
	if s.node, err = node.New(ctx, node.Options{
		Name: s.name, Store: s.store, Bus: s.bus, Hub: s.hub, Presence: comings{s.presence, s.collector}, Forget: s.forget, Patience: s.config.Patience, Now: clock.Now, Log: s.log, Registerer: s.registry,
	}); err != nil {
		return err
	}
	s.delivery = delivery.New(delivery.Options{
		Store: s.store, Logs: s.logs(), Bus: s.bus, Hub: s.hub, Zone: s.config.Location(),
		Private: s.historyIsPrivate, SignLinks: s.signLinks, Delivered: s.usage.Delivered, Log: s.log, Registerer: s.registry, Tracer: s.tracer,
	})
	s.words = words.New(words.Options{Store: s.store, Registerer: s.registry})
	s.chat = chat.New(chat.Options{Store: s.store, Events: events{s.delivery, s.collector, s.node}, Words: s.words, Hooks: s.hooks(), UnnamedFor: s.config.UnnamedFiles, Now: clock.Now})
	s.upkeep = upkeep.New(upkeep.Options{Store: s.store, Files: s.uploads, UnnamedFor: s.config.UnnamedFiles, Now: clock.Now, Log: s.log})
	s.feed = feed.New(feed.Options{Store: s.store, Node: s.name, Now: clock.Now, Log: s.log, Registerer: s.registry})
	s.webhooks = webhooks.NewDeliverer(webhooks.DelivererOptions{
		Store: s.store, Runner: s.feed, Client: outbound, Zone: s.config.Location(), SignLinks: s.signLinks,
		Now: clock.Now, Log: s.log, Registerer: s.registry,
	})
	s.endpoints = webhooks.New(webhooks.Options{Store: s.store, Client: outbound, Allow: s.config.Outbound(), Changed: s.webhooks.Changed, Now: clock.Now})
	table := rows.New(rows.Deps{
		Chat: s.chat, Gate: s.gate, Files: s.uploads, Presence: s.presence, Zone: s.config.Location(),
		Cursors: cursor.NewSealer(s.store.Secret()), Audit: auditTo(s.log),
		Links: links.Guard{Signer: s.links, Find: s.store.Upload},
	})
	work := s.newGate()
	s.sockets = socket.New(socket.Options{
		Work: work, Gate: s.gate, Registrar: s.chat, Ops: table, Hub: s.hub, Node: s.node,
		MaxSockets: s.handles.sockets, MaxUnauthenticated: s.perAddress(s.handles.unauthenticated),
		MaxPerAddress: s.socketsPerAddress(), HandshakeRate: s.perAddress(0), MaxUnfinished: mebibytes(s.config.MaxUnfinishedMiB),
		MaxMessage: s.maxBody(), FileTypes: files.DefaultTypes, NodeName: s.config.Node, Trust: s.trust, Tracer: s.tracer, Now: clock.Now, Log: s.log, Registerer: s.registry,
	})
	s.guardConnections()
	s.public.http = newHTTPServer(s.guarded(s.inLanguage(s.demoOnly(rest.New(rest.Options{
		Work: work, Table: table, Gate: s.gate, Trust: s.trust, Tracer: s.tracer, MaxBody: s.maxBody(), Limits: s.restLimits(),
		Routes:    s.routes(),
		Downloads: map[string]http.Handler{skein.UploadsPath + "{name}": s.uploads.Handler()},
		Unrouted:  s.pages(table), Log: s.log, Registerer: s.registry,
	})))), s.log)
	s.public.http.WriteTimeout = answerWait
	s.public.http.ConnState = s.public.guard.State
	s.watchSpace()
	admin, err := s.adminRoutes()
	if err != nil {
		return err
	}
	s.admin.http = newHTTPServer(httpx.Secured(admin, false), s.log)
	return s.openCertificates()
}

// maxHookTimeout is a bound of every call to a before-hook, beyond that of the hook itself.
const maxHookTimeout = (skein.MaxHookTimeout + 1000) * time.Millisecond

// hooks asks the before-hooks of apps. Each app has its own bound of calls, so hosts that apps share need none.
func (s *Server) hooks() *hooks.Caller {
	client := dial.New(dial.Options{Allow: s.config.Outbound(), Timeout: maxHookTimeout, IdlePerHost: hooks.CallsAtOnce})
	return hooks.New(hooks.Options{Client: client, SignLinks: s.signLinks, Now: clock.Now, Log: s.log, Registerer: s.registry})
}

// committed is the store's commit hook.
func (s *Server) committed(sent []skein.Committed) {
	s.usage.Committed(sent)
	s.delivery.Committed(sent)
	s.feed.Wake()
	s.webhooks.Wake()
}

// events takes what the use cases report: cuts go to the node, all else to delivery, and receipts to webhooks too.
type events struct {
	*delivery.Delivery

	collector *webhooks.Collector
	node      *node.Node
}

// Tell tells something about a conversation.
func (e events) Tell(n skein.Notice) {
	e.Delivery.Tell(n)
	e.collector.Tell(n)
}

// comings takes what the node reports of sessions that begin and end.
type comings struct {
	*presence.Presence

	collector *webhooks.Collector
}

// Came says that a session of a client began; here: on this node.
func (c comings) Came(app, client string, here bool) {
	c.Presence.Came(app, client)
	c.collector.Came(app, client, here)
}

// Left says that a session ended; last: the client has no other one; here: this node reports it.
func (c comings) Left(app, client string, last, here bool) {
	c.Presence.Left(app, client, last, here)
	if last {
		c.collector.Left(app, client, here)
	}
}

// Cut ends sessions on every node.
func (e events) Cut(c skein.Cut) { e.node.Cut(c) }

// forget removes a client from the cache after another node changed it.
func (s *Server) forget(app, client string) {
	if c, ok := s.store.(*cache.Store); ok {
		c.Forget(app, client)
	}
}

// settingsOf are the settings of an app.
func (s *Server) settingsOf(ctx context.Context, app string) (skein.Settings, error) {
	a, err := s.gate.App(ctx, app)
	if err != nil {
		return skein.Settings{}, err
	}
	return a.Settings, nil
}

// historyIsPrivate reports whether members of the app see only what was said after they joined.
// It is true if the app cannot be read: members fetch what they did not get live.
func (s *Server) historyIsPrivate(ctx context.Context, app string) bool {
	a, err := s.gate.App(ctx, app)
	return err != nil || a.Settings.PrivateHistory
}
