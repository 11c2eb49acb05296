package serve

import (
	"context"

	"github.com/skein-im/skein/internal/bus/natsbus"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/cache"
)

// openBus connects this node with the others, if --bus says that there are any.
func (s *Server) openBus(ctx context.Context) error {
	s.closeBus = func(context.Context) {}
	c, err := s.config.BusOf()
	if err != nil || !c.Several() {
		return err
	}
	opts := natsbus.Options{
		Servers: c.Servers, User: c.User, Password: c.Password, Prefix: c.Prefix,
		Name: s.name, Log: s.log, Registerer: s.registry,
	}
	stopServer := func() {}
	if c.Listen != "" {
		opts.Embedded, err = natsbus.Embed(natsbus.Embedded{
			Listen: c.Listen, Peers: c.Peers, Token: c.Token, Name: s.name, Log: s.log, Registerer: s.registry,
		})
		if err != nil {
			return err
		}
		stopServer = opts.Embedded.Close
	}
	connected, err := natsbus.Connect(ctx, opts)
	if err != nil {
		stopServer()
		return err
	}
	s.bus = connected
	s.closeBus = func(ctx context.Context) {
		connected.Close(ctx)
		stopServer()
	}
	return nil
}

// recheck is how many watched clients presence looks at each second because an event of
// another node may be lost. Up to so many a node, a lost login is told within two seconds.
const recheck = 5000

// rechecks is recheck beside other nodes; alone no event is lost.
func (s *Server) rechecks() int {
	if s.bus == nil {
		return 0
	}
	return recheck
}

// logs is the store for reads that must not be older than the database: beside other nodes
// the one behind the cache.
func (s *Server) logs() store.Store {
	if c, ok := s.store.(*cache.Store); ok && s.bus != nil {
		return c.Store
	}
	return s.store
}
