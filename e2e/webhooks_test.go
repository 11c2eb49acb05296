package e2e

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is a backend that takes webhooks over HTTPS and verifies them with the library of Standard
// Webhooks. It fails the first calls that have no event of a call that failed before: so each event fails
// at most once, and comes again after the first pause of the schedule.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	hooks  map[string]*standardwebhooks.Webhook // by path
	types  map[string]bool                      // of the events that came at /all
	fail   int                                  // calls that are yet to fail
	failed map[string]bool                      // ids of events that failed
	faults []string
	seqs   map[string][]int64 // by conversation, of messages in the order in which they came first
	known  map[string]bool    // ids of events
}

// receivedEvent is an event, with what this test looks at in a message.sent.
type receivedEvent struct {
	ID, Type string
	Data     struct {
		ConvID string `json:"conv_id"`
		Seq    int64
	}
}

func newReceiver(t *testing.T, fail int) *receiver {
	t.Helper()
	r := &receiver{hooks: map[string]*standardwebhooks.Webhook{}, types: map[string]bool{}, fail: fail, failed: map[string]bool{}, seqs: map[string][]int64{}, known: map[string]bool{}}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	return r
}

// trusted makes the server trust the receiver's certificate.
func (r *receiver) trusted(t *testing.T) option {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receiver.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(s *server) { s.env = append(s.env, "SSL_CERT_FILE="+path) }
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil { // the server was killed
		return
	}
	if hook := r.hooks[in.URL.Path]; hook == nil || hook.Verify(body, in.Header) != nil {
		r.faults = append(r.faults, fmt.Sprintf("cannot verify %v %s", in.Header, body))
	}
	var one struct{ Type string }
	if err := json.Unmarshal(body, &one); err != nil {
		r.faults = append(r.faults, fmt.Sprintf("%s: %v", body, err))
	}
	contract.hook(one.Type, body)
	if in.URL.Path == "/all" {
		r.types[one.Type] = true
		return
	}
	var batch struct{ Data []receivedEvent }
	var each struct{ Data []json.RawMessage }
	if err := errors.Join(json.Unmarshal(body, &batch), json.Unmarshal(body, &each)); err != nil {
		r.faults = append(r.faults, fmt.Sprintf("%s: %v", body, err))
	}
	for i, e := range batch.Data {
		contract.hook(e.Type, each.Data[i])
	}
	if r.refuses(batch.Data) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, e := range batch.Data {
		if e.Type == "message.sent" && !r.known[e.ID] {
			r.known[e.ID] = true
			r.seqs[e.Data.ConvID] = append(r.seqs[e.Data.ConvID], e.Data.Seq)
		}
	}
}

// refuses reports whether a call is to fail. The caller holds mu.
func (r *receiver) refuses(events []receivedEvent) bool {
	if r.fail == 0 || slices.ContainsFunc(events, func(e receivedEvent) bool { return e.Type != "message.sent" || r.failed[e.ID] }) {
		return false
	}
	r.fail--
	for _, e := range events {
		r.failed[e.ID] = true
	}
	return true
}

// expect lets calls to a path be verified with the secret of an endpoint that was made.
func (r *receiver) expect(t *testing.T, path string, made adminAnswer) {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(fmt.Sprint(made.field("secret")))
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks[path] = hook
}

// allHookEvents are the events that doEverything brings about, and the message.sent of any message.
var allHookEvents = []string{
	"message.sent", "message.changed", "message.recalled", "recipients.offline",
	"conversation.created", "conversation.updated", "conversation.deleted", "members.added", "members.removed", "member.updated",
	"receipts.updated", "users.online", "users.offline",
	"user.created", "user.updated", "user.banned", "user.unbanned", "user.logged_out", "user.deleted", "user.erased",
}

// doEverything does something for each event of webhooks.
func (a *app) doEverything(t *testing.T) {
	t.Helper()
	for _, id := range []string{"Hook", "Line", "Sinker"} {
		a.must(t, "POST", "/im/users", obj{"client_id": id})
	}
	a.must(t, "PUT", userPath("Hook"), obj{"ext": obj{"nickname": "Captain"}})
	a.must(t, "POST", userPath("Hook", "ban"), obj{"reason": "spam"})
	a.must(t, "DELETE", userPath("Hook", "ban"), nil)
	a.must(t, "POST", userPath("Hook", "logout"), obj{"device_id": "old"})
	conv := a.group(t, "Hook", "Line")
	a.must(t, "PUT", convPath(conv, "members", "Line"), obj{"nickname": "Lena"})
	a.must(t, "POST", convPath(conv, "mute"), obj{"on": 1})
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{"Sinker"}})
	said := a.say(t, conv, "Hook", "first", nil).text("msg_id")
	a.must(t, "POST", convPath(conv, "message", said, "reactions"), obj{"emoji": "👍", "client_id": "Line"})
	a.must(t, "POST", convPath(conv, "message", said, "recall"), nil)
	a.say(t, conv, "Sinker", "to be erased", nil)
	a.must(t, "POST", convPath(conv, "leave"), obj{"client_id": "Line"})
	a.must(t, "DELETE", userPath("Sinker")+"?messages=erase", nil)
	a.must(t, "DELETE", convPath(a.group(t, "Hook", "Line")), nil)
}

