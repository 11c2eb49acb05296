// Package sealed is a store over any engine that keeps the token secrets of apps and the
// secrets of webhooks and before-hooks encrypted there.
package sealed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/store"
)

// Store is an engine whose token secrets are sealed. Safe for concurrent use.
type Store struct {
	store.Store

	keys *seal.Keys
}

var _ store.Store = (*Store)(nil)

// Over seals the token secrets of an engine.
func Over(engine store.Store, keys *seal.Keys) *Store { return &Store{engine, keys} }

// OpReseal is what the audit log calls a secret that was sealed with another key.
const OpReseal = "secrets.reseal"

// about is what the token secret of an app is sealed for.
func about(app string) string { return "token secret of app " + app }

// opened is an app with its secret as it is.
func (s *Store) opened(app skein.App) (skein.App, error) {
	secret, err := s.keys.Open(app.TokenSecret, about(app.ID))
	if err != nil {
		return app, fmt.Errorf("token secret of app %s: %w", app.ID, err)
	}
	app.TokenSecret = secret
	app.Settings.BeforeHooks = s.openHooks(app)
	return app, nil
}

// closed is an app with its secrets as the engine keeps them: as in stored, where they did not change from
// before. A zero stored seals all anew.
func (s *Store) closed(app, before, stored skein.App) skein.App {
	if bytes.Equal(app.TokenSecret, before.TokenSecret) && stored.TokenSecret != nil {
		app.TokenSecret = stored.TokenSecret
	} else {
		app.TokenSecret = s.keys.Seal(app.TokenSecret, about(app.ID))
	}
	app.Settings.BeforeHooks = s.closeHooks(app, before, stored)
	return app
}

// CreateApp implements store.Apps.
func (s *Store) CreateApp(ctx context.Context, app skein.App) error {
	return s.Store.CreateApp(ctx, s.closed(app, skein.App{}, skein.App{}))
}

// App implements store.Apps. Errors also: *seal.MissingKeyError, seal.ErrDamaged.
func (s *Store) App(ctx context.Context, id string) (skein.App, error) {
	app, err := s.Store.App(ctx, id)
	if err != nil {
		return app, err
	}
	return s.opened(app)
}

// Apps implements store.Apps. An app whose secret cannot be opened is listed without one.
func (s *Store) Apps(ctx context.Context) ([]skein.App, error) {
	apps, err := s.Store.Apps(ctx)
	for i := range apps {
		if opened, err := s.opened(apps[i]); err == nil {
			apps[i] = opened
		} else {
			apps[i].TokenSecret = nil
		}
	}
	return apps, err
}

// UpdateApp implements store.Apps.
func (s *Store) UpdateApp(ctx context.Context, id string, change func(*skein.App) error) error {
	return s.Store.UpdateApp(ctx, id, func(app *skein.App) error {
		stored := *app
		before, err := s.opened(stored)
		if err != nil {
			return err
		}
		after := before
		if err := change(&after); err != nil {
			return err
		}
		after.ID = id
		*app = s.closed(after, before, stored)
		return nil
	})
}

// Administer implements store.Admin.
func (s *Store) Administer(ctx context.Context, do func(context.Context, store.AdminTx) (skein.Deed, error)) (skein.Deed, error) {
	return s.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		return do(ctx, &deedTx{AdminTx: t, s: s, read: map[string]reading{}})
	})
}

// deedTx is the transaction of a deed. It is used by one goroutine.
type deedTx struct {
	store.AdminTx

	s    *Store
	read map[string]reading // by app

	hooks map[string][]skein.WebhookSecret // as stored, by endpoint
}

// reading is an app that a deed has read, as it is and as it is stored.
type reading struct{ app, stored skein.App }

// App implements store.AdminTx.
func (t *deedTx) App(ctx context.Context, id string) (skein.App, error) {
	stored, err := t.AdminTx.App(ctx, id)
	if err != nil {
		return stored, err
	}
	app, err := t.s.opened(stored)
	if err == nil {
		t.read[id] = reading{app, stored}
	}
	return app, err
}

// CreateApp implements store.AdminTx.
func (t *deedTx) CreateApp(ctx context.Context, app skein.App) error {
	return t.AdminTx.CreateApp(ctx, t.s.closed(app, skein.App{}, skein.App{}))
}

// PutApp implements store.AdminTx.
func (t *deedTx) PutApp(ctx context.Context, app skein.App) error {
	before := t.read[app.ID]
	return t.AdminTx.PutApp(ctx, t.s.closed(app, before.app, before.stored))
}

// aboutWebhook is what the secrets of an endpoint are sealed for.
func aboutWebhook(id string) string { return "secret of webhook " + id }

// Webhooks implements store.Webhooks. A secret that cannot be opened is nil.
func (s *Store) Webhooks(ctx context.Context, app string) ([]store.Endpoint, error) {
	all, err := s.Store.Webhooks(ctx, app)
	s.openWebhooks(all)
	return all, err
}

func (s *Store) openWebhooks(all []store.Endpoint) {
	for i := range all {
		for j := range all[i].Secrets {
			key, err := s.keys.Open(all[i].Secrets[j].Key, aboutWebhook(all[i].ID))
			if err != nil {
				key = nil
			}
			all[i].Secrets[j].Key = key
		}
	}
}

