package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// hook is an endpoint with all that one may have.
func hook(app, id string) skein.Webhook {
	return skein.Webhook{
		ID: id, App: app, Enabled: true, Created: 7, Rev: 1,
		Settings: skein.WebhookSettings{
			URL: "https://example.com/" + id, Name: "商店", Events: []string{skein.HookMessageSent}, ConvTypes: []skein.ConvType{skein.Group},
			Rate: 50, Batch: 10, Ordered: true,
		},
		Secrets: []skein.WebhookSecret{{Key: []byte{0, 1, 255}, Expires: skein.Forever}, {Key: []byte("old"), Expires: 9}},
	}
}

func (f *fixture) putHook(w skein.Webhook, at store.FeedCursor, move bool) {
	f.Helper()
	f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error { return t.PutWebhook(ctx, w, at, move) })
}

// hooks are the endpoints of an app.
func (f *fixture) hooks(app string) []store.Endpoint {
	f.Helper()
	all, err := f.Webhooks(f.Context(), app)
	f.must(err)
	return all
}

func (f *fixture) failures(id string, dead bool) (seqs []int64) {
	f.Helper()
	all, err := f.FailedDeliveries(f.Context(), id, store.FailedQuery{Dead: dead, Limit: 100})
	f.must(err)
	for _, d := range all {
		seqs = append(seqs, d.Seq)
	}
	return seqs
}

func (f *fixture) replay(id string, r store.Replay) (n int) {
	f.Helper()
	f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) (err error) {
		n, err = t.ReplayFailed(ctx, id, r)
		return err
	})
	return n
}

