package e2e

import (
	"encoding/json"
	"encoding/pem"
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
// Webhooks. It fails every second call until it failed often enough.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	hook   *standardwebhooks.Webhook // nil: none is expected
	calls  int
	fail   int // calls that are yet to fail
	faults []string
	seqs   map[string][]int64 // by conversation, of messages in the order in which they came first
	known  map[string]bool    // ids of events
}

func newReceiver(t *testing.T, fail int) *receiver {
	t.Helper()
	r := &receiver{fail: fail, seqs: map[string][]int64{}, known: map[string]bool{}}
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
	r.calls++
	if r.hook == nil || r.hook.Verify(body, in.Header) != nil {
		r.faults = append(r.faults, fmt.Sprintf("cannot verify %v %s", in.Header, body))
	}
	if r.fail > 0 && r.calls%2 == 0 {
		r.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var batch struct {
		Data []struct {
			ID, Type string
			Data     struct {
				ConvID string `json:"conv_id"`
				Seq    int64
			}
		}
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		r.faults = append(r.faults, fmt.Sprintf("%s: %v", body, err))
	}
	for _, e := range batch.Data {
		if e.Type == "message.sent" && !r.known[e.ID] {
			r.known[e.ID] = true
			r.seqs[e.Data.ConvID] = append(r.seqs[e.Data.ConvID], e.Data.Seq)
		}
	}
}

// took counts the messages that came.
func (r *receiver) took() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.known)
}

// Every message that was acked arrives at a receiver that fails, while the server is killed, and those of a
// conversation in their order. SKEIN_WEBHOOK_EVENTS is how many messages are sent.
func TestWebhooksLoseNothingWhateverDies(t *testing.T) {
	t.Parallel()
	total := 60
	if text := os.Getenv("SKEIN_WEBHOOK_EVENTS"); text != "" {
		var err error
		if total, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	r := newReceiver(t, 8)
	s := start(t, withArgs("--outbound-allow", "127.0.0.0/8", "--send-rate=-1", "--rest-rate=-1"), r.trusted(t))
	a, by := demoApp(s), owner(t, s, "owner")
	hooks := "/admin/apps/" + a.ID + "/webhooks"
	if got := by.call(t, "POST", hooks, `{"url":"http://169.254.169.254/latest/meta-data/"}`); got.Code != 4406 {
		t.Errorf("a webhook to the metadata of the cloud: got %s, want 4406", got)
	}
	made := by.must(t, "POST", hooks, `{"url":"`+r.URL+`/skein","events":["message.sent"],"batch":5,"ordered":true}`)
	hook, err := standardwebhooks.NewWebhook(fmt.Sprint(made.field("secret")))
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.hook = hook
	r.mu.Unlock()
	if got := by.must(t, "POST", hooks+"/"+fmt.Sprint(made.field("webhook_id"))+"/test", ""); got.field("delivered") != true {
		t.Errorf("a test of the endpoint: got %s, want it delivered", got)
	}
	convs := []string{a.group(t, "Tom", "Jerry"), a.group(t, "Tom", "Jerry"), a.group(t, "Tom", "Jerry")}
	for i := range total {
		a.send(t, convs[i%len(convs)], "Tom", fmt.Sprint(i))
		if i == total/3 || i == 2*total/3 {
			s.Kill(t)
			s.Restart(t)
		}
	}
	eventually(t, "all messages arrive", func() bool { return r.took() >= total })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) > 0 {
		t.Errorf("%d calls were wrong: %s", len(r.faults), strings.Join(r.faults[:min(len(r.faults), 3)], "\n"))
	}
	for conv, seqs := range r.seqs {
		if !slices.IsSorted(seqs) || seqs[0] != 1 || int(seqs[len(seqs)-1]) != len(seqs) {
			t.Errorf("conversation %s: got the seqs %v, want 1 to %d in order", conv, seqs, total/len(convs))
		}
	}
}