// Webhooks implements store.WebhookTx.
func (t *deedTx) Webhooks(ctx context.Context, app string) ([]store.Endpoint, error) {
	all, err := t.AdminTx.Webhooks(ctx, app)
	t.hooks = make(map[string][]skein.WebhookSecret, len(all))
	for _, e := range all {
		t.hooks[e.ID] = slices.Clone(e.Secrets)
	}
	t.s.openWebhooks(all)
	return all, err
}

// PutWebhook implements store.WebhookTx. A secret that could not be opened stays as it is stored.
func (t *deedTx) PutWebhook(ctx context.Context, w skein.Webhook, at store.FeedCursor, move bool) error {
	w.Secrets = slices.Clone(w.Secrets)
	for i, secret := range w.Secrets {
		stored := t.hooks[w.ID]
		if secret.Key != nil {
			w.Secrets[i].Key = t.s.keys.Seal(secret.Key, aboutWebhook(w.ID))
		} else if j := slices.IndexFunc(stored, func(o skein.WebhookSecret) bool { return o.Expires == secret.Expires }); j >= 0 {
			w.Secrets[i].Key = stored[j].Key
		}
	}
	return t.AdminTx.PutWebhook(ctx, w, at, move)
}

// resealWebhooks seals the secrets of endpoints anew; see Reseal.
func (s *Store) resealWebhooks(ctx context.Context, deed skein.Deed) (sealed int, err error) {
	all, err := s.Store.Webhooks(ctx, "")
	for _, e := range all {
		old := slices.IndexFunc(e.Secrets, func(o skein.WebhookSecret) bool { return seal.SealedWith(o.Key) != s.keys.Newest() })
		if old < 0 {
			continue
		}
		deed.Op, deed.App, deed.Target = OpReseal, e.App, "webhook "+e.ID
		deed.Before, deed.After = keyView(seal.SealedWith(e.Secrets[old].Key)), keyView(s.keys.Newest())
		_, err = s.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			now, err := t.Webhooks(ctx, e.App)
			i := slices.IndexFunc(now, func(o store.Endpoint) bool { return o.ID == e.ID })
			if err != nil || i < 0 {
				return deed, err
			}
			if slices.ContainsFunc(now[i].Secrets, func(o skein.WebhookSecret) bool { return o.Key == nil }) {
				return deed, errors.New("its key is not in --secret-key-file, or it is damaged")
			}
			return deed, t.PutWebhook(ctx, now[i].Webhook, "", false)
		})
		if err != nil {
			return sealed, fmt.Errorf("seal the secrets of webhook %s: %w", e.ID, err)
		}
		sealed += len(e.Secrets)
	}
	return sealed, err
}

// Secrets counts the secrets of apps, hooks and endpoints by the id of the key that sealed them; those that are not
// sealed have no id. missing is about the first one that cannot be opened; nil: all can.
func (s *Store) Secrets(ctx context.Context) (byKey map[string]int, missing, err error) {
	apps, err := s.Store.Apps(ctx)
	byKey = map[string]int{}
	for _, app := range apps {
		byKey[seal.SealedWith(app.TokenSecret)]++
		if _, err := s.opened(app); err != nil && missing == nil {
			missing = err
		}
		hookSecrets(app, func(key []byte, about string) {
			byKey[seal.SealedWith(key)]++
			if _, err := s.keys.Open(key, about); err != nil && missing == nil {
				missing = fmt.Errorf("%s: %w", about, err)
			}
		})
	}
	if err != nil {
		return byKey, missing, err
	}
	hooks, err := s.Store.Webhooks(ctx, "")
	for _, e := range hooks {
		for _, secret := range e.Secrets {
			byKey[seal.SealedWith(secret.Key)]++
			if _, err := s.keys.Open(secret.Key, aboutWebhook(e.ID)); err != nil && missing == nil {
				missing = err
			}
		}
	}
	return byKey, missing, err
}

// Reseal seals the secrets that are not sealed with the newest key anew. deed says who
// does it; each app and each endpoint has an entry in the audit log. It returns how many it sealed.
func (s *Store) Reseal(ctx context.Context, deed skein.Deed) (sealed int, err error) {
	newest := s.keys.Newest()
	apps, err := s.Store.Apps(ctx)
	for _, app := range apps {
		old := s.outdated(app)
		if len(old) == 0 {
			continue
		}
		deed.Op, deed.App, deed.Target = OpReseal, app.ID, "token_secret"
		if seal.SealedWith(app.TokenSecret) == newest {
			deed.Target = "hooks"
		}
		_, err = s.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			stored, err := t.App(ctx, app.ID)
			if err != nil {
				return deed, err
			}
			opened, err := s.opened(stored)
			if err != nil {
				return deed, err
			}
			if err := allOpen(opened); err != nil {
				return deed, err
			}
			deed.Before, deed.After = keyView(seal.SealedWith(old[0])), keyView(newest)
			return deed, t.PutApp(ctx, s.closed(opened, skein.App{}, skein.App{}))
		})
		if err != nil {
			return sealed, fmt.Errorf("seal the secrets of app %s: %w", app.ID, err)
		}
		sealed += len(old)
	}
	if err != nil {
		return sealed, err
	}
	n, err := s.resealWebhooks(ctx, deed)
	return sealed + n, err
}

// keyView is which key sealed a secret, for the audit log.
func keyView(id string) []byte {
	view := struct {
		Key *string `json:"key"`
	}{&id}
	if id == "" {
		view.Key = nil
	}
	raw, err := json.Marshal(view)
	if err != nil {
		panic(err) // one text
	}
	return raw
}
