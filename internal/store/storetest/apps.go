package storetest

import (
	"errors"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var apps = []check{
	{"an app is kept as it was given", func(f *fixture) {
		app := skein.App{
			ID: "shop", Name: "商店", TokenSecret: []byte{0, 1, 255}, Created: 7,
			Keys: []skein.AppKey{{Name: "default", Hash: [32]byte{1, 2, 255}, Created: 7, Expires: 9}, {Name: "next"}},
			Settings: skein.Settings{ //nolint:gosec // addresses and a name, no credentials
				Open: true, RelaxedClientIDs: true, NoAutoRegister: true, MembersMayInvite: true, AddBy: skein.AddByKnown,
				MaxDevices: 1, MaxMembers: 2, MaxConversations: 3, SendRate: -4, SendBurst: 5, RESTRate: 6,
				CommandRate: 7, LoginRate: 8, FileTypes: []string{"png"}, MaxFileBytes: 1 << 40, MaxStorageBytes: 1 << 41, MaxSockets: 9,
				QuotaMessages: 1 << 42, QuotaDeliveries: 1 << 43, QuotaConnections: 11,
				PrivateHistory: true, PrivateFiles: true, FileLinkLife: 10, JWKS: "https://id.example/keys", TokenIssuer: "https://id.example", TokenAudience: "skein",
			},
		}
		f.must(f.CreateApp(f.Context(), app))
		got, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "app", got, app)
	}},
	{"no file types and the default ones are two things", func(f *fixture) {
		f.must(f.CreateApp(f.Context(), skein.App{ID: "none", Settings: skein.Settings{FileTypes: []string{}}}))
		f.must(f.CreateApp(f.Context(), skein.App{ID: "default"}))
		none, err := f.App(f.Context(), "none")
		f.must(err)
		byDefault, err := f.App(f.Context(), "default")
		f.must(err)
		if none.Settings.FileTypes == nil || byDefault.Settings.FileTypes != nil {
			f.Fatalf("got %#v and %#v", none.Settings.FileTypes, byDefault.Settings.FileTypes)
		}
	}},
	{"an id is taken once", func(f *fixture) {
		f.app("shop")
		f.wantErr(f.CreateApp(f.Context(), skein.App{ID: "shop", Name: "other"}), skein.ErrConflict)
		app, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "name", app.Name, "")
	}},
	{"apps are listed by id", func(f *fixture) {
		for _, id := range []string{"b", "a", "C"} {
			f.app(id)
		}
		all, err := f.Apps(f.Context())
		f.must(err)
		ids := make([]string, 0, len(all))
		for _, app := range all {
			ids = append(ids, app.ID)
		}
		equal(f, "ids", ids, []string{"C", "a", "b"})
	}},
	{"what was never made is unknown", func(f *fixture) {
		_, err := f.App(f.Context(), "shop")
		f.wantErr(err, skein.ErrUnknownApp)
		f.wantErr(f.UpdateApp(f.Context(), "shop", func(*skein.App) error { return nil }), skein.ErrUnknownApp)
		f.wantErr(f.DeleteApp(f.Context(), "shop"), skein.ErrUnknownApp)
		_, _, err = f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann"})
		f.wantErr(err, skein.ErrUnknownApp)
		_, _, err = f.CreateConversation(f.Context(), f.conv("shop", skein.Group), nil, store.MemberLimit{})
		f.wantErr(err, skein.ErrUnknownApp)
	}},
	{"an update keeps everything but id and creation", func(f *fixture) {
		f.app("shop")
		f.must(f.UpdateApp(f.Context(), "shop", func(app *skein.App) error {
			app.ID, app.Created = "other", 1
			app.Name, app.Settings.SendRate = "Shop", 99
			app.Keys = []skein.AppKey{{Name: "k"}}
			app.TokenSecret = []byte("secret")
			return nil
		}))
		app, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "app", app, skein.App{
			ID: "shop", Created: start, Name: "Shop", TokenSecret: []byte("secret"),
			Keys: []skein.AppKey{{Name: "k"}}, Settings: skein.Settings{SendRate: 99},
		})
	}},
	{"an update that fails keeps nothing", func(f *fixture) {
		f.app("shop")
		no := errors.New("no")
		f.wantErr(f.UpdateApp(f.Context(), "shop", func(app *skein.App) error {
			app.Name = "Shop"
			return no
		}), no)
		app, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "name", app.Name, "")
	}},
	{"updates at the same time all count", func(f *fixture) {
		f.app("shop")
		f.together(50, func(int) error {
			return f.UpdateApp(f.Context(), "shop", func(app *skein.App) error {
				app.Settings.SendRate++
				return nil
			})
		})
		app, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "updates", app.Settings.SendRate, 50)
	}},
	{"a deleted app is unknown at once with all that is its own", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		m := f.say("shop", conv, "ann", "hi")
		f.must(f.DeleteApp(f.Context(), "shop"))
		_, err := f.App(f.Context(), "shop")
		f.wantErr(err, skein.ErrUnknownApp)
		f.wantErr(f.DeleteApp(f.Context(), "shop"), skein.ErrUnknownApp)
		all, err := f.Apps(f.Context())
		f.must(err)
		equal(f, "apps", len(all), 0)
		_, err = f.Client(f.Context(), "shop", "ann")
		f.wantErr(err, skein.ErrUnknownClient)
		page, err := f.Clients(f.Context(), "shop", skein.ClientQuery{Limit: 10})
		f.must(err)
		equal(f, "clients", page, skein.ClientPage{})
		_, err = f.Message(f.Context(), "shop", conv, m.ID, "")
		f.wantErr(err, skein.ErrUnknownMessage)
		f.unknownToAll("shop", conv, "ann")
	}},
	{"the id of a deleted app is free after the purge, with nothing from before", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.app("other", "ann", "bob")
		conv, others := f.group("shop", "ann", "bob"), f.group("other", "ann", "bob")
		f.sayMany("shop", conv, "ann", 1200)
		f.say("other", others, "ann", "hi")
		f.must(f.DeleteApp(f.Context(), "shop"))
		f.wantErr(f.CreateApp(f.Context(), skein.App{ID: "shop"}), skein.ErrConflict)
		f.purge()
		f.app("shop")
		_, err := f.Client(f.Context(), "shop", "ann")
		f.wantErr(err, skein.ErrUnknownClient)
		f.clients("shop", "ann")
		f.unknownToAll("shop", conv, "ann")
		equal(f, "the other app's messages", len(f.history("other", others)), 1)
		equal(f, "the other app's members", f.audience("other", others), []string{"ann", "bob"})
	}},
}
