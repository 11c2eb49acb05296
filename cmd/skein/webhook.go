package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/ops/adminrows"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/webhooks"
	"github.com/skein-im/skein/internal/wire/adminapi"
	"github.com/skein-im/skein/internal/wire/strict"
)

type webhookCmd struct {
	Add         webhookAdd    `cmd:"" help:"Add an endpoint and print its secret."`
	List        webhookList   `cmd:"" help:"List the endpoints of an app."`
	Show        webhookShow   `cmd:"" help:"Show an endpoint."`
	Set         webhookSet    `cmd:"" help:"Change the settings of an endpoint, enable or disable it."`
	Rotate      webhookRotate `cmd:"" help:"Make a new secret and print it; the old one stays valid for a while."`
	Test        webhookTest   `cmd:"" help:"Send an event webhook.test from this machine and print what came of it; the exit code is 1 if it failed."`
	Log         webhookLog    `cmd:"" help:"List the calls of the last 7 days, newest first."`
	DeadLetters webhookFailed `cmd:"" help:"List the calls that were given up, oldest first."`
	Replay      webhookReplay `cmd:"" help:"Deliver dead letters anew."`
	Delete      webhookDelete `cmd:"" help:"Remove an endpoint with its failed calls and its log."`
}

// ofApp are the flags that all commands about webhooks have.
type ofApp struct {
	config.Store
	config.Calls

	App  string `required:"" help:"The app_id."`
	JSON bool   `help:"Print JSON as the Admin API answers it."`
}

// Validate checks the flags. Kong calls it after parsing.
func (c *ofApp) Validate() error { return errors.Join(c.Store.Validate(), c.CheckOutbound()) }

func (c *ofApp) name() adminapi.OfApp { return adminapi.OfApp{AppID: c.App} }

// ofWebhook are the flags of commands about one endpoint.
type ofWebhook struct {
	ofApp

	ID string `required:"" help:"The webhook_id, whk_…; see skein webhook list."`
}

func (c *ofWebhook) name() adminapi.OfWebhook {
	return adminapi.OfWebhook{OfApp: c.ofApp.name(), WebhookID: c.ID}
}

// call calls an op of the Admin API on the store, with all its checks. An error names the flag that is wrong.
func call[In, Out any](ctx context.Context, c *ofApp, op ops.Call[In, Out], in In) (out Out, err error) {
	err = datadir.WithStore(ctx, c.Store, func(s store.Store) error {
		client := dial.New(dial.Options{Allow: c.Outbound()})
		defer client.CloseIdleConnections()
		table := adminrows.New(adminrows.Deps{
			Operators: operators.New(operators.Options{Store: s}),
			Webhooks:  webhooks.New(webhooks.Options{Store: s, Client: client, Allow: c.Outbound()}),
			Hooks:     hooks.NewService(hooks.ServiceOptions{Store: s, Allow: c.Outbound()}),
		})
		out, err = ops.Invoke(ctx, table, fromHere(), op, in)
		return aboutFlag(err)
	})
	return out, err
}

// aboutFlag names the flag of a field that is wrong.
func aboutFlag(err error) error {
	fault, ok := errors.AsType[*skein.Fault](err)
	if !ok || fault.Field == "" {
		return err
	}
	name := map[string]string{"app_id": "app", "webhook_id": "id", "from_seq": "from", "until_seq": "until", "timeout_ms": "timeout"}[fault.Field]
	if name == "" {
		name = flagOf(fault.Field)
	}
	switch {
	case errors.Is(err, skein.ErrNotFound):
		return fmt.Errorf("--%s: there is none", name)
	case fault.Detail == "":
		return fmt.Errorf("--%s: %w", name, err)
	}
	return fmt.Errorf("--%s: %s", name, fault.Detail)
}

// webhookFlags are the settings of an endpoint as flags, made from the fields of the Admin API.
type webhookFlags struct {
	kong.Plugins
}

func newWebhookFlags() webhookFlags {
	typ := reflect.TypeFor[adminapi.WebhookSettings]()
	flags := make([]flag, 0, typ.NumField())
	for f := range typ.Fields() {
		of := f.Type
		if of.Kind() == reflect.Struct { // strict.GivenList
			of = of.Field(1).Type
		} else {
			of = of.Elem()
		}
		help := strings.NewReplacer("true: ", "on: ", "false: ", "off: ", "null or an empty list", "an empty text", "at first false", "at first off", "at first true", "at first on").Replace(f.Tag.Get("en"))
		flags = append(flags, flag{f.Tag.Get("json"), of, nil, strings.ToUpper(help[:1]) + help[1:] + "."})
	}
	return webhookFlags{newFlags("Settings of the endpoint:", flags)}
}

// given are the settings whose flags were given.
func (f webhookFlags) given() (s adminapi.WebhookSettings) {
	from, into := reflect.ValueOf(f.Plugins[0]).Elem(), reflect.ValueOf(&s).Elem()
	for i := range into.NumField() {
		given, field := from.Field(i), into.Field(i)
		switch {
		case given.IsNil():
		case field.Kind() == reflect.Struct:
			field.Field(0).SetBool(true)
			field.Field(1).Set(given.Elem())
		default:
			field.Set(given.Convert(field.Type()))
		}
	}
	return s
}

type webhookAdd struct {
	ofApp
	webhookFlags
}

// Run adds the endpoint.
func (c *webhookAdd) Run(ctx context.Context, out io.Writer) error {
	made, err := call(ctx, &c.ofApp, adminrows.WebhookCreate, adminapi.NewWebhook{OfApp: c.name(), WebhookSettings: c.given()})
	if err != nil {
		return err
	}
	return c.printSecret(out, made)
}

