// Package access answers who is calling: it knows app keys, tokens, bans and
// rates. What a caller may do is the op table's to say and the use cases' to hold
// to; access only tells who it is.
package access

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/keyset"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/store"
)

// Options are the choices of a gate.
type Options struct {
	Apps    store.Apps
	Clients store.Clients
	Keys    *keyset.Sets     // of the apps whose tokens are signed with keys of their own; nil: none
	Now     func() time.Time // nil: time.Now
	// AllowOpen lets apps without token authentication take calls without
	// credentials. It is for loopback, or for who asked for it.
	AllowOpen bool
	// OpenToAll lets them take calls from beyond this machine too.
	OpenToAll bool
	// Limits are what holds for apps whose own setting is zero.
	Limits skein.Settings
	// KeyUsed is told of each call with a good key, and must not wait; nil: nobody is told.
	KeyUsed func(app, key string, at skein.Millis)
	// Nodes is how many nodes share the rate of an app key; nil: this is the only one.
	Nodes func() int
	Log   *slog.Logger // nil: no log
}

// Gate knows who is calling. Safe for concurrent use.
type Gate struct {
	opts    Options
	rates   *rates
	apps    *recent.Shared[string, cachedApp]
	unknown *recent.Shared[string, time.Time] // ids of no app, and when that was read
	origins origins
	warned  rate.Sometimes // of calls to open apps from elsewhere
}

