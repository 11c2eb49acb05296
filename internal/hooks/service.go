package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/signing"
	"github.com/skein-im/skein/internal/store"
)

// Store is the part of the store that the use cases need.
type Store interface {
	store.Admin
	App(ctx context.Context, id string) (skein.App, error)
}

// ServiceOptions are the parts of a Service.
type ServiceOptions struct {
	Store      Store
	Allow      []netip.Prefix   // networks that hooks may be in although they are not public
	AppChanged func(app string) // called after hooks of an app changed; nil: nobody is told
	Now        func() time.Time // nil: time.Now
}

// Service is the use cases of operators. It decides no right: the op table does. Safe for concurrent use.
type Service struct{ opts ServiceOptions }

// NewService is a Service.
func NewService(o ServiceOptions) *Service {
	if o.AppChanged == nil {
		o.AppChanged = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o}
}

// The ops whose deeds are in the audit log under these names.
const (
	OpPut    = "hook.put"
	OpRotate = "hook.rotate"
	OpDelete = "hook.delete"
)

// view is a hook as the audit log keeps it: never a secret.
type view struct {
	URL     string `json:"url"`
	Timeout int64  `json:"timeout_ms"`
	Closed  bool   `json:"fail_closed"`
}

func viewOf(h *skein.BeforeHook) []byte {
	if h == nil {
		return nil
	}
	raw, err := json.Marshal(view{h.URL, timeout(h).Milliseconds(), h.Closed})
	if err != nil {
		panic(fmt.Sprintf("write a hook for the audit log: %v", err)) // texts and numbers alone
	}
	return raw
}

// List lists the hooks of an app. Errors: skein.ErrNotFound.
func (s *Service) List(ctx context.Context, app string) ([]skein.BeforeHook, error) {
	a, err := s.opts.Store.App(ctx, app)
	return a.Settings.BeforeHooks, unknown(err)
}

// Put sets the hook before something in an app. If the app had none, Put makes its secret and returns it;
// else the secret stays and Put returns an empty text. Errors: skein.ErrNotFound; skein.ErrMalformed
// about the URL.
func (s *Service) Put(ctx context.Context, by skein.Actor, app string, h skein.BeforeHook) (put skein.BeforeHook, secret string, err error) {
	if err := (dial.Options{Allow: s.opts.Allow}).Check(h.URL); err != nil {
		return h, "", skein.Malformed("url", "must be an http or https URL of a public address, or of one that --outbound-allow has")
	}
	key := signing.NewKey()
	put, err = s.change(ctx, by, OpPut, app, h.On, func(before *skein.BeforeHook) (*skein.BeforeHook, error) {
		if secret = ""; before == nil {
			h.Secrets, secret = signing.Rotated(nil, key, 0), signing.SecretText(key)
		} else {
			h.Secrets = before.Secrets
		}
		return &h, nil
	})
	return put, secret, err
}

// Rotate makes a new secret of a hook and returns it. The one before signs beside it for grace. Errors: skein.ErrNotFound.
func (s *Service) Rotate(ctx context.Context, by skein.Actor, app, on string, grace time.Duration) (skein.BeforeHook, string, error) {
	key := signing.NewKey()
	h, err := s.change(ctx, by, OpRotate, app, on, func(before *skein.BeforeHook) (*skein.BeforeHook, error) {
		if before == nil {
			return nil, noHook
		}
		var until skein.Millis
		if grace > 0 {
			until = skein.MillisOf(s.opts.Now().Add(grace))
		}
		after := *before
		after.Secrets = signing.Rotated(before.Secrets, key, until)
		return &after, nil
	})
	return h, signing.SecretText(key), err
}

// Delete removes a hook. Errors: skein.ErrNotFound.
func (s *Service) Delete(ctx context.Context, by skein.Actor, app, on string) error {
	_, err := s.change(ctx, by, OpDelete, app, on, func(before *skein.BeforeHook) (*skein.BeforeHook, error) {
		if before == nil {
			return nil, noHook
		}
		return nil, nil //nolint:nilnil // there is none afterwards
	})
	return err
}

var noHook = &skein.Fault{Err: skein.ErrNotFound, Field: "hook", Detail: "the app has no such hook"}

// unknown says which field names an app that is not there: an operator has shown who it is.
func unknown(err error) error {
	if errors.Is(err, skein.ErrUnknownApp) {
		return skein.About(skein.ErrNotFound, "app_id")
	}
	return err
}

// change alters one hook of an app; nil: there is none.
func (s *Service) change(ctx context.Context, by skein.Actor, op, app, on string, alter func(*skein.BeforeHook) (*skein.BeforeHook, error)) (changed skein.BeforeHook, err error) {
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		a, err := t.App(ctx, app)
		if err != nil {
			return skein.Deed{}, unknown(err)
		}
		before := a.Settings.HookBefore(on)
		after, err := alter(before)
		if err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(op, on)
		d.App, d.Before, d.After = app, viewOf(before), viewOf(after)
		hooks := slices.DeleteFunc(slices.Clone(a.Settings.BeforeHooks), func(h skein.BeforeHook) bool { return h.On == on })
		if changed = (skein.BeforeHook{}); after != nil {
			changed = *after
			hooks = append(hooks, changed)
		}
		a.Settings.BeforeHooks = slices.Clip(hooks)
		if len(hooks) == 0 {
			a.Settings.BeforeHooks = nil
		}
		return d, t.PutApp(ctx, a)
	})
	if err == nil {
		s.opts.AppChanged(app)
	}
	return changed, err
}
