package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/signing"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
)

// Options are the parts of a Service.
type Options struct {
	Store   Store
	Client  Client // for tests of an endpoint
	Allow   []netip.Prefix
	Changed func()           // called after an endpoint changed; nil: nobody is told
	Now     func() time.Time // nil: time.Now
}

// Service is the use cases of operators. It decides no right: the op table does. Safe for concurrent use.
type Service struct{ opts Options }

// New is a Service.
func New(o Options) *Service {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o}
}

// The ops whose deeds are in the audit log under these names.
const (
	OpCreate = "webhook.create"
	OpUpdate = "webhook.update"
	OpDelete = "webhook.delete"
	OpRotate = "webhook.rotate"
	OpReplay = "webhook.replay"
)

// view is an endpoint as the audit log keeps it: never a secret.
type view struct {
	URL       string           `json:"url"`
	Name      string           `json:"name,omitempty"`
	Events    []string         `json:"events"`
	ConvTypes []skein.ConvType `json:"conv_types"`
	Rate      int              `json:"rate,omitempty"`
	Batch     int              `json:"batch,omitempty"`
	Ordered   bool             `json:"ordered"`
	Enabled   bool             `json:"enabled"`
}

func viewOf(w skein.Webhook) []byte {
	s := w.Settings
	return encode(view{s.URL, s.Name, s.Events, s.ConvTypes, s.Rate, s.Batch, s.Ordered, w.Enabled})
}

// encode writes what the audit log keeps.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("write for the audit log: %v", err)) // texts and numbers alone
	}
	return raw
}

// List lists the endpoints of an app by age. Errors: skein.ErrNotFound.
func (s *Service) List(ctx context.Context, app string) ([]store.Endpoint, error) {
	if _, err := s.opts.Store.App(ctx, app); err != nil {
		return nil, unknown(err)
	}
	return s.opts.Store.Webhooks(ctx, app)
}

// Get is one endpoint. Errors: skein.ErrNotFound.
func (s *Service) Get(ctx context.Context, app, id string) (store.Endpoint, error) {
	all, err := s.List(ctx, app)
	if err != nil {
		return store.Endpoint{}, err
	}
	return named(all, id)
}

// unknown says which field names an app that is not there: an operator has shown who it is.
func unknown(err error) error {
	if errors.Is(err, skein.ErrUnknownApp) {
		return skein.About(skein.ErrNotFound, "app_id")
	}
	return err
}

func named(all []store.Endpoint, id string) (store.Endpoint, error) {
	i := slices.IndexFunc(all, func(e store.Endpoint) bool { return e.ID == id })
	if i < 0 {
		return store.Endpoint{}, skein.About(skein.ErrNotFound, "webhook_id")
	}
	return all[i], nil
}

// check refuses an address that no call may reach. Errors: skein.ErrMalformed.
func (s *Service) check(settings skein.WebhookSettings) error {
	if err := (dial.Options{Allow: s.opts.Allow}).Check(settings.URL); err != nil {
		return skein.Malformed("url", "must be an http or https URL of a public address, or of one that --outbound-allow has")
	}
	return nil
}

// Create adds an endpoint, which gets what happens from now on. It returns its secret. Errors: skein.ErrNotFound about the app;
// skein.ErrTooLarge where the app has skein.MaxWebhooks; skein.ErrMalformed about the URL.
func (s *Service) Create(ctx context.Context, by skein.Actor, app string, settings skein.WebhookSettings, enabled bool) (store.Endpoint, string, error) {
	if err := s.check(settings); err != nil {
		return store.Endpoint{}, "", err
	}
	end, err := s.opts.Store.FeedEnd(ctx)
	if err != nil {
		return store.Endpoint{}, "", err
	}
	key := signing.NewKey()
	w := skein.Webhook{
		ID: "whk_" + strings.ToLower(rand.Text()), App: app, Settings: settings, Enabled: enabled, Created: skein.MillisOf(s.opts.Now()), Rev: 1,
		Secrets: []skein.WebhookSecret{{Key: key, Expires: skein.Forever}},
	}
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Webhooks(ctx, app)
		if err != nil {
			return skein.Deed{}, unknown(err)
		}
		if len(all) >= skein.MaxWebhooks {
			return skein.Deed{}, &skein.Fault{Err: skein.ErrTooLarge, Field: "webhooks", Detail: "at most 20 of an app"}
		}
		d := by.Operator.Deed(OpCreate, w.ID)
		d.App, d.After = app, viewOf(w)
		return d, t.PutWebhook(ctx, w, end, false)
	})
	if err != nil {
		return store.Endpoint{}, "", err
	}
	s.opts.Changed()
	return store.Endpoint{Webhook: w, Cursor: end}, signing.SecretText(key), nil
}

// change alters one endpoint.
func (s *Service) change(ctx context.Context, by skein.Actor, op, app, id string, alter func(*store.Endpoint) (move bool, err error)) (changed store.Endpoint, err error) {
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Webhooks(ctx, app)
		if err != nil {
			return skein.Deed{}, unknown(err)
		}
		if changed, err = named(all, id); err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(op, id)
		d.App, d.Before = app, viewOf(changed.Webhook)
		move, err := alter(&changed)
		if err != nil {
			return skein.Deed{}, err
		}
		changed.Rev++
		d.After = viewOf(changed.Webhook)
		return d, t.PutWebhook(ctx, changed.Webhook, changed.Cursor, move)
	})
	if err == nil {
		s.opts.Changed()
	}
	return changed, err
}