var webhooks = []check{
	{"an endpoint is kept as it was given, at its place in the feed", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game")
		at := f.end()
		f.putHook(hook("shop", "b"), at, false)
		f.putHook(hook("shop", "a"), at, false)
		f.putHook(hook("game", "c"), at, false)
		equal(f, "of shop", f.hooks("shop"), []store.Endpoint{{Webhook: hook("shop", "a"), Cursor: at}, {Webhook: hook("shop", "b"), Cursor: at}})
		equal(f, "of all", len(f.hooks("")), 3)
		equal(f, "of an unknown app", len(f.hooks("other")), 0)
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			own, err := t.Webhooks(ctx, "game")
			if err != nil || len(own) != 1 || own[0].ID != "c" {
				return fmt.Errorf("in a deed: %v, %w", own, err)
			}
			return nil
		})
		_, err := f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			_, err := t.Webhooks(ctx, "other")
			return skein.Deed{}, err
		})
		f.wantErr(err, skein.ErrUnknownApp)
	}},
	{"a change of an endpoint leaves its place, unless it is to move", func(f *fixture) {
		f.app("shop", "ann")
		early := f.end()
		f.clients("shop", "bob")
		late := f.end()
		w := hook("shop", "a")
		f.putHook(w, early, false)
		w.Settings.URL, w.Enabled, w.Reason, w.Rev, w.Secrets = "https://other.example/", false, skein.DisabledGone, 2, w.Secrets[:1]
		f.putHook(w, late, false)
		equal(f, "changed", f.hooks("shop"), []store.Endpoint{{Webhook: w, Cursor: early}})
		f.putHook(w, late, true)
		equal(f, "moved", f.hooks("shop"), []store.Endpoint{{Webhook: w, Cursor: late}})
	}},
	{"an endpoint goes when it is removed, and with its app", func(f *fixture) {
		f.app("shop")
		f.app("game")
		f.putHook(hook("shop", "a"), f.end(), false)
		f.putHook(hook("game", "b"), f.end(), false)
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error { return t.RemoveWebhook(ctx, "a") })
		f.must(f.DeleteApp(f.Context(), "game"))
		equal(f, "left", len(f.hooks("")), 0)
		f.purge()
		f.app("game")
		equal(f, "of an app created anew", len(f.hooks("game")), 0)
	}},
	{"what was done for endpoints is kept, and a stale fence keeps nothing", func(f *fixture) {
		f.app("shop", "ann")
		early := f.end()
		conv := f.group("shop", "ann")
		f.say("shop", conv, "ann", "hi")
		f.must(f.WarnOfQuota(f.Context(), "shop", skein.QuotaWarning{Quota: "messages", Used: 80, Limit: 100, Day: "2026-11-30"}))
		entries, _ := f.feedAfter(early, 100)
		warned := entries[len(entries)-1]
		equal(f, "the warning", fmt.Sprint(warned.Kind, warned.App, *warned.Warning), fmt.Sprint(store.EntryQuotaWarning, "shop", skein.QuotaWarning{Quota: "messages", Used: 80, Limit: 100, Day: "2026-11-30"}))
		f.wantErr(f.WarnOfQuota(f.Context(), "other", skein.QuotaWarning{}), skein.ErrUnknownApp)
		told := []store.Entry{
			{Kind: store.EntryReceipts, App: "shop", Conv: conv, Places: []skein.Position{{Client: "ann", Read: 1, Received: 1}}},
			{Kind: store.EntryOnline, App: "shop", Clients: []string{"ann", "bob"}},
			{Kind: store.EntryOffline, App: "shop", Clients: []string{"ann"}},
		}
		f.must(f.CommitEvents(f.Context(), "shop", told))
		f.wantErr(f.CommitEvents(f.Context(), "other", told), skein.ErrUnknownApp)
		entries, late := f.feedAfter(early, 100)
		for i, e := range entries[len(entries)-len(told):] {
			e.At, e.Event = 0, 0
			equal(f, "what was told", e, told[i])
		}
		f.putHook(hook("shop", "a"), early, false)
		l := f.claim("hooks", "n1")
		failed := store.FailedDelivery{Seq: 3, ID: "evt", Entries: entries, Attempts: 1, First: f.now(), Due: 9, Status: 500, Error: "status 500"}
		tried := store.WebhookAttempt{At: 5, ID: "evt", Attempt: 1, URL: "https://x", Events: []store.HookEvent{{ID: "e", Type: skein.HookMessageSent}}, Bytes: 7, Status: 500, Millis: 12, Answer: []byte{0, 255}, Error: "status 500"}
		f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{
			{ID: "gone", Cursor: late, Put: []store.FailedDelivery{failed}, Attempts: []store.WebhookAttempt{tried}},
			{ID: "a", Cursor: late, Failing: 4, Put: []store.FailedDelivery{failed}, Attempts: []store.WebhookAttempt{tried, tried}},
		}))
		equal(f, "the endpoint", f.hooks("shop"), []store.Endpoint{{Webhook: hook("shop", "a"), Cursor: late, Failing: 4, Failed: 3}})
		got, err := f.FailedDeliveries(f.Context(), "a", store.FailedQuery{Limit: 10})
		f.must(err)
		equal(f, "failed", got, []store.FailedDelivery{failed})
		log, err := f.WebhookAttempts(f.Context(), "a", 0, 10)
		f.must(err)
		second, first := tried, tried
		first.Seq, second.Seq = 1, 2
		equal(f, "log", log, []store.WebhookAttempt{second, first})
		log, err = f.WebhookAttempts(f.Context(), "a", 2, 10)
		f.must(err)
		equal(f, "older", log, []store.WebhookAttempt{first})
		f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: late, Remove: []int64{3}}}))
		equal(f, "removed", len(f.failures("a", false)), 0)

		f.pass(leaseFor)
		f.claim("hooks", "n2")
		f.wantErr(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: early, Put: []store.FailedDelivery{failed}}}), store.ErrLeaseLost)
		equal(f, "after the stale write", f.hooks("shop"), []store.Endpoint{{Webhook: hook("shop", "a"), Cursor: late}})
	}},
	{"the place of an endpoint is good in another history that begins with this one", func(f *fixture) {
		f.app("shop", "ann")
		f.putHook(hook("shop", "a"), f.end(), false)
		f.clients("shop", "bob")
		f.must(f.NewEpoch(f.Context()))
		entries, _ := f.feedAfter(f.hooks("shop")[0].Cursor, 10)
		equal(f, "from its place", kinds(entries), []store.EntryKind{store.EntryClientCreated})
	}},
	{"the server disables an endpoint that nobody changed meanwhile", func(f *fixture) {
		f.app("shop")
		l, at := f.claim("hooks", "n1"), f.end()
		w := hook("shop", "a")
		f.putHook(w, at, false)
		f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: at, Disable: skein.DisabledGone, Rev: 9, Failing: 3}}))
		equal(f, "of another rev", f.hooks("shop")[0].Enabled, true)
		f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: at, Disable: skein.DisabledGone, Rev: 1, Failing: 3}}))
		got := f.hooks("shop")[0]
		equal(f, "disabled", fmt.Sprintf("%v %s %d %d", got.Enabled, got.Reason, got.Rev, got.Failing), "false gone 2 3")
		w.Rev = 3
		f.putHook(w, at, false)
		got = f.hooks("shop")[0]
		equal(f, "enabled again", fmt.Sprintf("%v %q %d", got.Enabled, got.Reason, got.Failing), `true "" 0`)
	}},
	{"dead letters are replayed: one, a span, all since a time", func(f *fixture) {
		f.app("shop")
		l, at := f.claim("hooks", "n1"), f.end()
		f.putHook(hook("shop", "a"), at, false)
		var dead []store.FailedDelivery
		for i := range int64(9) {
			dead = append(dead, store.FailedDelivery{Seq: i + 1, ID: "x", Attempts: 10, First: f.now(), Dead: f.now().Add(time.Duration(i) * time.Second)})
		}
		dead = append(dead, store.FailedDelivery{Seq: 10, ID: "waits", First: f.now(), Due: 5})
		f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: at, Put: dead}}))
		equal(f, "dead letters", f.hooks("shop")[0].Dead, 9)
		equal(f, "one", f.replay("a", store.Replay{From: 2, Until: 2, Limit: 10}), 1)
		equal(f, "the same again", f.replay("a", store.Replay{From: 2, Until: 2, Limit: 10}), 0)
		equal(f, "a span", f.replay("a", store.Replay{From: 1, Until: 4, Limit: 10}), 3)
		equal(f, "since", f.replay("a", store.Replay{Since: f.now().Add(7 * time.Second), Limit: 10}), 2)
		equal(f, "of another endpoint", f.replay("b", store.Replay{Limit: 10}), 0)
		equal(f, "some of the rest", f.replay("a", store.Replay{Limit: 2}), 2)
		equal(f, "left", f.failures("a", true), []int64{7})
		equal(f, "waiting", f.failures("a", false), []int64{1, 2, 3, 4, 5, 6, 8, 9, 10})
		e := f.hooks("shop")[0]
		equal(f, "dead letters and replays", fmt.Sprint(e.Dead, e.Replays, e.Failed), "1 4 10")
		got, err := f.FailedDeliveries(f.Context(), "a", store.FailedQuery{After: 1, Limit: 1})
		f.must(err)
		equal(f, "the second one", got, []store.FailedDelivery{{Seq: 2, ID: "x", First: f.now(), Due: f.now()}})
	}},
	{"attempts go after a week, failed deliveries after thirty days", func(f *fixture) {
		f.app("shop")
		l, at := f.claim("hooks", "n1"), f.end()
		f.putHook(hook("shop", "a"), at, false)
		keep := func(seq int64) {
			l = f.claim("hooks", "n1")
			f.must(f.KeepWebhooks(f.Context(), l, []store.WebhookWork{{ID: "a", Cursor: f.end(), Put: []store.FailedDelivery{{Seq: seq, First: f.now(), Dead: f.now()}}, Attempts: []store.WebhookAttempt{{At: f.now()}}}}))
		}
		attempts := func() int {
			log, err := f.WebhookAttempts(f.Context(), "a", 0, 10)
			f.must(err)
			return len(log)
		}
		keep(1)
		f.pass(skein.AttemptsKept)
		f.purge()
		equal(f, "attempts of a week", attempts(), 1)
		keep(2)
		f.pass(time.Millisecond)
		f.purge()
		equal(f, "attempts", attempts(), 1)
		f.pass(skein.DeadLettersKept - skein.AttemptsKept)
		f.purge()
		equal(f, "failed deliveries", f.failures("a", true), []int64{2})
	}},
	{"a deed about endpoints that fails changes nothing", func(f *fixture) {
		f.app("shop")
		no, at := errors.New("no"), f.end()
		_, err := f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			return skein.Deed{}, errors.Join(t.PutWebhook(ctx, hook("shop", "a"), at, false), no)
		})
		f.wantErr(err, no)
		equal(f, "endpoints", len(f.hooks("shop")), 0)
	}},
}
