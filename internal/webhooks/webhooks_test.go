package webhooks_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/webhooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test waits; a pass does not take it.
const patience = time.Minute

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// got is an event that the receiver took.
type got struct {
	ID, Type string
	AppID    string `json:"app_id"`
	Data     json.RawMessage
}

// fixture is an app with a receiver of its events, and a node that delivers.
type fixture struct {
	testing.TB
	*webhooks.Service

	store     *sqlite.Store
	client    *http.Client
	deliverer atomic.Pointer[webhooks.Deliverer]
	receiver  *httptest.Server
	by        skein.Actor
	said      atomic.Uint64 // messages
	probe     time.Duration // longest time between probes

	mu     sync.Mutex
	status func(e got, attempt int) int // what the receiver answers; guarded by mu, as what follows
	seen   map[string]int               // attempts by webhook-id
	taken  []got                        // with a status of 2xx; each event once, however often it came
	secret []string                     // by which calls are verified: any of them
	calls  int
}

func newFixture(t testing.TB, schedule ...time.Duration) *fixture {
	t.Helper()
	f := newFixtureOfNoNode(t)
	f.deliver(f.store, schedule...)
	return f
}

// deliver starts a node that delivers from a store. It ends by stop, or with the test.
func (f *fixture) deliver(from webhooks.Store, schedule ...time.Duration) (stop func()) {
	d := webhooks.NewDeliverer(webhooks.DelivererOptions{
		Store: from, Runner: feed.New(feed.Options{Store: f.store, Node: "one"}), Client: f.client, Schedule: schedule, Probe: f.probe,
		SignLinks: func(_ context.Context, app string, json []byte) []byte {
			return bytes.ReplaceAll(json, []byte("a private link"), []byte("a link signed for "+app))
		},
	})
	f.deliverer.Store(d)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	f.Cleanup(stop)
	return stop
}

func newFixtureOfNoNode(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{TB: t, probe: 20 * time.Millisecond, seen: map[string]int{}, status: func(got, int) int { return 204 }}
	var err error
	wake := func(tell func(*webhooks.Deliverer)) {
		if d := f.deliverer.Load(); d != nil {
			tell(d)
		}
	}
	f.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, Committed: func([]skein.Committed) { wake((*webhooks.Deliverer).Wake) }})
	if err != nil {
		t.Fatal(err)
	}
	f.receiver = httptest.NewServer(http.HandlerFunc(f.receive))
	f.client = dial.New(dial.Options{Allow: loopback, Timeout: patience, ConnsPerHost: 64})
	f.Service = webhooks.New(webhooks.Options{Store: f.store, Client: f.client, Allow: loopback, Changed: func() { wake((*webhooks.Deliverer).Changed) }})
	f.by = skein.Actor{Operator: &skein.OperatorCall{Account: skein.OperatorAccount{Name: "ann"}}}
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		f.receiver.Close()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	f.must(f.store.CreateApp(t.Context(), skein.App{ID: "shop"}))
	for _, id := range []string{"ann", "bob"} {
		_, _, err := f.store.CreateClient(t.Context(), skein.Client{App: "shop", ID: id})
		f.must(err)
	}
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// receive is the receiver. It verifies each call with the library of Standard Webhooks.
func (f *fixture) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	verified := 0
	for _, secret := range f.secret {
		wh, failed := standardwebhooks.NewWebhook(secret)
		if err = errors.Join(err, failed); err == nil && wh.Verify(body, r.Header) == nil {
			verified++
		}
	}
	if err != nil || verified != len(f.secret) {
		f.Errorf("%d of %d secrets verify the call %v %s, %v", verified, len(f.secret), r.Header, body, err)
	}
	var one got
	var batch struct {
		Type string
		Data []got
	}
	if err := json.Unmarshal(body, &one); err != nil {
		f.Errorf("got %s: %v", body, err)
	}
	all := []got{one}
	if one.Type == "batch" {
		if err := json.Unmarshal(body, &batch); err != nil {
			f.Errorf("got %s: %v", body, err)
		}
		all = batch.Data
	}
	id := r.Header.Get("Webhook-Id")
	f.seen[id]++
	status := f.status(all[0], f.seen[id])
	if status < 300 {
		f.take(all)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "answer of the receiver")
}

// take keeps those events that did not come before. The caller holds mu.
func (f *fixture) take(all []got) {
	for _, e := range all {
		if !slices.ContainsFunc(f.taken, func(k got) bool { return k.ID == e.ID }) {
			f.taken = append(f.taken, e)
		}
	}
}

