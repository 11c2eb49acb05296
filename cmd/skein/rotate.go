package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/operators"
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
	if c.Name != "" {
		return errors.Join(c.Store.Validate(), checkOperatorName("--name", c.Name))
	}
	return c.Store.Validate()
}

// Run creates the new key.
func (c *appRotateKey) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		terms := operators.KeyTerms{Name: c.Name, Replaces: c.Old, All: c.Old == "" && !c.Add, Grace: c.Grace}
		made, plain, err := operators.New(operators.Options{Store: s}).CreateKey(ctx, fromHere(), c.ID, terms)
		switch fault, _ := errors.AsType[*skein.Fault](err); {
		case errors.Is(err, skein.ErrConflict):
			return fmt.Errorf("--name: there is a key %q already", c.Name)
		case errors.Is(err, skein.ErrNotFound) && fault.Field == "replaces":
			return fmt.Errorf("--old: there is no key %q", c.Old)
		case err != nil:
			return aboutApp(c.ID, err)
		}
		return printKey(out, newKey{AppID: c.ID, AppKey: plain, KeyName: made.Name}, c.JSON)
	})
}

type appDeleteKey struct {
	config.Store

	ID   string `required:"" help:"The app_id."`
	Name string `required:"" help:"The key."`
}

// Run ends the key.
func (c *appDeleteKey) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		err := operators.New(operators.Options{Store: s}).DeleteKey(ctx, fromHere(), c.ID, c.Name)
		if fault, _ := errors.AsType[*skein.Fault](err); errors.Is(err, skein.ErrNotFound) && fault.Field == "key_name" {
			return fmt.Errorf("--name: there is no key %q", c.Name)
		}
		if err != nil {
			return aboutApp(c.ID, err)
		}
		_, err = fmt.Fprintf(out, "Key %s of app %s is removed. Running servers refuse it within 2 s.\n", c.Name, c.ID)
		return err
	})
}
