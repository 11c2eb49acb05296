package hooks_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/signing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client answers calls in place of a network.
type client func(r *http.Request) (status int, body string, err error)

func (c client) Do(r *http.Request) (*http.Response, error) {
	status, body, err := c(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}, nil
}

var key = signing.NewKey()

// long is a timeout that no test takes.
const long = time.Hour

// shop is an app with a hook before messages.
func shop(id string, closed bool) *skein.App {
	h := skein.BeforeHook{On: skein.BeforeMessage, URL: "https://" + id + ".example/", Closed: closed, Secrets: signing.Rotated(nil, key, 0)}
	return &skein.App{ID: id, Settings: skein.Settings{BeforeHooks: []skein.BeforeHook{h}}}
}

func message(text string) skein.Question {
	return skein.Question{On: skein.BeforeMessage, Client: "Tom", ConvType: skein.Group, Message: &skein.Message{Sender: "Tom", Body: skein.Body{Type: skein.TypeText, Text: text}}}
}

func ask(t *testing.T, c *hooks.Caller, app *skein.App, text string) (string, error) {
	t.Helper()
	a := c.Ask(t.Context(), app, []skein.Question{message(text)})[0]
	if a.Verdict.Body == nil {
		return "", a.Err
	}
	return a.Verdict.Body.Text, a.Err
}

