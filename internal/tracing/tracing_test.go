package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/skein-im/skein"
)

// collector keeps the spans that it is sent.
type collector struct {
	*httptest.Server

	mu    sync.Mutex
	spans []span
	block chan struct{} // not nil: it answers when this is closed
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.block != nil {
			<-c.block
		}
		var in request
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.spans = append(c.spans, in.ResourceSpans[0].ScopeSpans[0].Spans...)
	}))
	t.Cleanup(c.Close)
	return c
}

func options(endpoint string) Options {
	return Options{
		Endpoint: endpoint, Sample: 1, Random: rand.New(rand.NewPCG(1, 2)).Uint64, Client: &http.Client{},
		Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	}
}

// counted are the spans by what became of them.
func counted(t *testing.T, e *Tracer, what string) float64 {
	t.Helper()
	families, err := e.opts.Registerer.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == what {
			return valueOf(m)
		}
	}
	return -1
}

func valueOf(m *dto.Metric) float64 { return m.GetCounter().GetValue() }

func TestACallIsOneTraceUnderTheIDOfItsRequest(t *testing.T) {
	c := newCollector(t)
	tracer := New(options(c.URL))
	const id = "0d3b6f0a-9a3e-4a53-8a26-0b1f1f0a9c11"
	ctx, call := tracer.Call(t.Context(), "msg.send", id)
	ctx, commit := Start(ctx, "store commit")
	commit.Count("messages", 2)
	commit.End(0)
	lane := tracer.Follow(From(ctx), "lane", time.Now())
	out := lane.Start("outboxes")
	out.End(0)
	lane.End(0)
	call.End(5030)
	tracer.Close(context.Background())
	want := strings.ReplaceAll(id, "-", "")
	names := map[string]span{}
	for _, s := range c.spans {
		names[s.Name] = s
		if s.TraceID != want {
			t.Errorf("span %s: trace %s, want %s", s.Name, s.TraceID, want)
		}
	}
	for child, parent := range map[string]string{"store commit": "msg.send", "lane": "store commit", "outboxes": "lane", "msg.send": ""} {
		if got, want := names[child].Parent, names[parent].SpanID; got != want || names[child].Name == "" {
			t.Errorf("span %q: parent %q, want that of %q, %q", child, got, parent, want)
		}
	}
	if got := names["msg.send"]; got.Status.Code != 2 || got.Kind != 2 {
		t.Errorf("msg.send: got %+v, want an error of a server", got)
	}
	if recorded, sent := counted(t, tracer, "recorded"), counted(t, tracer, "sent"); recorded != 4 || sent != 4 {
		t.Errorf("recorded %v, sent %v; want 4 each", recorded, sent)
	}
}

func TestTheTraceIDOfARequestID(t *testing.T) {
	for id, want := range map[string]string{
		"0d3b6f0a-9a3e-4a53-8a26-0b1f1f0a9c11": "0d3b6f0a9a3e4a538a260b1f1f0a9c11",
		"0D3B6F0A9A3E4A538A260B1F1F0A9C11":     "0d3b6f0a9a3e4a538a260b1f1f0a9c11",
		"order 7":                              "",
		"00000000-0000-0000-0000-000000000000": "", // no id of a trace
	} {
		sum := sha256.Sum256([]byte(id))
		if want == "" {
			want = hex.EncodeToString(sum[:16])
		}
		if got := IDOf(id); got.String() != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
}

func TestACollectorThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	c := newCollector(t)
	c.block = make(chan struct{})
	tracer := New(options(c.URL))
	const spans = 2 * maxWaiting
	for range spans { // returns although nothing is taken
		_, s := tracer.Call(t.Context(), "msg.send", "")
		s.End(0)
	}
	close(c.block)
	tracer.Close(context.Background())
	if recorded, sent := counted(t, tracer, "recorded"), counted(t, tracer, "sent"); recorded != spans || sent >= spans || sent == 0 {
		t.Errorf("recorded %v, sent %v; want %d recorded, and some of them dropped", recorded, sent, spans)
	}
}

func TestACollectorThatRefusesIsCounted(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	tracer := New(options(srv.URL))
	_, s := tracer.Call(t.Context(), "msg.send", "")
	s.End(0)
	tracer.Close(context.Background())
	if failed := counted(t, tracer, "failed"); failed != 1 {
		t.Errorf("failed %v, want 1", failed)
	}
}

// off is what a call does of tracing: its op, a send, a commit, a lane and its outboxes.
func off(ctx context.Context, tracer *Tracer) {
	ctx, call := tracer.Call(ctx, "msg.send", "id")
	from := From(ctx)
	_, commit := Start(ctx, "store commit")
	commit.Count("messages", 1)
	commit.End(0)
	lane := tracer.Follow(from, "lane", time.Time{})
	out := lane.Start("outboxes")
	out.Count("skein.sessions", 1)
	out.End(0)
	lane.End(0)
	call.End(0)
}

func TestTracingThatIsOffAllocatesNothing(t *testing.T) {
	never := New(func() Options { o := options("http://127.0.0.1:1"); o.Sample = 0; return o }())
	defer never.Close(context.Background())
	for name, tracer := range map[string]*Tracer{"off": nil, "not sampled": never} {
		if n := testing.AllocsPerRun(100, func() { off(t.Context(), tracer) }); n != 0 {
			t.Errorf("%s: %v allocations a call, want none", name, n)
		}
	}
	if (skein.Trace{}) != From(t.Context()) {
		t.Error("a context without a call has a trace")
	}
}

func BenchmarkOff(b *testing.B) {
	type key struct{}
	ctx := context.Background()
	for range 4 { // as deep as that of a call
		ctx = context.WithValue(ctx, key{}, 1) //nolint:fatcontext // on purpose
	}
	b.Run("off", func(b *testing.B) {
		for b.Loop() {
			off(ctx, nil)
		}
	})
	tracer := New(func() Options { o := options("http://127.0.0.1:1"); o.Sample = 0; return o }())
	defer tracer.Close(context.Background())
	b.Run("not sampled", func(b *testing.B) {
		for b.Loop() {
			off(ctx, tracer)
		}
	})
}
