package operators

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/keyset"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on apps, as the audit log and the op table name them.
const (
	OpAppCreate = "app.create"
	OpAppUpdate = "app.update"
	OpAppDelete = "app.delete"
	OpKeyCreate = "app.key.create"
	OpKeyDelete = "app.key.delete"
)

// FirstKey is the name of the key that a new app gets.
const FirstKey = "default"

// IssuedApp is a new app with its first key.
type IssuedApp struct {
	App skein.App
	Key string // shown once
}

// KeyTerms are the terms of a new app key.
type KeyTerms struct {
	Name     string        // empty: key-2, key-3 and so on
	Life     time.Duration // zero: for ever
	Replaces string        // an older key that expires after Grace; empty: none
	All      bool          // all older keys expire after Grace
	Grace    time.Duration
}

// Apps lists all apps by id.
func (s *Service) Apps(ctx context.Context) ([]skein.App, error) { return s.opts.Store.Apps(ctx) }

// App is one app. Errors: skein.ErrNotFound.
func (s *Service) App(ctx context.Context, id string) (skein.App, error) {
	app, err := s.opts.Store.App(ctx, id)
	return app, unknownApp(err)
}

// unknownApp is an error about the app that a call names.
func unknownApp(err error) error {
	if errors.Is(err, skein.ErrUnknownApp) {
		return skein.About(skein.ErrNotFound, "app_id")
	}
	return err
}

// CreateApp makes an app with a key and a token secret. change alters the settings of a new app.
// Errors: skein.ErrConflict where the id is taken; those of keyset.Check.
func (s *Service) CreateApp(ctx context.Context, by skein.Actor, id, name string, change func(*skein.Settings)) (IssuedApp, error) {
	key, hash := access.NewKey()
	now := s.Now()
	app := skein.App{
		ID: id, Name: cmp.Or(name, id), TokenSecret: access.NewTokenSecret(), Created: now,
		Keys: []skein.AppKey{{Name: FirstKey, Hash: hash, Created: now}},
	}
	change(&app.Settings)
	if err := keyset.Check(app.Settings.JWKS); err != nil {
		return IssuedApp{}, err
	}
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		d := by.Operator.Deed(OpAppCreate, "")
		d.App, d.After = id, whole(app)
		return d, t.CreateApp(ctx, app)
	})
	if errors.Is(err, skein.ErrConflict) {
		err = skein.About(skein.ErrConflict, "app_id")
	}
	if err != nil {
		return IssuedApp{}, err
	}
	s.opts.AppChanged(id)
	return IssuedApp{app, key}, nil
}

// UpdateApp changes the name (empty: none) and the settings of an app. Errors: skein.ErrNotFound;
// those of keyset.Check.
func (s *Service) UpdateApp(ctx context.Context, by skein.Actor, id, name string, change func(*skein.Settings)) (skein.App, error) {
	return s.changeApp(ctx, by, OpAppUpdate, id, "", func(app *skein.App) error {
		app.Name = cmp.Or(name, app.Name)
		change(&app.Settings)
		return keyset.Check(app.Settings.JWKS)
	})
}

// DeleteApp makes an app and all that is in it unknown. Errors: skein.ErrNotFound.
func (s *Service) DeleteApp(ctx context.Context, by skein.Actor, id string) error {
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		app, err := t.App(ctx, id)
		if err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(OpAppDelete, "")
		d.App, d.Before = id, whole(app)
		return d, t.DeleteApp(ctx, id)
	})
	if err == nil {
		s.opts.AppChanged(id)
	}
	return unknownApp(err)
}

// CreateKey makes another key of an app, and lets older ones expire. It forgets keys that have expired.
// Errors: skein.ErrNotFound; skein.ErrConflict where the name is taken; skein.ErrTooLarge.
func (s *Service) CreateKey(ctx context.Context, by skein.Actor, id string, terms KeyTerms) (made skein.AppKey, plain string, err error) {
	plain, hash := access.NewKey()
	made = skein.AppKey{Name: terms.Name, Hash: hash, Created: s.Now()}
	if terms.Life > 0 {
		made.Expires = made.Created.Add(terms.Life)
	}
	_, err = s.changeApp(ctx, by, OpKeyCreate, id, terms.Name, func(app *skein.App) (err error) {
		made.Name = cmp.Or(terms.Name, freeName(app.Keys))
		app.Keys, err = withKey(app.Keys, made, terms)
		return err
	})
	return made, plain, err
}