// count is the value of a metric, of the label result if that is not empty.
func count(t *testing.T, registry *prometheus.Registry, name, result string) (n float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if result == "" {
				return m.GetGauge().GetValue()
			}
			for _, l := range m.GetLabel() {
				if l.GetName() == "result" && l.GetValue() == result {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

func TestWhatBecomesOfTheAnswerOfAHook(t *testing.T) {
	unreadable := "the answer is no verdict"
	for name, tt := range map[string]struct {
		status int
		answer string
		text   string // that replaces the message's
		want   string // error; unreadable: as the hook has it
		result string
	}{
		"nothing is pass":           {204, "", "", "", "pass"},
		"an empty object is pass":   {200, `{}`, "", "", "pass"},
		"pass":                      {200, `{"verdict":"pass"}`, "", "", "pass"},
		"replace":                   {200, `{"verdict":"replace","message":{"text":"***"}}`, "***", "", "replace"},
		"reject":                    {200, `{"verdict":"reject","reason":"no ads"}`, "", "rejected by the app: no ads", "reject"},
		"a long reason is cut":      {200, `{"verdict":"reject","reason":"` + strings.Repeat("好", 400) + `"}`, "", "rejected by the app: " + strings.Repeat("好", 333), "reject"},
		"another verdict":           {200, `{"verdict":"drop"}`, "", unreadable, "failed"},
		"replace without a message": {200, `{"verdict":"replace"}`, "", unreadable, "failed"},
		"replace by a blank text":   {200, `{"verdict":"replace","message":{"text":" "}}`, "", unreadable, "failed"},
		"replace by a bad attr":     {200, `{"verdict":"replace","message":{"attr":"\u0000"}}`, "", unreadable, "failed"},
		"not JSON":                  {200, `OK`, "", unreadable, "failed"},
		"another status":            {500, `{"verdict":"reject"}`, "", unreadable, "failed"},
		"a redirect":                {302, ``, "", unreadable, "failed"},
	} {
		for _, closed := range []bool{false, true} {
			registry := prometheus.NewRegistry()
			c := hooks.New(hooks.Options{Timeout: long, Registerer: registry, Client: client(func(*http.Request) (int, string, error) { return tt.status, tt.answer, nil })})
			text, err := ask(t, c, shop("shop", closed), "hello")
			want := tt.want
			if want == unreadable {
				if want = ""; closed {
					want = "unavailable: the app's before-hook did not answer"
				}
			}
			if got := fmt.Sprint(err); text != tt.text || want != "" && got != want || want == "" && err != nil {
				t.Errorf("%s, closed %v: got %q, %v, want %q, %q", name, closed, text, err, tt.text, want)
			}
			if got := count(t, registry, "skein_hook_calls_total", tt.result); got != 1 {
				t.Errorf("%s, closed %v: %v questions with result %s, want 1", name, closed, got, tt.result)
			}
		}
	}
}

func TestACallIsSignedAsStandardWebhooksHasIt(t *testing.T) {
	verifier, err := standardwebhooks.NewWebhook(signing.SecretText(key))
	if err != nil {
		t.Fatal(err)
	}
	var body string
	c := hooks.New(hooks.Options{
		Timeout: long, SignLinks: func(_ context.Context, app string, json []byte) []byte {
			return []byte(strings.ReplaceAll(string(json), "a private link", "a link signed for "+app))
		},
		Client: client(func(r *http.Request) (int, string, error) {
			raw, err := io.ReadAll(r.Body)
			body = string(raw)
			return 204, "", errors.Join(err, verifier.Verify(raw, r.Header))
		}),
	})
	if _, err := ask(t, c, shop("shop", true), "a private link"); err != nil {
		t.Errorf("got %v for %s", err, body)
	}
	for _, part := range []string{`"type":"before.message"`, `"app_id":"shop"`, `"text":"a link signed for shop"`, `"client_id":"Tom"`, `"conv_type":3`, `"device_id":null`} {
		if !strings.Contains(body, part) {
			t.Errorf("got %s, want %s in it", body, part)
		}
	}
	if other := (&skein.App{ID: "other"}); c.Ask(t.Context(), other, []skein.Question{message("x")})[0] != (skein.Answer{}) {
		t.Error("an app without a hook is asked")
	}
}

func TestABreakerStopsCallsToAnAddressThatFails(t *testing.T) {
	registry := prometheus.NewRegistry()
	var now atomic.Int64
	var calls, inProbe int
	down := true
	var c *hooks.Caller
	c = hooks.New(hooks.Options{
		Timeout: long, Registerer: registry, Now: func() time.Time { return time.Unix(now.Load(), 0) },
		Client: client(func(*http.Request) (int, string, error) {
			if calls++; calls == 6 { // the first probe: others are not called meanwhile
				_, _ = ask(t, c, shop("shop", false), "beside a probe")
				inProbe = calls
			}
			if down {
				return 0, "", errors.New("connection refused")
			}
			return 204, "", nil
		}),
	})
	open := func() float64 { return count(t, registry, "skein_hook_breakers_open", "") }
	for i := range 20 {
		if _, err := ask(t, c, shop("shop", true), "x"); !errors.Is(err, skein.ErrUnavailable) {
			t.Errorf("question %d: got %v, want %v", i, err, skein.ErrUnavailable)
		}
	}
	if calls != 5 || open() != 1 {
		t.Errorf("20 questions to an address that is down: got %d calls, %v open, want 5, 1", calls, open())
	}
	if _, err := ask(t, c, shop("shop", false), "x"); err != nil || calls != 5 {
		t.Errorf("a hook that lets pass: got %v after %d calls", err, calls)
	}
	now.Add(5)
	_, _ = ask(t, c, shop("shop", true), "x")
	_, _ = ask(t, c, shop("shop", true), "x")
	if calls != 6 || inProbe != 6 {
		t.Errorf("5 s later: got %d calls, %d with those beside the probe, want one probe", calls, inProbe)
	}
	now.Add(5)
	down = false
	for i := range 2 {
		if _, err := ask(t, c, shop("shop", true), "x"); err != nil {
			t.Errorf("the address answers again, question %d: got %v", i, err)
		}
	}
	if open() != 0 {
		t.Errorf("afterwards: %v open", open())
	}
}

func TestAHookWithAnotherAddressIsCalledAtOnce(t *testing.T) {
	c := hooks.New(hooks.Options{Timeout: long, Client: client(func(r *http.Request) (int, string, error) {
		if r.URL.Host == "shop.example" {
			return 0, "", errors.New("connection refused")
		}
		return 204, "", nil
	})})
	app := shop("shop", true)
	for range 6 {
		_, _ = ask(t, c, app, "x")
	}
	app = shop("shop", true)
	app.Settings.BeforeHooks[0].URL = "https://new.example/"
	if _, err := ask(t, c, app, "x"); err != nil {
		t.Errorf("got %v", err)
	}
}

// One app's calls that hang keep neither another app nor the turn of their caller at the gate.
func TestAnAppThatHangsHindersNoOther(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	c := hooks.New(hooks.Options{Timeout: time.Millisecond, Client: client(func(r *http.Request) (int, string, error) {
		if r.URL.Host == "slow.example" {
			began <- struct{}{}
			<-release
		}
		return 204, "", nil
	})})
	gate := share.NewGate(1, 0)
	ctx, pass := share.NewPass(t.Context())
	pass.Enter(gate, "slow")
	var hanging sync.WaitGroup
	hanging.Go(func() {
		for i, a := range c.Ask(ctx, shop("slow", true), make64()) {
			if a.Err != nil {
				t.Errorf("call %d: got %v", i, a.Err)
			}
		}
		if !pass.Leave() {
			t.Error("the caller did not enter the gate again")
		}
	})
	for range hooks.CallsAtOnce {
		<-began
	}
	var beside share.Pass
	beside.Enter(gate, "other") // waits for ever if the calls hold the gate
	if _, err := ask(t, c, shop("quick", true), "x"); err != nil {
		t.Errorf("another app: got %v", err)
	}
	if _, err := ask(t, c, shop("slow", true), "x"); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("one call more of the app: got %v, want %v", err, skein.ErrUnavailable)
	}
	beside.Leave()
	close(release)
	hanging.Wait()
}

func make64() (all []skein.Question) {
	for range hooks.CallsAtOnce {
		all = append(all, message("x"))
	}
	return all
}

func TestACallEndsWithItsTimeAndWithItsCaller(t *testing.T) {
	waits := client(func(r *http.Request) (int, string, error) {
		<-r.Context().Done()
		return 0, "", r.Context().Err()
	})
	c := hooks.New(hooks.Options{Timeout: time.Millisecond, Client: waits})
	if _, err := ask(t, c, shop("shop", true), "x"); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("no answer in time: got %v, want %v", err, skein.ErrUnavailable)
	}
	if _, err := ask(t, c, shop("shop", false), "x"); err != nil {
		t.Errorf("no answer in time, and the hook lets pass then: got %v", err)
	}
	calls := 0
	ctx, leave := context.WithCancel(t.Context())
	c = hooks.New(hooks.Options{Timeout: long, Client: client(func(r *http.Request) (int, string, error) {
		calls++
		if r.Context().Err() == nil {
			leave()
		}
		return waits(r)
	})})
	for range 7 {
		if a := c.Ask(ctx, shop("shop", false), []skein.Question{message("x")})[0]; !errors.Is(a.Err, context.Canceled) {
			t.Errorf("the caller left: got %v, want %v", a.Err, context.Canceled)
		}
	}
	if calls != 7 {
		t.Errorf("callers that left opened the breaker: %d calls of 7", calls)
	}
}

func TestACallerWhoLeavesDoesNotKeepABreakerOpen(t *testing.T) {
	var now atomic.Int64
	leave := func() {}
	down := true
	c := hooks.New(hooks.Options{
		Timeout: long, Now: func() time.Time { return time.Unix(now.Load(), 0) },
		Client: client(func(r *http.Request) (int, string, error) {
			leave()
			if err := r.Context().Err(); err != nil || down {
				return 0, "", cmp.Or(err, errors.New("connection refused"))
			}
			return 204, "", nil
		}),
	})
	for range 5 {
		_, _ = ask(t, c, shop("shop", true), "x")
	}
	now.Add(5)
	down = false
	ctx, cancel := context.WithCancel(t.Context())
	leave = cancel
	if a := c.Ask(ctx, shop("shop", true), []skein.Question{message("x")})[0]; !errors.Is(a.Err, context.Canceled) {
		t.Errorf("the caller of the probe left: got %v, want %v", a.Err, context.Canceled)
	}
	leave = func() {}
	if _, err := ask(t, c, shop("shop", true), "x"); err != nil {
		t.Errorf("the next question, to an address that answers again: got %v", err)
	}
}

func TestCallsThatWaitForASlotDoNotOpenABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		c := hooks.New(hooks.Options{Timeout: 500 * time.Millisecond, Registerer: registry, Client: client(func(r *http.Request) (int, string, error) {
			select {
			case <-time.After(300 * time.Millisecond): // well within the time of a call
				return 204, "", nil
			case <-r.Context().Done():
				return 0, "", r.Context().Err()
			}
		})})
		c.Ask(t.Context(), shop("shop", true), append(make64(), make64()...))
		for result, want := range map[string]float64{"pass": hooks.CallsAtOnce, "busy": hooks.CallsAtOnce, "timeout": 0} {
			if got := count(t, registry, "skein_hook_calls_total", result); got != want {
				t.Errorf("twice as many questions as slots: got %v of result %s, want %v", got, result, want)
			}
		}
		if _, err := ask(t, c, shop("shop", true), "x"); err != nil {
			t.Errorf("the question after them: got %v", err)
		}
	})
}
