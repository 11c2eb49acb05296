package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

type tokenCmd struct {
	config.Store

	App    string        `required:"" help:"The app_id."`
	Client string        `required:"" help:"The client_id; it need not exist yet."`
	TTL    time.Duration `default:"24h" help:"Time until the token expires, at most 2160h (90 days)."`
	Device string        `help:"Device that the token is valid for; default: any."`
	Act    []string      `placeholder:"OP,…" help:"Ops that the token allows; default: all."`
}

// Run prints the token.
func (c *tokenCmd) Run(ctx context.Context, out io.Writer) error {
	return datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		app, err := s.App(ctx, c.App)
		if errors.Is(err, skein.ErrUnknownApp) {
			return fmt.Errorf("--app: there is no app %q", c.App)
		}
		if err != nil {
			return fmt.Errorf("app %q: %w", c.App, err)
		}
		token, err := c.mint(ctx, s, app)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, token)
		return err
	})
}

func (c *tokenCmd) mint(ctx context.Context, s store.Clients, app skein.App) (string, error) {
	if !skein.ValidClientID(c.Client, app.Settings.RelaxedClientIDs) {
		return "", fmt.Errorf("--client: %q is no client id of this app", c.Client)
	}
	terms, err := c.request().Terms()
	if err != nil {
		return "", err
	}
	client, err := s.Client(ctx, c.App, c.Client)
	if err != nil && !errors.Is(err, skein.ErrUnknownClient) {
		return "", fmt.Errorf("client %q: %w", c.Client, err)
	}
	now := time.Now()
	if client.Banned(skein.MillisOf(now)) {
		return "", fmt.Errorf("--client: %q is banned", c.Client)
	}
	token, _, err := access.Mint(app, access.Grant{
		Client: c.Client, Device: terms.Device, Actions: terms.Actions, TTL: terms.TTL,
	}, now, client.LastCut())
	return token, err
}

// request turns the flags into a request of the op user.token, so that the same rules hold
// for both.
func (c *tokenCmd) request() request.IssueToken {
	ttl := int64(c.TTL / time.Second)
	return request.IssueToken{ClientID: strict.ID(c.Client), TTL: &ttl, DeviceID: strict.ID(c.Device), Act: c.Act}
}
