package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// hookShell runs commands about the webhooks of one app.
type hookShell struct {
	*testing.T

	data, webhook string
}

func (s hookShell) args(command string, args ...string) []string {
	all := []string{"webhook", command, "--data", s.data, "--app", "shop", "--outbound-allow", "127.0.0.0/8"}
	if s.webhook != "" {
		all = append(all, "--id", s.webhook)
	}
	return append(all, args...)
}

func TestWebhooksAreManagedFromTheCommandLine(t *testing.T) {
	status := http.StatusNoContent
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer receiver.Close()
	s := hookShell{T: t, data: t.TempDir()}
	must(t, "app", "create", "--data", s.data, "--id", "shop")
	made := mustJSON[adminapi.WebhookSecret](t, s.args("add", "--url", receiver.URL, "--events", "message.sent,user.banned", "--conv-types", "1,3", "--rate", "7", "--ordered", "on")...)
	if got := made.Webhook; !strings.HasPrefix(made.Secret, "whsec_") || !slices.Equal(got.Events, []string{"message.sent", "user.banned"}) || !slices.Equal(got.ConvTypes, []int{1, 3}) || got.Rate != 7 || !got.Ordered {
		t.Errorf("add: got %+v, want the given settings and a secret", made)
	}
	if got := mustJSON[adminapi.Webhooks](t, s.args("list")...); len(got.Data) != 1 || got.Data[0].WebhookID != made.WebhookID {
		t.Errorf("list: got %+v, want the endpoint", got)
	}
	s.webhook = made.WebhookID
	if got := mustJSON[adminapi.Webhook](t, s.args("set", "--events", "", "--enabled", "off")...); got.Events != nil || got.Enabled || got.Rate != 7 {
		t.Errorf("set --events '' --enabled off: got %+v, want the usual events, disabled, and the other settings as they were", got)
	}
	if got := mustJSON[adminapi.WebhookSecret](t, s.args("rotate", "--grace", "1h")...); got.Secret == made.Secret || got.OldSecret == nil {
		t.Errorf("rotate: got %+v, want a new secret beside the old one", got)
	}
	if got := mustJSON[adminapi.Attempt](t, s.args("test")...); !got.Delivered || *got.Status != http.StatusNoContent {
		t.Errorf("test: got %+v, want it delivered", got)
	}
	status = http.StatusTeapot
	if got := runSkein(t, s.args("test")...); got.code != exitFailed || !strings.Contains(got.err, "status 418") {
		t.Errorf("test of an endpoint that fails: got %+v, want exit 1 and the status", got)
	}
	s.keepDeadLetters()
	if got := mustJSON[adminapi.FailedCalls](t, s.args("dead-letters")...); len(got.Data) != 3 {
		t.Errorf("dead-letters: got %+v, want three", got)
	}
	if got := mustJSON[adminapi.Replayed](t, s.args("replay", "--from", "2", "--until", "2")...); got.Replayed != 1 {
		t.Errorf("replay of the second: got %+v, want one", got)
	}
	if got := mustJSON[adminapi.Replayed](t, s.args("replay", "--since", "2026-01-01T00:00:00Z")...); got.Replayed != 1 {
		t.Errorf("replay of those given up since 2026: got %+v, want one", got)
	}
	if got := mustJSON[adminapi.FailedCalls](t, s.args("dead-letters", "--waiting")...); len(got.Data) != 2 {
		t.Errorf("dead-letters --waiting: got %+v, want the two that were replayed", got)
	}
	if got := mustJSON[adminapi.Attempts](t, s.args("log", "--limit", "1")...); len(got.Data) != 1 || got.Data[0].ID != "evt_2" || got.NextBeforeSeq == nil {
		t.Errorf("log: got %+v, want the newest line", got)
	}
	if got := must(t, s.args("show")...); !strings.Contains(got, receiver.URL) || !strings.Contains(got, "disabled") {
		t.Errorf("show as text: got %s, want URL and state", got)
	}
	s.refuses()
	must(t, s.args("delete")...)
	if got := runSkein(t, s.args("show")...); got.code != exitFailed || !strings.Contains(got.err, "--id: there is none") {
		t.Errorf("show what was deleted: got %+v, want it refused", got)
	}
}

// keepDeadLetters stores three dead letters, the first given up in 1970, and two lines of the log.
func (s hookShell) keepDeadLetters() {
	s.Helper()
	err := datadir.WithStore(s.Context(), config.Store{Data: s.data, Database: "sqlite"}, func(st store.Store) error {
		l, ok, err := st.ClaimLease(s.Context(), "webhooks", "test", time.Minute)
		if err != nil || !ok {
			s.Fatalf("claim the lease: %v, %v", ok, err)
		}
		now := skein.MillisOf(time.Now())
		work := store.WebhookWork{ID: s.webhook, Attempts: []store.WebhookAttempt{{At: now, ID: "evt_1", Attempt: 1}, {At: now, ID: "evt_2", Attempt: 1, Error: "no answer"}}}
		for seq, dead := range []skein.Millis{1000, now, now} {
			work.Put = append(work.Put, store.FailedDelivery{Seq: int64(seq + 1), ID: "evt", Entries: make([]store.Entry, 1), First: dead, Dead: dead})
		}
		return st.KeepWebhooks(context.WithoutCancel(s.Context()), l, []store.WebhookWork{work})
	})
	if err != nil {
		s.Fatal(err)
	}
}

// refuses tries commands that name the flag which is wrong.
func (s hookShell) refuses() {
	s.Helper()
	for want, args := range map[string][]string{
		"--url":             {"set", "--url", "http://10.0.0.1/"},
		"--rate: must be":   {"set", "--rate", "0"},
		"nothing to change": {"set"},
		"--outbound-allow":  {"show", "--outbound-allow", "here"},
		"--from: out of":    {"replay", "--from=-1"},
	} {
		if got := runSkein(s.T, s.args(args[0], args[1:]...)...); got.code == exitOK || !strings.Contains(got.err, want) {
			s.Errorf("skein webhook %q: got %+v, want it refused because of %s", args, got, want)
		}
	}
}