// withKey adds a key to the keys of an app.
func withKey(keys []skein.AppKey, made skein.AppKey, terms KeyTerms) ([]skein.AppKey, error) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k skein.AppKey) bool { return k.Expires != 0 && k.Expires <= made.Created })
	if keyNamed(keys, made.Name) >= 0 {
		return nil, skein.About(skein.ErrConflict, "key_name")
	}
	if terms.Replaces != "" && keyNamed(keys, terms.Replaces) < 0 {
		return nil, skein.About(skein.ErrNotFound, "replaces")
	}
	for i := range keys {
		k, end := &keys[i], made.Created.Add(terms.Grace)
		if (terms.All || terms.Replaces == k.Name) && (k.Expires == 0 || k.Expires > end) {
			k.Expires = end
		}
	}
	keys = slices.DeleteFunc(keys, func(k skein.AppKey) bool { return k.Expires != 0 && k.Expires <= made.Created })
	if len(keys) >= skein.MaxAppKeys {
		return nil, &skein.Fault{Err: skein.ErrTooLarge, Field: "key_name", Detail: "at most 20 keys"}
	}
	return append(keys, made), nil
}

// DeleteKey ends a key at once. An app may have none. Errors: skein.ErrNotFound.
func (s *Service) DeleteKey(ctx context.Context, by skein.Actor, id, key string) error {
	_, err := s.changeApp(ctx, by, OpKeyDelete, id, key, func(app *skein.App) error {
		i := keyNamed(app.Keys, key)
		if i < 0 {
			return skein.About(skein.ErrNotFound, "key_name")
		}
		app.Keys = slices.Delete(slices.Clone(app.Keys), i, i+1)
		return nil
	})
	return err
}

func keyNamed(keys []skein.AppKey, name string) int {
	return slices.IndexFunc(keys, func(k skein.AppKey) bool { return k.Name == name })
}

// freeName is the first unused name of key-2, key-3 ….
func freeName(keys []skein.AppKey) string {
	for n := 2; ; n++ {
		if name := fmt.Sprintf("key-%d", n); keyNamed(keys, name) < 0 {
			return name
		}
	}
}

// changeApp alters one app. The audit log has what differs. target is what of the app changes; of
// a key without a name it is the one that the key gets.
func (s *Service) changeApp(ctx context.Context, by skein.Actor, op, id, target string, alter func(*skein.App) error) (changed skein.App, err error) {
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		before, err := t.App(ctx, id)
		if err != nil {
			return skein.Deed{}, err
		}
		changed = before
		if err := alter(&changed); err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(op, target)
		if op == OpKeyCreate {
			d.Target = changed.Keys[len(changed.Keys)-1].Name
		}
		d.App = id
		d.Before, d.After = differing(before, changed)
		return d, t.PutApp(ctx, changed)
	})
	if err == nil {
		s.opts.AppChanged(id)
	}
	return changed, unknownApp(err)
}

// appView is an app as the audit log keeps it: no secret, and of keys no hash.
type appView struct {
	Name     *string            `json:"name,omitempty"`
	Settings *adminapi.Settings `json:"settings,omitempty"`
	Keys     []keyView          `json:"keys,omitempty"`
}

type keyView struct {
	Name    string        `json:"key_name"`
	Expires *skein.Millis `json:"expires"` // null: never
}

func keyViews(keys []skein.AppKey) []keyView {
	views := make([]keyView, 0, len(keys))
	for _, k := range keys {
		v := keyView{Name: k.Name}
		if k.Expires != 0 {
			v.Expires = &k.Expires
		}
		views = append(views, v)
	}
	return views
}

// whole is all that the audit log keeps of an app.
func whole(app skein.App) []byte {
	settings := adminapi.SettingsOf(app.Settings)
	return appView{&app.Name, &settings, keyViews(app.Keys)}.json()
}

// differing is what differs between an app before and after a change.
func differing(before, after skein.App) (was, is []byte) {
	var old, now appView
	if before.Name != after.Name {
		old.Name, now.Name = &before.Name, &after.Name
	}
	if settings, changed := adminapi.SettingsOf(before.Settings).Differing(adminapi.SettingsOf(after.Settings)); settings != changed {
		old.Settings, now.Settings = &settings, &changed
	}
	if a, b := keyViews(before.Keys), keyViews(after.Keys); !reflect.DeepEqual(a, b) {
		old.Keys, now.Keys = a, b
	}
	return old.json(), now.json()
}

func (v appView) json() []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("write an app for the audit log: %v", err)) // texts, switches and numbers alone
	}
	return raw
}