// Update alters settings, and whether the endpoint is enabled. One that is enabled goes on where it was; with skip it
// goes on at the end of the feed. Errors: as of Create; skein.ErrNotFound.
func (s *Service) Update(ctx context.Context, by skein.Actor, app, id string, skip bool, alter func(*skein.Webhook)) (store.Endpoint, error) {
	var end store.FeedCursor
	if skip {
		var err error
		if end, err = s.opts.Store.FeedEnd(ctx); err != nil {
			return store.Endpoint{}, err
		}
	}
	return s.change(ctx, by, OpUpdate, app, id, func(e *store.Endpoint) (bool, error) {
		was, url := e.Enabled, e.Settings.URL
		alter(&e.Webhook)
		if e.Enabled {
			e.Reason = ""
		}
		if e.Enabled && !was {
			e.Failing = 0
		}
		if skip {
			e.Cursor = end
		}
		if !e.Enabled && e.Settings.URL == url { // no call is made: an endpoint whose network is forbidden by now can be disabled
			return skip, nil
		}
		return skip, s.check(e.Settings)
	})
}

// Rotate makes a new secret and returns it. The one before signs beside it for grace. Errors: skein.ErrNotFound.
func (s *Service) Rotate(ctx context.Context, by skein.Actor, app, id string, grace time.Duration) (store.Endpoint, string, error) {
	key := signing.NewKey()
	e, err := s.change(ctx, by, OpRotate, app, id, func(e *store.Endpoint) (bool, error) {
		var until skein.Millis
		if grace > 0 {
			until = skein.MillisOf(s.opts.Now().Add(grace))
		}
		e.Secrets = signing.Rotated(e.Secrets, key, until)
		return false, nil
	})
	return e, signing.SecretText(key), err
}

// Delete removes an endpoint. Errors: skein.ErrNotFound.
func (s *Service) Delete(ctx context.Context, by skein.Actor, app, id string) error {
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Webhooks(ctx, app)
		if err != nil {
			return skein.Deed{}, unknown(err)
		}
		e, err := named(all, id)
		if err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(OpDelete, id)
		d.App, d.Before = app, viewOf(e.Webhook)
		return d, t.RemoveWebhook(ctx, id)
	})
	if err == nil {
		s.opts.Changed()
	}
	return err
}

// Test sends a webhook.test at once, also to an endpoint that is disabled, and returns what came of it.
func (s *Service) Test(ctx context.Context, app, id string) (store.WebhookAttempt, error) {
	e, err := s.Get(ctx, app, id)
	if err != nil {
		return store.WebhookAttempt{}, err
	}
	now := s.opts.Now()
	in := store.Entry{App: app, At: skein.MillisOf(now), Client: rand.Text()}
	ev := event{entry: in, id: idOf(in, skein.HookTest), typ: skein.HookTest}
	ev.body, err = wire.HookEvent{ID: ev.id, Type: ev.typ, Time: wire.HookTime(now), AppID: app, Data: wire.HookTest{WebhookID: id}}.Encode()
	if err != nil {
		return store.WebhookAttempt{}, err
	}
	a := caller{s.opts.Client, s.opts.Now}.post(ctx, e.Webhook, ev.id, bodyOf(batch{ev}, e.Settings.Batch > 1))
	a.Attempt, a.Events = 1, []store.HookEvent{{ID: ev.id, Type: ev.typ}}
	return a, nil
}

// Attempts is the log of an endpoint, newest first.
func (s *Service) Attempts(ctx context.Context, app, id string, before int64, limit int) ([]store.WebhookAttempt, error) {
	if _, err := s.Get(ctx, app, id); err != nil {
		return nil, err
	}
	return s.opts.Store.WebhookAttempts(ctx, id, before, limit)
}

// Failed are the failed deliveries of an endpoint.
func (s *Service) Failed(ctx context.Context, app, id string, q store.FailedQuery) ([]store.FailedDelivery, error) {
	if _, err := s.Get(ctx, app, id); err != nil {
		return nil, err
	}
	return s.opts.Store.FailedDeliveries(ctx, id, q)
}

// Replay makes dead letters due at once. It returns how many. Errors: skein.ErrNotFound.
func (s *Service) Replay(ctx context.Context, by skein.Actor, app, id string, r store.Replay) (n int, err error) {
	r.Limit = skein.MaxFailedDeliveries
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Webhooks(ctx, app)
		if err != nil {
			return skein.Deed{}, unknown(err)
		}
		if _, err := named(all, id); err != nil {
			return skein.Deed{}, err
		}
		if n, err = t.ReplayFailed(ctx, id, r); err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(OpReplay, id)
		d.App, d.After = app, encode(struct {
			Replayed int `json:"replayed"`
		}{n})
		return d, nil
	})
	if err == nil {
		s.opts.Changed()
	}
	return n, err
}
