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

	"github.com/skein-im/skein/internal/testclient"
)

// otlpSpan is what the test reads of a span of OTLP in JSON.
type otlpSpan struct {
	TraceID, SpanID, ParentSpanID, Name string
	Attributes                          []struct {
		Key   string
		Value struct{ IntValue, StringValue string }
	}
}

func (s otlpSpan) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.IntValue + a.Value.StringValue
		}
	}
	return ""
}

// otlpCollector takes traces by OTLP/HTTP.
type otlpCollector struct {
	*httptest.Server

	mu    sync.Mutex
	spans []otlpSpan // guarded by mu
}

func newOTLPCollector(t *testing.T) *otlpCollector {
	t.Helper()
	c := &otlpCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []otlpSpan }
			}
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range in.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// of are the spans of a trace, by name.
func (c *otlpCollector) of(trace string) map[string]otlpSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]otlpSpan{}
	for _, s := range c.spans {
		if s.TraceID == trace {
			found[s.Name] = s
		}
	}
	return found
}

// One server shows both: where a message goes, and that no caller makes a new series of metrics.
func TestAMessageIsTracedToItsOutboxesAndNamesMakeNoMetrics(t *testing.T) {
	t.Parallel()
	collector := newOTLPCollector(t)
	s := start(t, withArgs("--otlp-endpoint", collector.URL, "--trace-sample", "1"))
	a := demoApp(s)
	from, to := a.user(t, "from"), a.user(t, "to")
	conv := a.conv(t, 1, from, to)
	listener := a.login(t, to, "phone")
	const id = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	got := s.call(t, "POST", convPath(conv, "message"), a.server().with(headers{"request-id": id}), obj{"from_client": from, "type": -1, "text": "hi"})
	if got.Code != 0 || got.RequestID == nil || *got.RequestID != id {
		t.Fatalf("send: got %s", got.Raw)
	}
	if _, err := listener.Take(patience, func(f *testclient.Frame) bool { return f.Type == "msg.new" }); err != nil {
		t.Fatalf("msg.new: %v", err)
	}

	const mark = "hostilename"
	for i := range 50 {
		name := fmt.Sprintf("%s%d", mark, i)
		for _, path := range []string{"/" + name, "/im/users/" + name, "/storage/uploads/" + name} {
			fetch(t, s.url(path), headers{"app-id": name, "app-key": name, "request-id": name, "User-Agent": name, "Origin": "http://" + name})
		}
		if _, err := listener.Ask(name, obj{"conv_id": name}, patience); err != nil {
			t.Fatal(err)
		}
	}
	fetchBy(t, strings.ToUpper(mark), s.url("/im/users"), a.server())
	_, metrics := fetch(t, "http://"+s.Admin+"/metrics", nil)
	for line := range strings.Lines(string(metrics)) {
		if strings.Contains(strings.ToLower(line), mark) || strings.Contains(line, conv) {
			t.Errorf("a caller's text is in a metric: %s", line)
		}
	}
	s.Stop(t) // sends what waits

	spans := collector.of(strings.ReplaceAll(id, "-", ""))
	for child, parent := range map[string]string{"msg.send": "", "store commit": "msg.send", "lane": "msg.send", "outboxes": "lane"} {
		got, ok := spans[child]
		if !ok || got.ParentSpanID != spans[parent].SpanID {
			t.Errorf("span %q: got %+v, want one below %q", child, got, parent)
		}
	}
	if got := spans["outboxes"]; got.attribute("skein.members") != "2" || got.attribute("skein.sessions") != "1" {
		t.Errorf("outboxes: got %+v, want 2 members and 1 session", got)
	}
}