// answers sets what the receiver answers.
func (f *fixture) answers(status func(e got, attempt int) int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

// hook adds an endpoint.
func (f *fixture) hook(alter func(*skein.WebhookSettings)) string {
	f.Helper()
	s := skein.WebhookSettings{URL: f.receiver.URL, Rate: skein.MaxWebhookRate}
	alter(&s)
	e, secret, err := f.Create(f.Context(), f.by, "shop", s, true)
	f.must(err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secret = []string{secret}
	return e.ID
}

// group is a conversation of ann and bob.
func (f *fixture) group(n byte) skein.ID {
	f.Helper()
	id := skein.ID{15: n}
	_, _, err := f.store.CreateConversation(f.Context(), skein.Conversation{App: "shop", ID: id, Type: skein.Group}, []skein.Member{{Client: "ann"}, {Client: "bob"}}, store.MemberLimit{})
	f.must(err)
	return id
}

func (f *fixture) say(conv skein.ID, text string) skein.Message {
	f.Helper()
	id := skein.ID{0: 1}
	binary.BigEndian.PutUint64(id[8:], f.said.Add(1))
	m, _, err := f.store.Append(f.Context(), skein.Draft{App: "shop", Message: skein.Message{ID: id, Conv: conv, Sender: "ann", Created: skein.MillisOf(time.Now()), Body: skein.Body{Text: text}}})
	f.must(err)
	return m
}

func (f *fixture) eventually(what string, is func() bool) {
	f.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.Fatalf("%s: not within %v; the receiver took %d events in %d calls", what, patience, len(f.taken), f.calls)
		}
	}
}

// texts are the texts of message.sent that the receiver took, by conversation.
func (f *fixture) texts() (byConv map[string][]string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	byConv = map[string][]string{}
	for _, e := range f.taken {
		var m struct {
			ConvID string `json:"conv_id"`
			Text   string
		}
		if e.Type != skein.HookMessageSent {
			continue
		}
		f.must(json.Unmarshal(e.Data, &m))
		byConv[m.ConvID] = append(byConv[m.ConvID], m.Text)
		n++
	}
	return byConv, n
}

func TestEachMessageArrivesAlsoWhereHalfOfTheCallsFail(t *testing.T) {
	for name, settings := range map[string]skein.WebhookSettings{
		"one by one, in order":  {Ordered: true},
		"in batches, in order":  {Ordered: true, Batch: 7},
		"in batches, unordered": {Batch: 10},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond)
			f.answers(func(e got, attempt int) int {
				if attempt == 1 && e.ID[len(e.ID)-1]%2 == 0 {
					return 500
				}
				return 200
			})
			f.hook(func(s *skein.WebhookSettings) { s.Ordered, s.Batch = settings.Ordered, settings.Batch })
			convs := []skein.ID{f.group(1), f.group(2), f.group(3)}
			const each = 20
			for i := range each {
				for _, conv := range convs {
					f.say(conv, fmt.Sprintf("m%04d", i))
				}
			}
			f.eventually("all messages arrive", func() bool { _, n := f.texts(); return n == each*len(convs) })
			byConv, _ := f.texts()
			for conv, texts := range byConv {
				if settings.Ordered && !slices.IsSorted(texts) {
					t.Errorf("conversation %s: got %q, want them in order", conv, texts)
				}
			}
		})
	}
}

func TestAnEndpointThatIsGoneIsDisabledAndGoesOnWhereItWas(t *testing.T) {
	f := newFixture(t, time.Millisecond)
	conv := f.group(1)
	id := f.hook(func(s *skein.WebhookSettings) { s.Events = []string{skein.HookMessageSent} })
	f.answers(func(got, int) int { return 410 })
	f.say(conv, "one")
	f.eventually("the endpoint is disabled", func() bool {
		e, err := f.Get(f.Context(), "shop", id)
		f.must(err)
		return !e.Enabled && e.Reason == skein.DisabledGone
	})
	f.say(conv, "two")
	f.answers(func(got, int) int { return 200 })
	_, err := f.Update(f.Context(), f.by, "shop", id, false, func(w *skein.Webhook) { w.Enabled = true })
	f.must(err)
	f.eventually("both messages arrive", func() bool { _, n := f.texts(); return n == 2 })
}

