package adminrows

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

func (d Deps) createWebhook(ctx context.Context, by skein.Actor, in adminapi.NewWebhook) (adminapi.WebhookSecret, error) {
	var settings skein.WebhookSettings
	enabled := true
	if err := cmp.Or(in.Check(), in.Apply(&settings, &enabled)); err != nil {
		return adminapi.WebhookSecret{}, err
	}
	e, secret, err := d.Webhooks.Create(ctx, by, in.AppID, settings, enabled)
	return adminapi.WebhookSecret{Webhook: webhookOf(e, d.Operators.Now()), Secret: secret}, err
}

func (d Deps) updateWebhook(ctx context.Context, by skein.Actor, in adminapi.UpdateWebhook) (adminapi.Webhook, error) {
	var checked skein.Webhook
	if err := cmp.Or(in.Check(), in.Apply(&checked.Settings, &checked.Enabled)); err != nil {
		return adminapi.Webhook{}, err
	}
	e, err := d.Webhooks.Update(ctx, by, in.AppID, in.WebhookID, given(in.Skip), func(w *skein.Webhook) {
		_ = in.Apply(&w.Settings, &w.Enabled) // checked above
	})
	return webhookOf(e, d.Operators.Now()), err
}

func (d Deps) listWebhooks(ctx context.Context, _ skein.Actor, in adminapi.OfApp) (adminapi.Webhooks, error) {
	all, err := d.Webhooks.List(ctx, in.AppID)
	answer := adminapi.Webhooks{Data: []adminapi.Webhook{}}
	for _, e := range all {
		answer.Data = append(answer.Data, webhookOf(e, d.Operators.Now()))
	}
	return answer, err
}

func (d Deps) getWebhook(ctx context.Context, _ skein.Actor, in adminapi.OfWebhook) (adminapi.Webhook, error) {
	if err := in.Check(); err != nil {
		return adminapi.Webhook{}, err
	}
	e, err := d.Webhooks.Get(ctx, in.AppID, in.WebhookID)
	return webhookOf(e, d.Operators.Now()), err
}

func (d Deps) rotateWebhook(ctx context.Context, by skein.Actor, in adminapi.RotateWebhook) (adminapi.WebhookSecret, error) {
	grace, err := in.GraceTime()
	if err := cmp.Or(in.Check(), err); err != nil {
		return adminapi.WebhookSecret{}, err
	}
	e, secret, err := d.Webhooks.Rotate(ctx, by, in.AppID, in.WebhookID, grace)
	return adminapi.WebhookSecret{Webhook: webhookOf(e, d.Operators.Now()), Secret: secret}, err
}

func (d Deps) testWebhook(ctx context.Context, _ skein.Actor, in adminapi.OfWebhook) (adminapi.Attempt, error) {
	if err := in.Check(); err != nil {
		return adminapi.Attempt{}, err
	}
	a, err := d.Webhooks.Test(ctx, in.AppID, in.WebhookID)
	return attemptOf(a), err
}

func (d Deps) webhookAttempts(ctx context.Context, _ skein.Actor, in adminapi.ListAttempts) (adminapi.Attempts, error) {
	before, limit, err := adminapi.Page("before_seq", in.BeforeSeq, in.Limit)
	if err := cmp.Or(in.Check(), err); err != nil {
		return adminapi.Attempts{}, err
	}
	all, err := d.Webhooks.Attempts(ctx, in.AppID, in.WebhookID, before, limit)
	return attemptsOf(all, limit), err
}

func (d Deps) failedCalls(ctx context.Context, _ skein.Actor, in adminapi.ListFailed) (adminapi.FailedCalls, error) {
	after, limit, err := adminapi.Page("after_seq", in.AfterSeq, in.Limit)
	if err := cmp.Or(in.Check(), err); err != nil {
		return adminapi.FailedCalls{}, err
	}
	all, err := d.Webhooks.Failed(ctx, in.AppID, in.WebhookID, store.FailedQuery{Dead: in.Dead == nil || bool(*in.Dead), After: after, Limit: limit})
	return failedOf(all, limit), err
}

func (d Deps) replayWebhook(ctx context.Context, by skein.Actor, in adminapi.ReplayWebhook) (adminapi.Replayed, error) {
	if err := in.Check(); err != nil {
		return adminapi.Replayed{}, err
	}
	span := store.Replay{From: given(in.FromSeq), Until: given(in.UntilSeq), Since: skein.Millis(given(in.Since))}
	n, err := d.Webhooks.Replay(ctx, by, in.AppID, in.WebhookID, span)
	return adminapi.Replayed{Replayed: n, More: n == skein.MaxFailedDeliveries}, err
}

func (d Deps) deleteWebhook(ctx context.Context, by skein.Actor, in adminapi.OfWebhook) (ops.Done, error) {
	if err := in.Check(); err != nil {
		return ops.Done{}, err
	}
	return ops.Done{}, d.Webhooks.Delete(ctx, by, in.AppID, in.WebhookID)
}

// given is what a request has, or zero.
func given[T any](v *T) (value T) {
	if v != nil {
		value = *v
	}
	return value
}
