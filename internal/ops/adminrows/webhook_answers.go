package adminrows

import (
	"cmp"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

func some[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// webhookOf writes an endpoint.
func webhookOf(e store.Endpoint, now skein.Millis) adminapi.Webhook {
	s := e.Settings
	w := adminapi.Webhook{
		WebhookID: e.ID, AppID: e.App, URL: s.URL, Name: s.Name, Events: s.Events, Rate: cmp.Or(s.Rate, skein.DefaultWebhookRate), Batch: cmp.Or(s.Batch, 1),
		Ordered: s.Ordered, Enabled: e.Enabled, Reason: some(e.Reason), FailingFrom: some(int64(e.Failing)), DeadLetters: e.Dead, Created: int64(e.Created),
	}
	for _, t := range s.ConvTypes {
		w.ConvTypes = append(w.ConvTypes, int(t))
	}
	if len(e.Secrets) > 1 && e.Secrets[1].Expires > now {
		w.OldSecret = some(int64(e.Secrets[1].Expires))
	}
	return w
}

// attemptOf writes a line of the log.
func attemptOf(a store.WebhookAttempt) adminapi.Attempt {
	out := adminapi.Attempt{
		Seq: a.Seq, At: int64(a.At), ID: a.ID, Attempt: a.Attempt, URL: a.URL, Events: []adminapi.HookEvent{}, Bytes: a.Bytes, Status: some(a.Status), Millis: a.Millis,
		Answer: strings.ToValidUTF8(string(a.Answer), "\uFFFD"), Error: some(a.Error), Delivered: a.Error == "",
	}
	for _, e := range a.Events {
		out.Events = append(out.Events, adminapi.HookEvent(e))
	}
	return out
}

// attemptsOf writes a page of the log.
func attemptsOf(all []store.WebhookAttempt, limit int) adminapi.Attempts {
	out := adminapi.Attempts{Data: []adminapi.Attempt{}}
	for _, a := range all {
		out.Data = append(out.Data, attemptOf(a))
	}
	if len(all) == limit {
		out.NextBeforeSeq = some(all[limit-1].Seq)
	}
	return out
}

// failedOf writes a page of failed calls.
func failedOf(all []store.FailedDelivery, limit int) adminapi.FailedCalls {
	out := adminapi.FailedCalls{Data: []adminapi.Failed{}}
	for _, f := range all {
		row := adminapi.Failed{
			Seq: f.Seq, ID: f.ID, Events: len(f.Entries), Attempts: f.Attempts, First: int64(f.First), GivenUp: some(int64(f.Dead)), Status: some(f.Status), Error: some(f.Error),
		}
		if f.Dead == 0 {
			row.Next = some(int64(f.Due))
		}
		if len(f.Entries) > 0 && !f.Entries[0].Conv.IsZero() {
			row.ConvID = some(f.Entries[0].Conv.String())
		}
		out.Data = append(out.Data, row)
	}
	if len(all) == limit {
		out.NextAfterSeq = some(all[limit-1].Seq)
	}
	return out
}

func exampleWebhook() store.Endpoint {
	return store.Endpoint{Webhook: skein.Webhook{
		ID: "whk_4x7h2n5w6y3k9c8v1b0m2q4z7t", App: "shop", Enabled: true, Created: then, Rev: 1,
		Settings: skein.WebhookSettings{URL: "https://shop.example.com/skein", Name: "orders", Events: []string{skein.HookMessageSent, skein.HookMessageRecalled}, Batch: 10, Ordered: true},
	}}
}

func exampleSecret() adminapi.WebhookSecret {
	return adminapi.WebhookSecret{Webhook: webhookOf(exampleWebhook(), then), Secret: "whsec_RVhBTVBMRUVYQU1QTEVFWEFNUExFRVhBTVBMRUVYQQ=="} //nolint:gosec // an example
}

func exampleAttempt() store.WebhookAttempt {
	return store.WebhookAttempt{
		Seq: 7, At: then, ID: "evt_6lj2r9k1m3p5s8v0c4e7g2h6n9q1t3w5", Attempt: 1, URL: "https://shop.example.com/skein", Bytes: 512, Status: 500, Millis: 41,
		Events: []store.HookEvent{{ID: "evt_6lj2r9k1m3p5s8v0c4e7g2h6n9q1t3w5", Type: skein.HookMessageSent}}, Answer: []byte("oops"), Error: "status 500",
	}
}

func exampleFailed() store.FailedDelivery {
	return store.FailedDelivery{
		Seq: 3, ID: "evt_6lj2r9k1m3p5s8v0c4e7g2h6n9q1t3w5", Entries: make([]store.Entry, 1), Attempts: 10, First: then, Dead: then.Add(271_800_000_000_000), Status: 500, Error: "status 500",
	}
}