type webhookList struct{ ofApp }

// Run lists the endpoints.
func (c *webhookList) Run(ctx context.Context, out io.Writer) error {
	all, err := call(ctx, &c.ofApp, adminrows.WebhookList, c.name())
	if err != nil {
		return err
	}
	return c.printWebhooks(out, all)
}

type webhookShow struct{ ofWebhook }

// Run shows the endpoint.
func (c *webhookShow) Run(ctx context.Context, out io.Writer) error {
	w, err := call(ctx, &c.ofApp, adminrows.WebhookGet, c.name())
	if err != nil {
		return err
	}
	return c.printWebhook(out, w)
}

type webhookSet struct {
	ofWebhook
	webhookFlags

	Skip bool `help:"Leave out what happened since the endpoint's place, and go on with what happens from now on."`
}

// Validate checks that the command changes something.
func (c *webhookSet) Validate() error {
	if reflect.ValueOf(c.given()).IsZero() && !c.Skip {
		return errors.New("nothing to change: give a setting or --skip")
	}
	return c.ofApp.Validate()
}

// Run changes the endpoint.
func (c *webhookSet) Run(ctx context.Context, out io.Writer) error {
	w, err := call(ctx, &c.ofApp, adminrows.WebhookUpdate, adminapi.UpdateWebhook{OfWebhook: c.name(), WebhookSettings: c.given(), Skip: &c.Skip})
	if err != nil {
		return err
	}
	return c.printWebhook(out, w)
}

type webhookRotate struct {
	ofWebhook

	Grace time.Duration `default:"24h" help:"For how long calls carry the signatures of both secrets, at most 720h (30 days)."`
}

// Run makes the secret.
func (c *webhookRotate) Run(ctx context.Context, out io.Writer) error {
	grace := int64(c.Grace / time.Second)
	made, err := call(ctx, &c.ofApp, adminrows.WebhookRotate, adminapi.RotateWebhook{OfWebhook: c.name(), Grace: &grace})
	if err != nil {
		return err
	}
	return c.printSecret(out, made)
}

type webhookTest struct{ ofWebhook }

// Run tests the endpoint.
func (c *webhookTest) Run(ctx context.Context, out io.Writer) error {
	a, err := call(ctx, &c.ofApp, adminrows.WebhookTest, c.name())
	if err != nil {
		return err
	}
	if err := c.printAttempts(out, adminapi.Attempts{Data: []adminapi.Attempt{a}}, a); err != nil || a.Delivered {
		return err
	}
	return fmt.Errorf("the endpoint did not take the event: %s", *a.Error)
}

type webhookLog struct {
	ofWebhook

	Before int64 `placeholder:"SEQ" help:"Only lines with a smaller SEQ."`
	Limit  int64 `default:"50" help:"1 to 200."`
}

// Run lists the calls.
func (c *webhookLog) Run(ctx context.Context, out io.Writer) error {
	all, err := call(ctx, &c.ofApp, adminrows.WebhookAttempts, adminapi.ListAttempts{OfWebhook: c.name(), BeforeSeq: positive(c.Before), Limit: &c.Limit})
	if err != nil {
		return err
	}
	return c.printAttempts(out, all, all)
}

type webhookFailed struct {
	ofWebhook

	Waiting bool  `help:"List the calls that wait for their next attempt instead."`
	After   int64 `placeholder:"SEQ" help:"Only those with a greater SEQ."`
	Limit   int64 `default:"50" help:"1 to 200."`
}

// Run lists the failed calls.
func (c *webhookFailed) Run(ctx context.Context, out io.Writer) error {
	dead := strict.Flag(!c.Waiting)
	all, err := call(ctx, &c.ofApp, adminrows.WebhookFailed, adminapi.ListFailed{OfWebhook: c.name(), Dead: &dead, AfterSeq: positive(c.After), Limit: &c.Limit})
	if err != nil {
		return err
	}
	return c.printFailed(out, all)
}

type webhookReplay struct {
	ofWebhook

	From  int64     `placeholder:"SEQ" help:"The first dead letter; default: the oldest."`
	Until int64     `placeholder:"SEQ" help:"The last one; default: the newest."`
	Since time.Time `placeholder:"TIME" help:"Only those given up since then, such as 2026-11-30T12:00:00Z."`
}

// Run replays dead letters: the server that delivers follows within 2 s.
func (c *webhookReplay) Run(ctx context.Context, out io.Writer) error {
	in := adminapi.ReplayWebhook{OfWebhook: c.name(), FromSeq: positive(c.From), UntilSeq: positive(c.Until)}
	if !c.Since.IsZero() {
		since := c.Since.UnixMilli()
		in.Since = &since
	}
	done, err := call(ctx, &c.ofApp, adminrows.WebhookReplay, in)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(out, done)
	}
	more := ""
	if done.More {
		more = " There may be more: run the command again."
	}
	_, err = fmt.Fprintf(out, "%s: the server tries them within 2 s.%s\n", counted(done.Replayed, "dead letter"), more)
	return err
}

type webhookDelete struct{ ofWebhook }

// Run removes the endpoint.
func (c *webhookDelete) Run(ctx context.Context, out io.Writer) error {
	done, err := call(ctx, &c.ofApp, adminrows.WebhookDelete, c.name())
	switch {
	case err != nil:
		return err
	case c.JSON:
		_, err = fmt.Fprintf(out, "%s\n", done.AppendJSON(nil))
	default:
		_, err = fmt.Fprintf(out, "Endpoint %s of app %s is removed. Running servers follow within 2 s.\n", c.ID, c.App)
	}
	return err
}

// positive is a number that was given: zero, the default of a flag, is none.
func positive(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
