package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/hub"
)

// followApps ends the sessions that an app no longer allows, within 2 s of a command that changed
// the app.
func (s *Server) followApps(ctx context.Context) {
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

// endSessions ends all sessions of deleted apps, and the sessions without a token of apps that
// now require one. closed are the apps of which it has ended these already: the app lets none in
// after that, so once is enough. It returns the new closed.
func (s *Server) endSessions(ctx context.Context, closed map[string]bool) map[string]bool {
	still := make(map[string]bool)
	for id := range s.hub.SessionsByApp() {
		app, err := s.gate.App(ctx, id)
		switch {
		case errors.Is(err, skein.ErrUnknownApp):
			s.hub.KickApp(id, skein.KickDeleted)
		case err != nil:
			still[id] = closed[id] // unknown: as before
		case !app.Settings.Open:
			if !closed[id] {
				s.hub.Kick(hub.Target{App: id, WithoutToken: true}, skein.KickLoggedOut)
			}
			still[id] = true
		}
	}
	return still
}

// prepareApps creates the demo app in --dev. It fails if the address is not loopback and an app
// has token authentication off.
func (s *Server) prepareApps(ctx context.Context) error {
	if s.config.Dev {
		if err := seedDemo(ctx, s.store, clock.Now()); err != nil {
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
