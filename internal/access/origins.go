package access

import (
	"context"
	"sync"
	"time"

	"github.com/skein-im/skein"
)

// origins are the allowed origins of all apps, for a browser's preflight and a
// socket's handshake, which do not say for which app they are.
type origins struct {
	mu   sync.Mutex
	all  skein.Settings // with the origins of all apps; guarded by mu
	read time.Time      // guarded by mu
}

// AllowsOrigin reports whether pages of an origin may call the app or, where app is
// empty or unknown, some app of this installation.
func (g *Gate) AllowsOrigin(ctx context.Context, app, origin string) bool {
	if a, err := g.App(ctx, app); err == nil {
		return a.Settings.AllowsOrigin(origin)
	}
	return g.allOrigins(ctx).AllowsOrigin(origin)
}

// allOrigins are read at most once a second, by one caller while others wait. What
// cannot be read allows nothing.
func (g *Gate) allOrigins(ctx context.Context) skein.Settings {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	g.origins.mu.Lock()
	defer g.origins.mu.Unlock()
	now := g.opts.Now()
	if trusted(g.origins.read, now) {
		return g.origins.all
	}
	apps, err := g.opts.Apps.Apps(ctx)
	if err != nil {
		return skein.Settings{}
	}
	var all skein.Settings
	seen := map[string]bool{}
	for _, app := range apps {
		for _, o := range app.Settings.AllowedOrigins {
			if !seen[o] {
				seen[o] = true
				all.AllowedOrigins = append(all.AllowedOrigins, o)
			}
		}
	}
	g.origins.all, g.origins.read = all, now
	return all
}
