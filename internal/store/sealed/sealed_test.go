package sealed_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sealed"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keysOf are the keys of a file with these lines.
func keysOf(t *testing.T, lines ...string) *seal.Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func engine(t *testing.T, opt storetest.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, Now: opt.Now, Committed: opt.Committed, SearchTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// It is the store that the engine below it is, as far as it alters it.
func TestSealedIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, opt storetest.Options) (a, b store.Store) {
		s := sealed.Over(engine(t, opt), keysOf(t, seal.NewKey()))
		return s, s
	}, "apps", "admin")
}

func TestTheEngineNeverHoldsASecretInClear(t *testing.T) {
	bare := engine(t, storetest.Options{Now: time.Now})
	s := sealed.Over(bare, keysOf(t, seal.NewKey()))
	stored := func(id string) string {
		t.Helper()
		app, err := bare.App(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return string(app.TokenSecret)
	}
	must(t, s.CreateApp(t.Context(), skein.App{ID: "shop", TokenSecret: []byte("first")}))
	created := stored("shop")
	must(t, s.UpdateApp(t.Context(), "shop", func(a *skein.App) error { a.Name = "Shop"; return nil }))
	renamed := stored("shop")
	must(t, s.UpdateApp(t.Context(), "shop", func(a *skein.App) error { a.TokenSecret = []byte("second"); return nil }))
	updated := stored("shop")
	deed(t, s, func(ctx context.Context, tx store.AdminTx) error {
		app, err := tx.App(ctx, "shop")
		if err == nil && string(app.TokenSecret) != "second" {
			t.Errorf("a deed reads %q", app.TokenSecret)
		}
		app.TokenSecret = []byte("third")
		return errors.Join(err, tx.PutApp(ctx, app), tx.CreateApp(ctx, skein.App{ID: "other", TokenSecret: []byte("another")}))
	})
	for name, text := range map[string]string{"created": created, "renamed": renamed, "updated": updated, "by a deed": stored("shop"), "created by a deed": stored("other")} {
		if seal.SealedWith([]byte(text)) == "" {
			t.Errorf("%s: the engine holds %q", name, text)
		}
	}
	if renamed != created {
		t.Error("a new name sealed the secret anew")
	}
	if app, err := s.App(t.Context(), "shop"); err != nil || string(app.TokenSecret) != "third" {
		t.Errorf("got %q, %v, want third", app.TokenSecret, err)
	}
}

func TestAStoreWithoutTheKeySaysWhichAndChangesNothing(t *testing.T) {
	bare := engine(t, storetest.Options{Now: time.Now})
	keys := keysOf(t, seal.NewKey())
	must(t, sealed.Over(bare, keys).CreateApp(t.Context(), skein.App{ID: "shop", TokenSecret: []byte("secret")}))
	none, err := seal.Read("")
	must(t, err)
	s := sealed.Over(bare, none)
	_, missing, err := s.Secrets(t.Context())
	must(t, err)
	_, asked := s.App(t.Context(), "shop")
	changed := s.UpdateApp(t.Context(), "shop", func(*skein.App) error { return nil })
	_, done := s.Administer(t.Context(), func(ctx context.Context, tx store.AdminTx) (skein.Deed, error) {
		_, err := tx.App(ctx, "shop")
		return skein.Deed{}, err
	})
	for name, err := range map[string]error{"secrets": missing, "app": asked, "update": changed, "deed": done} {
		var is *seal.MissingKeyError
		if !errors.As(err, &is) || is.ID != keys.Newest() || !strings.Contains(err.Error(), "app shop") {
			t.Errorf("%s: got error %v, want one about key %s and app shop", name, err, keys.Newest())
		}
	}
	if apps, err := s.Apps(t.Context()); err != nil || len(apps) != 1 || apps[0].TokenSecret != nil {
		t.Errorf("apps: got %v, %v, want shop without a secret", apps, err)
	}
}

func TestResealSealsAllWithTheNewestKeyAndSaysSo(t *testing.T) {
	bare := engine(t, storetest.Options{Now: time.Now})
	first, second := seal.NewKey(), seal.NewKey()
	must(t, bare.CreateApp(t.Context(), skein.App{ID: "clear", TokenSecret: []byte("clear")}))
	must(t, sealed.Over(bare, keysOf(t, first)).CreateApp(t.Context(), skein.App{ID: "old", TokenSecret: []byte("old")}))
	both := keysOf(t, first, second)
	s := sealed.Over(bare, both)
	must(t, s.CreateApp(t.Context(), skein.App{ID: "new", TokenSecret: []byte("new")}))
	byKey, _, err := s.Secrets(t.Context())
	must(t, err)
	if ids := both.IDs(); byKey[""] != 1 || byKey[ids[0]] != 1 || byKey[ids[1]] != 1 {
		t.Errorf("before: got %v", byKey)
	}
	if n, err := s.Reseal(t.Context(), skein.Deed{Operator: "ann"}); n != 2 || err != nil {
		t.Errorf("reseal: got %d, %v, want 2", n, err)
	}
	alone := sealed.Over(bare, keysOf(t, second))
	for _, id := range []string{"clear", "old", "new"} {
		if app, err := alone.App(t.Context(), id); err != nil || string(app.TokenSecret) != id {
			t.Errorf("%s by the newest key alone: got %q, %v", id, app.TokenSecret, err)
		}
	}
	deeds, err := bare.AuditAfter(t.Context(), 0, 10)
	must(t, err)
	if len(deeds) != 2 || deeds[0].App != "clear" || string(deeds[0].Before) != `{"key":null}` || deeds[1].Op != sealed.OpReseal || !strings.Contains(string(deeds[1].After), both.Newest()) {
		t.Errorf("the audit log: got %+v", deeds)
	}
	if n, err := s.Reseal(t.Context(), skein.Deed{}); n != 0 || err != nil {
		t.Errorf("reseal again: got %d, %v, want 0", n, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func deed(t *testing.T, s store.Store, do func(context.Context, store.AdminTx) error) {
	t.Helper()
	_, err := s.Administer(t.Context(), func(ctx context.Context, tx store.AdminTx) (skein.Deed, error) {
		return skein.Deed{}, do(ctx, tx)
	})
	must(t, err)
}

func TestSecretsOfHooksAreSealedAndResealed(t *testing.T) {
	bare := engine(t, storetest.Options{Now: time.Now})
	first, second := seal.NewKey(), seal.NewKey()
	s := sealed.Over(bare, keysOf(t, first))
	secret := func(key string, expires skein.Millis) skein.WebhookSecret {
		return skein.WebhookSecret{Key: []byte(key), Expires: expires}
	}
	secrets := func(from store.Store) (all []string) {
		t.Helper()
		app, err := from.App(t.Context(), "shop")
		must(t, err)
		for _, one := range app.Settings.HookBefore(skein.BeforeMessage).Secrets {
			all = append(all, string(one.Key))
		}
		return all
	}
	must(t, s.CreateApp(t.Context(), skein.App{ID: "shop", TokenSecret: []byte("token")}))
	deed(t, s, func(ctx context.Context, tx store.AdminTx) error {
		app, err := tx.App(ctx, "shop")
		app.Settings.BeforeHooks = []skein.BeforeHook{{On: skein.BeforeMessage, Secrets: []skein.WebhookSecret{secret("new", skein.Forever), secret("old", 5)}}}
		return errors.Join(err, tx.PutApp(ctx, app))
	})
	stored := secrets(bare)
	if got := secrets(s); !slices.Equal(got, []string{"new", "old"}) || strings.Contains(strings.Join(stored, " "), "new") || seal.SealedWith([]byte(stored[1])) == "" {
		t.Errorf("got %q, stored as %q", got, stored)
	}
	must(t, s.UpdateApp(t.Context(), "shop", func(a *skein.App) error { a.Name = "Shop"; return nil }))
	if now := secrets(bare); !slices.Equal(now, stored) {
		t.Errorf("a change of the name altered the secrets")
	}
	stranger := sealed.Over(bare, keysOf(t, second))
	both := sealed.Over(bare, keysOf(t, first, second))
	if byKey, missing, err := stranger.Secrets(t.Context()); err != nil || missing == nil || len(byKey) != 1 {
		t.Errorf("without the key: got %v, %v, %v", byKey, missing, err)
	}
	if n, err := both.Reseal(t.Context(), skein.Deed{Operator: "ann"}); n != 3 || err != nil {
		t.Errorf("reseal: got %d, %v, want 3", n, err)
	}
	if got := secrets(stranger); !slices.Equal(got, []string{"new", "old"}) {
		t.Errorf("with the newest key alone: got %q", got)
	}
	if n, err := both.Reseal(t.Context(), skein.Deed{}); n != 0 || err != nil {
		t.Errorf("reseal again: got %d, %v, want 0", n, err)
	}
}
