// Package sealed is a store over any engine that keeps the token secrets of apps encrypted there.
package sealed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

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
	return app, nil
}

// closed is an app with its secret as the engine keeps it: as it was, where it did not change.
func (s *Store) closed(app, before skein.App, stored []byte) skein.App {
	if bytes.Equal(app.TokenSecret, before.TokenSecret) && stored != nil {
		app.TokenSecret = stored
	} else {
		app.TokenSecret = s.keys.Seal(app.TokenSecret, about(app.ID))
	}
	return app
}

// CreateApp implements store.Apps.
func (s *Store) CreateApp(ctx context.Context, app skein.App) error {
	return s.Store.CreateApp(ctx, s.closed(app, skein.App{}, nil))
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
		stored := app.TokenSecret
		before, err := s.opened(*app)
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
}

// reading is an app that a deed has read, and its secret as stored.
type reading struct {
	app    skein.App
	stored []byte
}

// App implements store.AdminTx.
func (t *deedTx) App(ctx context.Context, id string) (skein.App, error) {
	app, err := t.AdminTx.App(ctx, id)
	if err != nil {
		return app, err
	}
	stored := app.TokenSecret
	if app, err = t.s.opened(app); err != nil {
		return app, err
	}
	t.read[id] = reading{app, stored}
	return app, nil
}

// CreateApp implements store.AdminTx.
func (t *deedTx) CreateApp(ctx context.Context, app skein.App) error {
	return t.AdminTx.CreateApp(ctx, t.s.closed(app, skein.App{}, nil))
}

// PutApp implements store.AdminTx.
func (t *deedTx) PutApp(ctx context.Context, app skein.App) error {
	before := t.read[app.ID]
	return t.AdminTx.PutApp(ctx, t.s.closed(app, before.app, before.stored))
}

// Secrets counts the token secrets by the id of the key that sealed them; those that are not
// sealed have no id. missing is about the first one that cannot be opened; nil: all can.
func (s *Store) Secrets(ctx context.Context) (byKey map[string]int, missing, err error) {
	apps, err := s.Store.Apps(ctx)
	byKey = map[string]int{}
	for _, app := range apps {
		byKey[seal.SealedWith(app.TokenSecret)]++
		if _, err := s.opened(app); err != nil && missing == nil {
			missing = err
		}
	}
	return byKey, missing, err
}

// Reseal seals the token secrets that are not sealed with the newest key anew. deed says who
// does it; each secret has an entry in the audit log. It returns how many it sealed.
func (s *Store) Reseal(ctx context.Context, deed skein.Deed) (sealed int, err error) {
	newest := s.keys.Newest()
	apps, err := s.Store.Apps(ctx)
	for _, app := range apps {
		if seal.SealedWith(app.TokenSecret) == newest {
			continue
		}
		deed.Op, deed.App, deed.Target = OpReseal, app.ID, "token_secret"
		_, err = s.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			stored, err := t.App(ctx, app.ID)
			if err != nil {
				return deed, err
			}
			opened, err := s.opened(stored)
			if err != nil {
				return deed, err
			}
			deed.Before, deed.After = keyView(seal.SealedWith(stored.TokenSecret)), keyView(newest)
			return deed, t.PutApp(ctx, s.closed(opened, skein.App{}, nil))
		})
		if err != nil {
			return sealed, fmt.Errorf("seal the token secret of app %s: %w", app.ID, err)
		}
		sealed++
	}
	return sealed, err
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
