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

// hookBackend is a backend that answers before-hooks. It rejects texts with "reject", clients with "Blocked" in
// their names and files with a virus, and replaces "bad".
type hookBackend struct {
	*httptest.Server

	files string // address of the server of messages, where files are read

	mu     sync.Mutex
	secret *standardwebhooks.Webhook // nil: none is expected
	asked  []string                  // type and text of each call
	down   bool                      // every call fails
	faults []string
}

func newHookBackend(t *testing.T, s *server) *hookBackend {
	t.Helper()
	b := &hookBackend{files: s.url("")}
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
		Data struct {
			Message   struct{ Text string }
			ClientID  string   `json:"client_id"`
			ClientIDs []string `json:"client_ids"`
			Path      string
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := json.Unmarshal(body, &event); err != nil || b.secret == nil || b.secret.Verify(body, in.Header) != nil {
		b.faults = append(b.faults, fmt.Sprintf("%v: cannot read or verify %v %s", err, in.Header, body))
	}
	text := event.Data.Message.Text
	b.asked = append(b.asked, event.Type+" "+text)
	who := fmt.Sprint(event.Data.ClientID, event.Data.ClientIDs)
	switch {
	case b.down:
		w.WriteHeader(http.StatusInternalServerError)
	case strings.Contains(text, "reject") || strings.Contains(who, "Blocked") || event.Type == "before.upload" && b.finds(event.Data.Path, "virus"):
		_, _ = io.WriteString(w, `{"verdict":"reject","reason":"no ads, please"}`)
	case strings.Contains(text, "bad"):
		_, _ = io.WriteString(w, `{"verdict":"replace","message":{"text":"***"}}`)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// finds reports whether an uploaded file can be read and has a text in it. A server that waits no longer for the
// answer has removed the file.
func (b *hookBackend) finds(path, text string) bool {
	res, err := http.Get(b.files + path)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && strings.Contains(string(content), text)
}

// answered makes a call until it is neither too fast nor without an answer of the hook: a busy machine may take the
// 2 s of a question.
func answered(t *testing.T, do func() *answer) (got *answer) {
	t.Helper()
	eventually(t, "an answer of the hook", func() bool {
		got = do()
		return got.Code != 5030 && got.Code != 4290
	})
	return got
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
	s := strictServer.get(t)
	b := newHookBackend(t, s)
	a, other := createApp(t, s), createApp(t, s)
	op := owner(t, s, "hooks"+a.ID)
	if got := op.call(t, "PUT", "/admin/apps/"+a.ID+"/hooks/message", `{"url":"http://169.254.169.254/"}`); got.Code != 4406 {
		t.Errorf("a hook at the metadata of the cloud: got %s, want 4406", got)
	}
	tom, jerry := a.user(t, "Tom"), a.user(t, "Jerry")
	conv := a.group(t, tom, jerry)
	b.set(t, op, a, "message", `,"on_failure":"refuse"`)
	c, j := a.login(t, tom, "phone"), a.login(t, jerry, "phone")
	say := func(text, id string) *answer {
		return answered(t, func() *answer {
			return c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text, "client_msg_id": id})
		})
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
	byREST := func(method, path, text string) *answer {
		return answered(t, func() *answer { return s.call(t, method, path, a.as(t, tom), obj{"type": -1, "text": text}) })
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
	b.down = true
	b.mu.Unlock()
	eventually(t, "skein_hook_breakers_open is at least 1", func() bool {
		c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "hello"}).want(t, "the backend is down", 5030)
		return s.metric(t, "skein_hook_breakers_open") >= 1
	})
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

// The backend of an app is asked before members are added, a conversation is created, a client logs in, and a file
// is kept, whose content it reads.
func TestABackendDecidesAboutMembersLoginsAndUploads(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := createApp(t, s)
	op := owner(t, s, "before"+a.ID)
	tom, jerry, blocked := a.user(t, "Tom"), a.user(t, "Jerry"), a.user(t, "Blocked")
	conv := a.group(t, tom, jerry)
	as := a.as(t, tom)
	login := func(client string) *answer {
		c, got, err := a.tryLogin(a.token(t, client), client, "phone")
		if c != nil {
			c.Drop()
		}
		if err != nil { // too many handshakes of this address
			return &answer{Code: 4290}
		}
		return got
	}
	for _, step := range []struct {
		hook string
		good func() *answer
		bad  func() *answer
	}{
		{
			"conversation",
			func() *answer {
				return s.call(t, "POST", "/im/conversations", as, obj{"client_id": tom, "to_client_ids": []string{jerry}, "conv_type": 3})
			},
			func() *answer {
				return s.call(t, "POST", "/im/conversations", as, obj{"client_id": tom, "to_client_ids": []string{blocked}, "conv_type": 3})
			},
		},
		{
			"members",
			func() *answer {
				return s.call(t, "POST", convPath(conv, "members"), as, obj{"client_ids": []string{jerry}})
			},
			func() *answer {
				return s.call(t, "POST", convPath(conv, "members"), as, obj{"client_ids": []string{blocked}})
			},
		},
		{
			"login",
			func() *answer { return login(jerry) },
			func() *answer { return login(blocked) },
		},
		{
			"upload",
			func() *answer { return s.upload(t, as, multipartFile{"file", "a.txt", []byte("words\n")}) },
			func() *answer { return s.upload(t, as, multipartFile{"file", "a.txt", []byte("a virus\n")}) },
		},
	} {
		b := newHookBackend(t, s)
		b.set(t, op, a, step.hook, `,"on_failure":"refuse"`)
		eventually(t, "the hook before "+step.hook+" is in force", func() bool { return step.bad().Code == 4016 })
		answered(t, step.good).want(t, "what the hook before "+step.hook+" passes", 0)
		b.mu.Lock()
		if len(b.faults) > 0 {
			t.Errorf("before %s: %q", step.hook, b.faults)
		}
		b.mu.Unlock()
	}
}
