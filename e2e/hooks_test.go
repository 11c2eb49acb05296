package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// hookBackend is a backend that answers before-hooks. It rejects what says "reject", and replaces "bad".
type hookBackend struct {
	*httptest.Server

	mu     sync.Mutex
	secret *standardwebhooks.Webhook // nil: none is expected
	asked  []string                  // type and text of each call
	faults []string
}

func newHookBackend(t *testing.T) *hookBackend {
	t.Helper()
	b := &hookBackend{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *hookBackend) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return
	}
	var event struct {
		Type string
		Data struct{ Message struct{ Text string } }
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := json.Unmarshal(body, &event); err != nil || b.secret == nil || b.secret.Verify(body, in.Header) != nil {
		b.faults = append(b.faults, fmt.Sprintf("%v: cannot read or verify %v %s", err, in.Header, body))
	}
	text := event.Data.Message.Text
	b.asked = append(b.asked, event.Type+" "+text)
	switch {
	case strings.Contains(text, "reject"):
		_, _ = io.WriteString(w, `{"verdict":"reject","reason":"no ads, please"}`)
	case strings.Contains(text, "bad"):
		_, _ = io.WriteString(w, `{"verdict":"replace","message":{"text":"***"}}`)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// set makes an app ask the backend before something, and refuse what it does not answer.
func (b *hookBackend) set(t *testing.T, op operator, a *app, what, rest string) {
	t.Helper()
	got := op.must(t, "PUT", "/admin/apps/"+a.ID+"/hooks/"+what, `{"url":"`+b.URL+`","timeout_ms":2000`+rest+`}`)
	if secret, ok := got.field("secret").(string); ok {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		b.secret = hook
		b.mu.Unlock()
	}
}

// The backend of an app is asked before a message is sent or edited, by REST and by socket: it replaces and
// rejects. An app whose hook is down is told so, and no other app notices.
func TestABackendDecidesBeforeAMessageIsSent(t *testing.T) {
	t.Parallel()
	b := newHookBackend(t)
	s := strictServer.get(t)
	a, other := createApp(t, s), createApp(t, s)
	op := owner(t, s, "hooks"+a.ID)
	if got := op.call(t, "PUT", "/admin/apps/"+a.ID+"/hooks/message", `{"url":"http://169.254.169.254/"}`); got.Code != 4406 {
		t.Errorf("a hook at the metadata of the cloud: got %s, want 4406", got)
	}
	tom, jerry := a.user(t, "Tom"), a.user(t, "Jerry")
	conv := a.group(t, tom, jerry)
	b.set(t, op, a, "message", `,"on_failure":"refuse"`)
	c, j := a.login(t, tom, "phone"), a.login(t, jerry, "phone")
	// A busy machine may take the 2 s of a call: the client tries again, as it would.
	say := func(text, id string) (got *answer) {
		for range 20 {
			if got = c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text, "client_msg_id": id}); got.Code != 5030 {
				return got
			}
		}
		return got
	}
	asked := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.asked)
	}
	n := 0
	eventually(t, "the hook is in force", func() bool { n++; return say("hello", fmt.Sprint("h", n)).Code == 0 && asked() > 0 })
	first := say("bad", "b1").want(t, "replaced, by socket", 0)
	j.expectText(t, "***")
	if again := say("bad", "b1").want(t, "its retry", 0); again.text("msg_id") != first.text("msg_id") {
		t.Errorf("a retry: got %s, want %s", again, first)
	}
	if got := say("reject", "r1").want(t, "rejected, by socket", 4016); !strings.Contains(got.Message, "no ads, please") {
		t.Errorf("rejected: got %s, want the text of the backend", got)
	}
	byREST := func(method, path, text string) (got *answer) {
		for range 20 {
			if got = s.call(t, method, path, a.as(t, tom), obj{"type": -1, "text": text}); got.Code != 5030 {
				return got
			}
		}
		return got
	}
	byREST("POST", convPath(conv, "message"), "reject").want(t, "rejected, by REST", 4016)
	byREST("PUT", convPath(conv, "message/"+first.text("msg_id")), "reject").want(t, "an edit", 4016)
	before := asked()
	a.send(t, conv, tom, "reject") // by the backend
	if asked() != before {
		t.Errorf("the backend was asked about its own message")
	}
	b.mu.Lock()
	if len(b.faults) > 0 {
		t.Errorf("the backend: %q", b.faults)
	}
	b.mu.Unlock()

	b.Close()
	for i := range 8 {
		c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": fmt.Sprint("down ", i)}).want(t, "the backend is down", 5030)
	}
	if got := s.metric(t, "skein_hook_breakers_open"); got < 1 {
		t.Errorf("skein_hook_breakers_open: got %v, want at least 1", got)
	}
	oTom, oJerry := other.user(t, "Tom"), other.user(t, "Jerry")
	other.send(t, other.group(t, oTom, oJerry), oTom, "reject")
	b.set(t, op, a, "message", "")
	n = 0
	eventually(t, "what the hook does not answer happens", func() bool {
		n++
		return c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "reject", "client_msg_id": fmt.Sprint("o", n)}).Code == 0
	})
	op.must(t, "DELETE", "/admin/apps/"+a.ID+"/hooks/message", "")
	if got := op.must(t, "GET", "/admin/apps/"+a.ID+"/hooks", ""); len(got.field("data").([]any)) != 0 {
		t.Errorf("after it was removed: got %s", got)
	}
}
