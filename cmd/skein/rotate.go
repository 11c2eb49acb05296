package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/store"
)

type appRotateKey struct {
	config.Store

	ID    string        `required:"" help:"The app_id."`
	Name  string        `help:"Name of the new key; default: key-2, key-3 and so on."`
	Old   string        `xor:"old" help:"Let only the key of this name expire; default: all other keys."`
	Add   bool          `xor:"old" help:"Let no other key expire."`
	Grace time.Duration `default:"24h" help:"Time until the old keys expire."`
	JSON  bool          `help:"Print {app_id, app_key, key_name}."`
}

// Validate checks the flags.
func (c *appRotateKey) Validate() error {
	if c.Grace < 0 {
		return fmt.Errorf("--grace: %v is less than nothing", c.Grace)
	}
	return c.Store.Validate()
}

// Run creates the new key.
func (c *appRotateKey) Run(ctx context.Context, out io.Writer) error {
	key, hash := access.NewKey()
	now := skein.MillisOf(time.Now())
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		var made skein.AppKey
		err := s.UpdateApp(ctx, c.ID, func(app *skein.App) (err error) {
			made, err = c.rotate(app, skein.AppKey{Name: c.Name, Hash: hash, Created: now})
			return err
		})
		if err != nil {
			return aboutApp(c.ID, err)
		}
		return printKey(out, newKey{AppID: c.ID, AppKey: key, KeyName: made.Name}, c.JSON)
	})
}

// rotate adds a key, sets the expiry of the old keys, and removes the expired ones.
func (c *appRotateKey) rotate(app *skein.App, key skein.AppKey) (skein.AppKey, error) {
	keys := slices.Clone(app.Keys) // the store may still use the slice of app
	if key.Name == "" {
		key.Name = freeName(keys)
	}
	if hasKey(keys, key.Name) {
		return key, fmt.Errorf("--name: there is a key %q already", key.Name)
	}
	if c.Old != "" && !hasKey(keys, c.Old) {
		return key, fmt.Errorf("--old: there is no key %q", c.Old)
	}
	if !c.Add {
		endKeys(keys, c.Old, key.Created.Add(c.Grace))
	}
	keys = slices.DeleteFunc(keys, func(k skein.AppKey) bool {
		return k.Expires != 0 && k.Expires <= key.Created
	})
	keys = append(keys, key)
	app.Keys = keys
	return key, nil
}

// endKeys sets the expiry of the key with this name (empty: of all keys), unless it expires
// earlier already.
func endKeys(keys []skein.AppKey, name string, end skein.Millis) {
	for i := range keys {
		k := &keys[i]
		if (name == "" || name == k.Name) && (k.Expires == 0 || k.Expires > end) {
			k.Expires = end
		}
	}
}

func hasKey(keys []skein.AppKey, name string) bool {
	return slices.ContainsFunc(keys, func(k skein.AppKey) bool { return k.Name == name })
}

// freeName is the first unused name of key-2, key-3 ….
func freeName(keys []skein.AppKey) string {
	for n := 2; ; n++ {
		if name := fmt.Sprintf("key-%d", n); !hasKey(keys, name) {
			return name
		}
	}
}
