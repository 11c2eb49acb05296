package serve

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/store"
)

// The demo app of --dev. With it every curl line of the original API document works
// unchanged.
const (
	demoApp = "666666"
	demoKey = "master"
)

var demoClients = []string{"1597500303", "1597500304", "Tom", "Jerry", "Alex", "Iron", "1111", "1", "2"}

// seedDemo creates the demo app and its clients if they do not exist.
func seedDemo(ctx context.Context, s store.Store, now time.Time) error {
	at := skein.MillisOf(now)
	err := s.CreateApp(ctx, skein.App{
		ID: demoApp, Name: "Demo", Created: at,
		Keys:        []skein.AppKey{{Name: "demo", Hash: access.HashKey(demoKey), Created: at}},
		TokenSecret: access.NewTokenSecret(),
		Settings:    skein.Settings{Open: true, SendRate: -1, RESTRate: -1, CommandRate: -1, LoginRate: -1},
	})
	if err != nil && !errors.Is(err, skein.ErrConflict) {
		return err
	}
	for _, id := range demoClients {
		if _, _, err := s.CreateClient(ctx, skein.Client{App: demoApp, ID: id, Created: at}); err != nil {
			return err
		}
	}
	return nil
}
