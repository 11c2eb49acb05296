package access

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein"
)

// appLife is how long an app's record is trusted: the CLI may change it on the
// same database, and servers follow within 2 s.
const appLife = time.Second

// maxApps bounds how many app records, and ids of no app, are kept at hand.
const maxApps = 10_000

type cachedApp struct {
	app  *skein.App
	read time.Time
}

// App is the app as it was at most a second ago; it is shared and never written
// to. That an id is of no app is remembered as long, so that asking for one takes
// the time of asking for a known one. Errors: skein.ErrUnknownApp.
func (g *Gate) App(ctx context.Context, id string) (*skein.App, error) {
	if !skein.ValidAppID(id) {
		return nil, skein.ErrUnknownApp
	}
	now := g.opts.Now()
	if app, fresh := g.remembered(id, now); fresh {
		if app == nil {
			return nil, skein.ErrUnknownApp
		}
		return app, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	app, err := g.opts.Apps.App(ctx, id)
	if err != nil && !errors.Is(err, skein.ErrUnknownApp) {
		return nil, err
	}
	if err != nil {
		g.apps.Delete(id)
		g.unknown.Put(id, now)
		return nil, err
	}
	app.Settings = app.Settings.Or(g.opts.Limits).WithDefaults()
	if !g.opts.AllowOpen {
		app.Settings.Open = false
	}
	g.apps.Put(id, cachedApp{&app, now})
	return &app, nil
}

// ForgetApp makes the next call read the app anew, after this node changed it.
func (g *Gate) ForgetApp(id string) {
	g.apps.Delete(id)
	g.unknown.Delete(id)
}

// appOrNobody is the app, or nobody where it is not known.
func (g *Gate) appOrNobody(ctx context.Context, id string) (app *skein.App, known bool, err error) {
	app, err = g.App(ctx, id)
	if errors.Is(err, skein.ErrUnknownApp) {
		return &nobody, false, nil
	}
	return app, err == nil, err
}

// remembered is what was read of an app of late: itself, or nil where there is
// none.
func (g *Gate) remembered(id string, now time.Time) (app *skein.App, fresh bool) {
	if c, ok := g.apps.Get(id); ok && trusted(c.read, now) {
		return c.app, true
	}
	if read, ok := g.unknown.Get(id); ok && trusted(read, now) {
		return nil, true
	}
	return nil, false
}

// trusted reports whether what was read then holds now; a clock that was put back
// trusts nothing.
func trusted(read, now time.Time) bool {
	age := now.Sub(read)
	return 0 <= age && age < appLife
}