// missing are the events that did not come at /all.
func (r *receiver) missing() (types []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, typ := range allHookEvents {
		if !r.types[typ] {
			types = append(types, typ)
		}
	}
	return types
}

// took counts the messages that came.
func (r *receiver) took() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.known)
}

// Every message that was acked arrives at a receiver that fails, while the server is killed, and those of a
// conversation in their order. Every kind of event arrives, each as its schema says. SKEIN_WEBHOOK_EVENTS is how many messages are sent.
func TestWebhooksLoseNothingWhateverDies(t *testing.T) {
	t.Parallel()
	total := 60
	if text := os.Getenv("SKEIN_WEBHOOK_EVENTS"); text != "" {
		var err error
		if total, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	r := newReceiver(t, 2)
	s := start(t, withArgs("--outbound-allow", "127.0.0.0/8", "--send-rate=-1", "--rest-rate=-1"), r.trusted(t))
	a, by := demoApp(s), owner(t, s, "owner")
	hooks := "/admin/apps/" + a.ID + "/webhooks"
	if got := by.call(t, "POST", hooks, `{"url":"http://169.254.169.254/latest/meta-data/"}`); got.Code != 4406 {
		t.Errorf("a webhook to the metadata of the cloud: got %s, want 4406", got)
	}
	every, err := json.Marshal(allHookEvents)
	if err != nil {
		t.Fatal(err)
	}
	r.expect(t, "/all", by.must(t, "POST", hooks, `{"url":"`+r.URL+`/all","rate":1000,"events":`+string(every)+`}`))
	t.Cleanup(func() {
		if missing := r.missing(); t.Failed() && len(missing) > 0 {
			t.Logf("events that did not come: %v", missing)
		}
	})
	a.doEverything(t)
	talk := a.group(t, "Hook", "Line")
	came := func(typ string) {
		t.Helper()
		eventually(t, typ+" arrives", func() bool { return !slices.Contains(r.missing(), typ) })
	}
	eventually(t, "receipts.updated arrives", func() bool { // nodes collect receipts at most two seconds after somebody asks for them
		a.send(t, talk, "Hook", "read me")
		a.read(t, "Line", talk, nil)
		return !slices.Contains(r.missing(), "receipts.updated")
	})
	phone := a.login(t, "Line", "phone")
	came("users.online")
	phone.Drop()
	came("users.offline")
	made := by.must(t, "POST", hooks, `{"url":"`+r.URL+`/skein","events":["message.sent"],"batch":5,"ordered":true}`)
	r.expect(t, "/skein", made)
	id := fmt.Sprint(made.field("webhook_id"))
	if got := by.must(t, "POST", hooks+"/"+id+"/test", ""); got.field("delivered") != true {
		t.Errorf("a test of the endpoint: got %s, want it delivered", got)
	}
	convs := []string{a.group(t, "Tom", "Jerry"), a.group(t, "Tom", "Jerry"), a.group(t, "Tom", "Jerry")}
	took := 0
	for i := range total {
		a.send(t, convs[i%len(convs)], "Tom", fmt.Sprint(i))
		if i == total/3 || i == 2*total/3 {
			eventually(t, "more messages arrive", func() bool { return r.took() > took })
			s.Kill(t)
			took = r.took()
			s.Restart(t)
		}
	}
	if got := by.must(t, "GET", hooks+"/"+id+"/failed?dead=0&limit=200", ""); got.field("data") == nil {
		t.Errorf("the failed calls that wait: got %s", got)
	}
	eventually(t, "all messages arrive", func() bool { return r.took() >= total })
	eventually(t, "events of every type arrive", func() bool { return len(r.missing()) == 0 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail > 0 {
		t.Errorf("the receiver failed too few calls: %d are left", r.fail)
	}
	if len(r.faults) > 0 {
		t.Errorf("%d calls were wrong: %s", len(r.faults), strings.Join(r.faults[:min(len(r.faults), 3)], "\n"))
	}
	for conv, seqs := range r.seqs {
		if !slices.IsSorted(seqs) || seqs[0] != 1 || int(seqs[len(seqs)-1]) != len(seqs) {
			t.Errorf("conversation %s: got the seqs %v, want 1 to %d in order", conv, seqs, total/len(convs))
		}
	}
}