func TestACallThatAlwaysFailsBecomesADeadLetterAndIsReplayed(t *testing.T) {
	f := newFixture(t, time.Millisecond, time.Millisecond)
	conv := f.group(1)
	id := f.hook(func(s *skein.WebhookSettings) { s.Events = []string{skein.HookMessageSent} })
	f.answers(func(e got, _ int) int {
		if strings.Contains(string(e.Data), "poison") {
			return 500
		}
		return 200
	})
	f.say(conv, "poison")
	f.say(conv, "fine")
	dead := func() []store.FailedDelivery {
		all, err := f.Service.Failed(f.Context(), "shop", id, store.FailedQuery{Dead: true, Limit: 10})
		f.must(err)
		return all
	}
	f.eventually("a dead letter, and the other message", func() bool { _, n := f.texts(); return n == 1 && len(dead()) == 1 })
	if d := dead()[0]; d.Attempts != 3 || d.Status != 500 || d.Error != "status 500" {
		t.Errorf("got the dead letter %+v, want 3 attempts and status 500", d)
	}
	var log []store.WebhookAttempt // the receiver sees a call before the node has stored it
	f.eventually("4 calls are in the log", func() bool {
		var err error
		log, err = f.Attempts(f.Context(), "shop", id, 0, 10)
		f.must(err)
		return len(log) >= 4
	})
	if string(log[0].Answer) != "answer of the receiver" || log[0].Events[0].Type != skein.HookMessageSent {
		t.Errorf("got the log %+v, want the answers in it", log)
	}
	f.answers(func(got, int) int { return 200 })
	n, err := f.Replay(f.Context(), f.by, "shop", id, store.Replay{})
	if err != nil || n != 1 {
		t.Fatalf("replay: got %d, %v, want 1", n, err)
	}
	f.eventually("the message arrives", func() bool { _, n := f.texts(); return n == 2 && len(dead()) == 0 })
}

func TestAnOutageOfTheReceiverStoresFewRowsAndLosesNothing(t *testing.T) {
	f := newFixture(t, time.Hour)
	conv := f.group(1)
	id := f.hook(func(s *skein.WebhookSettings) { s.Events, s.Ordered = []string{skein.HookMessageSent}, true })
	f.answers(func(got, int) int { return 503 })
	const n = 40
	for i := range n {
		f.say(conv, fmt.Sprintf("m%04d", i))
	}
	f.eventually("the endpoint is seen to fail", func() bool {
		e, err := f.Get(f.Context(), "shop", id)
		f.must(err)
		return e.Failing != 0
	})
	waiting, err := f.Service.Failed(f.Context(), "shop", id, store.FailedQuery{Limit: 100})
	f.must(err)
	if len(waiting) > n {
		t.Errorf("got %d failed calls of %d messages", len(waiting), n)
	}
	f.answers(func(got, int) int { return 200 })
	f.eventually("all messages arrive", func() bool { _, got := f.texts(); return got == n })
	byConv, _ := f.texts()
	for conv, texts := range byConv {
		if !slices.IsSorted(texts) {
			t.Errorf("conversation %s: got %q, want them in order", conv, texts)
		}
	}
}

// dying is the store of a node that dies as soon as it stored a new place of an endpoint.
type dying struct {
	webhooks.Store

	from store.FeedCursor
	dead chan struct{}
}

func (d *dying) KeepWebhooks(ctx context.Context, l store.Lease, done []store.WebhookWork) error {
	select {
	case <-d.dead:
		return errors.New("the node is dead")
	default:
	}
	if err := d.Store.KeepWebhooks(ctx, l, done); err != nil {
		return err
	}
	if slices.ContainsFunc(done, func(w store.WebhookWork) bool { return w.Cursor != d.from }) {
		close(d.dead)
	}
	return nil
}

func TestANodeThatDiesWhenItStoredAPlaceLosesNothing(t *testing.T) {
	f := newFixtureOfNoNode(t)
	f.probe = time.Hour // its failures would count too
	f.hook(func(s *skein.WebhookSettings) { s.Events, s.Ordered = []string{skein.HookMessageSent}, true })
	all, err := f.store.Webhooks(f.Context(), "shop")
	f.must(err)
	f.answers(func(got, int) int { return 500 })
	const n = 2 // fewer failures than make an endpoint count as down
	for i := range n {
		f.say(f.group(byte(i+1)), "hi")
	}
	first := &dying{Store: f.store, from: all[0].Cursor, dead: make(chan struct{})}
	stop := f.deliver(first, time.Hour)
	select {
	case <-first.dead:
	case <-time.After(patience):
		t.Fatalf("the node stored no place within %v", patience)
	}
	stop()
	due, err := f.Service.Failed(f.Context(), "shop", all[0].ID, store.FailedQuery{Limit: 10})
	if err != nil || len(due) != n {
		t.Errorf("failed calls that wait: got %+v, %v, want %d", due, err, n)
	}
}