// New is a gate.
func New(opts Options) *Gate {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Nodes == nil {
		opts.Nodes = func() int { return 1 }
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.KeyUsed == nil {
		opts.KeyUsed = func(string, string, skein.Millis) {}
	}
	return &Gate{
		opts: opts, rates: newRates(opts.Nodes),
		apps: recent.NewShared[string, cachedApp](maxApps), unknown: recent.NewShared[string, time.Time](maxApps),
		warned: rate.Sometimes{First: 1, Interval: time.Minute},
	}
}

// patience bounds each read that tells who is calling; beyond it the answer is 5030. What
// memory answers has no timer: one costs a REST call a twentieth.
const patience = 10 * time.Second

// Credentials are what a REST call shows.
type Credentials struct {
	App           string
	Key           *string // app-key header; nil: none
	Authorization *string // nil: none
	Source
}

// Caller tells who makes a REST call. Errors: skein.ErrUnauthenticated for an
// unknown app, a wrong key, a wrong or absent token, one answer for all;
// skein.ErrBanned; skein.ErrUnknownClient for a token of nobody; skein.ErrRateLimited.
func (g *Gate) Caller(ctx context.Context, c Credentials) (skein.Actor, error) {
	actor, err := g.identify(ctx, c)
	if err != nil {
		return skein.Actor{}, err
	}
	return actor, g.rates.admitREST(actor, g.opts.Now())
}

// Revoked is why credentials that were good are so no longer, for a call that takes
// long; nil: they are good, or it cannot be told now. Errors: as Caller.
func (g *Gate) Revoked(ctx context.Context, c Credentials) error {
	if _, err := g.identify(ctx, c); Refused(err) {
		return err
	}
	return nil
}

// identify is Caller without a count.
func (g *Gate) identify(ctx context.Context, c Credentials) (skein.Actor, error) {
	app, known, err := g.appOrNobody(ctx, c.App)
	if err != nil {
		return skein.Actor{}, err
	}
	actor := skein.Actor{App: app}
	proven := false
	if c.Key != nil {
		if actor.Key, proven = g.checkKey(app, *c.Key); !proven {
			return skein.Actor{}, skein.ErrUnauthenticated
		}
	}
	if c.Authorization != nil {
		bearer, err := g.bearer(ctx, app, *c.Authorization)
		if err != nil {
			return skein.Actor{}, err
		}
		if !proven { // a right key beside the token: the server role
			actor, proven = bearer, true
		}
	}
	if !known || !proven && !app.Settings.Open {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	return actor, g.checkSource(app, c.Source)
}

// Login is what a socket shows to become a session.
type Login struct {
	App, Client, Device string
	Token               string // empty: none
	Addr                string // what failures are counted by, beside app and client
	Source
}

// Login tells who logs in. A token limited to some actions may log in and is held
// to them then. A good credential gets in however many bad ones came before it; who
// fails more often than the app's LoginRate is answered skein.ErrRateLimited, for
// the price of one signature. Errors: as Caller; skein.ErrForbidden when the token
// is for another client or device; skein.ErrInvalidClientID.
func (g *Gate) Login(ctx context.Context, in Login) (skein.Actor, error) {
	app, known, err := g.appOrNobody(ctx, in.App)
	if err != nil {
		return skein.Actor{}, err
	}
	key, perMinute := loginKeyOf(in), app.Settings.Or(g.opts.Limits).WithDefaults().LoginRate // nobody's: the installation's
	late := g.rates.loginLocked(key, perMinute, g.opts.Now())
	if late != nil && !g.signed(app, in.Token) && !app.Settings.Open {
		return skein.Actor{}, late
	}
	actor, err := g.login(ctx, app, known, in)
	switch {
	case err == nil:
		g.rates.loginSucceeded(key)
		return actor, g.checkSource(app, in.Source)
	case Refused(err):
		if failed := g.rates.loginFailed(key, perMinute, g.opts.Now()); failed != nil {
			err = failed
		}
	}
	return skein.Actor{}, err
}

func (g *Gate) login(ctx context.Context, app *skein.App, known bool, in Login) (skein.Actor, error) {
	if known && app.Settings.Open && in.Token == "" {
		return g.openLogin(ctx, app, in)
	}
	claims, err := parseToken(app, in.Token, g.opts.Now(), g.keysOf(ctx, app))
	if errors.Is(err, skein.ErrUnavailable) {
		return skein.Actor{}, err
	}
	if err != nil || !known {
		return skein.Actor{}, skein.ErrUnauthenticated
	}
	if claims.Subject != in.Client || claims.Device != "" && claims.Device != in.Device {
		return skein.Actor{}, skein.ErrForbidden
	}
	actor, err := g.holder(ctx, app, claims, in.Device)
	if errors.Is(err, skein.ErrUnknownClient) {
		err = nil // the first login registers it, where the app lets it
	}
	actor.Device = in.Device
	return actor, err
}

// Current reports whether what a login was judged by is still so: the app and the client
// are as they were.
func (g *Gate) Current(ctx context.Context, by skein.Actor) (bool, error) {
	app, known, err := g.appOrNobody(ctx, by.App.ID)
	if err != nil || !known || app != by.App {
		return false, err
	}
	c, err := g.client(ctx, app.ID, by.Client)
	if errors.Is(err, skein.ErrUnknownClient) {
		return by.Rev == 0, nil
	}
	return err == nil && c.Rev == by.Rev, err
}

// client reads a client.
func (g *Gate) client(ctx context.Context, app, id string) (skein.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return g.opts.Clients.Client(ctx, app, id)
}

// openLogin is the login of an app that asks for no token.
func (g *Gate) openLogin(ctx context.Context, app *skein.App, in Login) (skein.Actor, error) {
	if !skein.ValidClientID(in.Client, app.Settings.RelaxedClientIDs) {
		return skein.Actor{}, skein.About(skein.ErrInvalidClientID, "client_id")
	}
	c, err := g.client(ctx, app.ID, in.Client)
	if err != nil && !errors.Is(err, skein.ErrUnknownClient) {
		return skein.Actor{}, err
	}
	if c.Banned(g.now()) {
		return skein.Actor{}, skein.ErrBanned
	}
	return skein.Actor{App: app, Client: in.Client, Device: in.Device, Rev: c.Rev}, nil
}

// Refused tells callers that were turned away from those about whom nothing could be
// decided.
func Refused(err error) bool {
	return errors.Is(err, skein.ErrUnauthenticated) || errors.Is(err, skein.ErrForbidden) ||
		errors.Is(err, skein.ErrBanned) || errors.Is(err, skein.ErrUnknownClient)
}

// Charge takes messages off the caller's send rate for a call that costs as much as
// so many of them; where the burst is smaller the burst is taken. The server role has
// none.
// Errors: skein.ErrRateLimited.
func (g *Gate) Charge(by skein.Actor, messages int) error {
	return g.rates.charge(by, messages, g.opts.Now())
}

// Debit is Charge for work that is done: the caller pays before its next calls. It
// refuses nothing.
func (g *Gate) Debit(by skein.Actor, messages int) {
	g.rates.debit(by, messages, g.opts.Now())
}

func (g *Gate) now() skein.Millis { return skein.MillisOf(g.opts.Now()) }
