package access

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestAnOpenAppIsServedOnThisMachineAlone(t *testing.T) {
	token := tokenOf(start, nil).String()
	for name, tt := range map[string]struct {
		open, toAll, proxied bool
		key, bearer          string
		want                 error
	}{
		"a program of this machine":             {open: true},
		"through a proxy":                       {open: true, proxied: true, want: skein.ErrForbidden},
		"through a proxy with the key":          {open: true, proxied: true, key: appKeyText, want: skein.ErrForbidden},
		"through a proxy with a token":          {open: true, proxied: true, bearer: "Bearer " + token, want: skein.ErrForbidden},
		"through a proxy where that is allowed": {open: true, proxied: true, toAll: true},
		"an app that asks for keys":             {proxied: true, key: appKeyText},
	} {
		f := newFixture(t, skein.Settings{Open: tt.open})
		f.Gate.opts.OpenToAll = tt.toAll
		c := credentials("shop", tt.key, tt.bearer)
		c.Proxied = tt.proxied
		_, err := f.Caller(t.Context(), c)
		f.wantErr(name, err, tt.want)
		if tt.key != "" {
			continue
		}
		_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "d", Source: c.Source})
		f.wantErr(name+", by socket", err, tt.want)
	}
}

func TestAPageIsAllowedByTheListOfItsApp(t *testing.T) {
	for origin, want := range map[string]error{
		"":                     nil,
		"https://example.com":  nil,
		"https://a.shop.com":   nil,
		"https://shop.com":     skein.ErrForbidden,
		"https://evilshop.com": skein.ErrForbidden,
		"null":                 skein.ErrForbidden,
	} {
		f := newFixture(t, skein.Settings{AllowedOrigins: []string{"https://example.com", "*.shop.com"}})
		c := credentials("shop", appKeyText, "")
		c.Origin = origin
		_, err := f.Caller(t.Context(), c)
		f.wantErr(origin, err, want)
		_, err = f.Login(t.Context(), Login{App: "shop", Client: "Tom", Device: "d", Token: tokenOf(start, nil).String(), Source: c.Source})
		f.wantErr(origin+", by socket", err, want)
	}
}

func TestAPreflightIsAllowedWhereSomeAppAllowsThePage(t *testing.T) {
	f := newFixture(t, skein.Settings{AllowedOrigins: []string{"https://shop.com"}})
	f.setApp(skein.App{ID: "second", Settings: skein.Settings{AllowedOrigins: []string{"*.second.com"}}})
	check := func(app, origin string, want bool) {
		t.Helper()
		if got := f.AllowsOrigin(t.Context(), app, origin); got != want {
			t.Errorf("app %q, origin %q: got %v, want %v", app, origin, got, want)
		}
	}
	check("", "https://shop.com", true)
	check("", "https://a.second.com", true)
	check("", "https://evil.com", false)
	check("", "null", false)
	check("shop", "https://shop.com", true)
	check("shop", "https://a.second.com", false)
	check("none", "https://a.second.com", true)

	f.setApp(skein.App{ID: "second"})
	f.pass(time.Second)
	check("", "https://a.second.com", false)
}

func TestALimitOfTheInstallationHoldsWhereAnAppHasNone(t *testing.T) {
	f := newFixture(t, skein.Settings{SendRate: 7})
	f.Gate.opts.Limits = skein.Settings{SendRate: 3, SendBurst: 4, MaxMembers: 5, MaxConversations: 6, RESTRate: -1, LoginRate: 9}
	app, err := f.App(t.Context(), "shop")
	f.must(err)
	s := app.Settings
	if s.SendRate != 7 || s.SendBurst != 4 || s.MaxMembers != 5 || s.MaxConversations != 6 || s.RESTRate != -1 || s.LoginRate != 9 {
		t.Errorf("got %+v, want the app's send rate of 7 and the installation's other limits", s)
	}
}