func TestCallsCarryBothSignaturesWhileASecretIsReplaced(t *testing.T) {
	f := newFixture(t)
	id := f.hook(func(*skein.WebhookSettings) {})
	_, secret, err := f.Rotate(f.Context(), f.by, "shop", id, time.Hour)
	f.must(err)
	f.mu.Lock()
	f.secret = append(f.secret, secret)
	f.mu.Unlock()
	a, err := f.Test(f.Context(), "shop", id)
	if err != nil || a.Error != "" || a.Status != 204 {
		t.Errorf("a test of both secrets: got %+v, %v", a, err)
	}
	_, secret, err = f.Rotate(f.Context(), f.by, "shop", id, 0)
	f.must(err)
	f.mu.Lock()
	f.secret = []string{secret}
	f.mu.Unlock()
	if a, err := f.Test(f.Context(), "shop", id); err != nil || a.Error != "" {
		t.Errorf("a test of the newest secret alone: got %+v, %v", a, err)
	}
}

func TestAnEndpointGetsTheEventsThatItNames(t *testing.T) {
	f := newFixture(t)
	f.hook(func(s *skein.WebhookSettings) {
		s.Events = []string{skein.HookConversationCreated, skein.HookRecipientsOffline, skein.HookUserCreated, skein.HookQuotaWarning}
	})
	conv := f.group(1)
	f.say(conv, "hi")
	_, _, err := f.store.CreateClient(f.Context(), skein.Client{App: "shop", ID: "eve"})
	f.must(err)
	f.must(f.store.WarnOfQuota(f.Context(), "shop", skein.QuotaWarning{Quota: "messages", Used: 80, Limit: 100}))
	want := []string{skein.HookConversationCreated, skein.HookRecipientsOffline, skein.HookUserCreated, skein.HookQuotaWarning}
	types := func() (all []string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, e := range f.taken {
			all = append(all, e.Type)
			if e.AppID != "shop" || !strings.HasPrefix(e.ID, "evt_") {
				f.Errorf("got the event %+v", e)
			}
			if e.Type == skein.HookRecipientsOffline && !strings.Contains(string(e.Data), `"client_ids":["bob"]`) {
				f.Errorf("got %s, want bob as the one who is offline", e.Data)
			}
			if e.Type == skein.HookQuotaWarning && string(e.Data) != `{"quota":"messages","used":80,"limit":100,"day":null}` {
				f.Errorf("got the warning %s", e.Data)
			}
		}
		slices.Sort(all)
		return all
	}
	slices.Sort(want)
	f.eventually("the events arrive", func() bool { return len(types()) >= len(want) })
	if got := types(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinksInEventsAreSigned(t *testing.T) {
	f := newFixture(t)
	f.hook(func(*skein.WebhookSettings) {})
	conv := f.group(1)
	f.say(conv, "see a private link")
	f.eventually("the message arrives", func() bool { _, n := f.texts(); return n == 1 })
	byConv, _ := f.texts()
	if got, want := byConv[conv.String()], []string{"see a link signed for shop"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnAddressThatIsNotPublicIsRefused(t *testing.T) {
	f := newFixture(t)
	for _, url := range []string{"", "ftp://example.com/", "http://10.0.0.1/", "http://[::1]/", "http://user@example.com/", "https://169.254.169.254/"} {
		_, _, err := f.Create(f.Context(), f.by, "shop", skein.WebhookSettings{URL: url}, true)
		if !errors.Is(err, skein.ErrMalformed) {
			t.Errorf("%q: got %v, want ErrMalformed", url, err)
		}
	}
	if _, _, err := f.Create(f.Context(), f.by, "other", skein.WebhookSettings{URL: "https://example.com/"}, true); !errors.Is(err, skein.ErrNotFound) {
		t.Errorf("an unknown app: got %v, want ErrNotFound", err)
	}
}

func TestAnEndpointThatNoCallMayReachAnyMoreCanBeDisabled(t *testing.T) {
	f := newFixtureOfNoNode(t)
	made, _, err := f.Create(t.Context(), f.by, "shop", skein.WebhookSettings{URL: f.receiver.URL}, true)
	f.must(err)
	narrowed := webhooks.New(webhooks.Options{Store: f.store}) // a server whose --outbound-allow has the network no more
	update := func(alter func(*skein.Webhook)) error {
		_, err := narrowed.Update(t.Context(), f.by, "shop", made.ID, false, alter)
		return err
	}
	if err := update(func(w *skein.Webhook) { w.Settings.Name = "still called" }); !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("a change of an endpoint that is enabled: got %v, want %v", err, skein.ErrMalformed)
	}
	if err := update(func(w *skein.Webhook) { w.Enabled = false }); err != nil {
		t.Errorf("disabling it: got %v", err)
	}
	if err := update(func(w *skein.Webhook) { w.Settings.URL += "/other" }); !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("another URL for one that is disabled: got %v, want %v", err, skein.ErrMalformed)
	}
	if err := update(func(w *skein.Webhook) { w.Enabled = true }); !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("enabling it: got %v, want %v", err, skein.ErrMalformed)
	}
}
