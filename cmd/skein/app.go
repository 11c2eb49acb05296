package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

type appCmd struct {
	Create    appCreate    `cmd:"" help:"Create an app and print its key and token secret."`
	List      appList      `cmd:"" help:"List all apps."`
	Show      appShow      `cmd:"" help:"Show an app, its keys (by name) and its settings."`
	Update    appUpdate    `cmd:"" help:"Change an app's name and settings."`
	RotateKey appRotateKey `cmd:"" help:"Create a new app key; the old keys stay valid for a while."`
	DeleteKey appDeleteKey `cmd:"" help:"Remove an app key."`
	Delete    appDelete    `cmd:"" help:"Delete an app and all its data. This cannot be undone."`
}

type appCreate struct {
	config.Store
	settingFlags

	ID   string `required:"" help:"The app_id: 1 to 64 of A-Z a-z 0-9 - _."`
	Name string `help:"Name shown to people; default: the id."`
	JSON bool   `help:"Print {app_id, app_key, token_secret}."`
}

// Validate checks the flags. Kong calls it after parsing.
func (c *appCreate) Validate() error {
	if !skein.ValidAppID(c.ID) {
		return fmt.Errorf("--id: %q is not 1 to 64 of A-Z a-z 0-9 - _", c.ID)
	}
	_, err := c.change()
	return errors.Join(c.Store.Validate(), checkName(c.Name), err)
}

// Run creates the app.
func (c *appCreate) Run(ctx context.Context, out io.Writer) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	return datadir.WithNewStore(ctx, c.Store, func(s store.Store) error {
		made, err := operators.New(operators.Options{Store: s}).CreateApp(ctx, fromHere(), c.ID, c.Name, change)
		if errors.Is(err, skein.ErrConflict) {
			return fmt.Errorf("--id: app %q is there already, or was deleted a moment ago", c.ID)
		}
		if err != nil {
			return fmt.Errorf("create app %q: %w", c.ID, err)
		}
		return printSecrets(out, appSecrets{AppID: c.ID, AppKey: made.Key, TokenSecret: string(made.App.TokenSecret)}, datadir.Describe(c.Store), c.JSON)
	})
}

type appList struct {
	config.Store

	JSON bool `help:"Print a list of {app_id, name, created, open}."`
}

// Run lists the apps.
func (c *appList) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		apps, err := s.Apps(ctx)
		if err != nil {
			return fmt.Errorf("list apps: %w", err)
		}
		return printApps(out, apps, c.JSON)
	})
}

type appShow struct {
	config.Store

	ID     string `required:"" help:"The app_id."`
	Secret bool   `help:"Also show the token secret."`
	JSON   bool   `help:"Print JSON."`
}

// Run shows the app.
func (c *appShow) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		app, err := s.App(ctx, c.ID)
		if err != nil {
			return aboutApp(c.ID, err)
		}
		return printApp(out, app, c.Secret, c.JSON)
	})
}

type appUpdate struct {
	config.Store
	settingFlags

	ID   string `required:"" help:"The app_id."`
	Name string `help:"New name shown to people."`
	JSON bool   `help:"Print JSON."`
}

// Validate checks that the command changes something.
func (c *appUpdate) Validate() error {
	if c.Name == "" && c.given() == (adminapi.Settings{}) {
		return errors.New("nothing to change: give --name or a setting")
	}
	_, err := c.change()
	return errors.Join(c.Store.Validate(), checkName(c.Name), err)
}

// Run changes the given settings and shows the result.
func (c *appUpdate) Run(ctx context.Context, out io.Writer) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		updated, err := operators.New(operators.Options{Store: s}).UpdateApp(ctx, fromHere(), c.ID, c.Name, change)
		if err != nil {
			return aboutApp(c.ID, err)
		}
		return printApp(out, updated, false, c.JSON)
	})
}

func checkName(name string) error {
	if n := utf8.RuneCountInString(name); n > skein.MaxAppName {
		return fmt.Errorf("--name: %d characters are more than %d", n, skein.MaxAppName)
	}
	return nil
}

type appDelete struct {
	config.Store

	ID string `required:"" help:"The app_id."`
}

// Run deletes the app.
func (c *appDelete) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		if err := operators.New(operators.Options{Store: s}).DeleteApp(ctx, fromHere(), c.ID); err != nil {
			return aboutApp(c.ID, err)
		}
		_, err := fmt.Fprintf(out, "App %s is deleted. A server removes what was stored for it little by little.\n", c.ID)
		return err
	})
}

// aboutApp adds the app id to an error of the store or of a use case.
func aboutApp(id string, err error) error {
	if errors.Is(err, skein.ErrUnknownApp) || errors.Is(err, skein.ErrNotFound) {
		return fmt.Errorf("--id: there is no app %q", id)
	}
	return fmt.Errorf("app %q: %w", id, err)
}
