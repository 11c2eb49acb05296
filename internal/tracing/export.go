package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

// exporter sends spans as OTLP/HTTP in JSON. The library's own exporter speaks protobuf, and
// brings gRPC along.
type exporter struct {
	url    string
	node   string
	client *http.Client
	log    *slog.Logger
	warned rate.Sometimes
	spans  *prometheus.CounterVec
}

func newExporter(o Options) *exporter {
	e := &exporter{
		url: target(o.Endpoint), node: o.Node, client: o.Client, log: o.Log, warned: rate.Sometimes{First: 1, Interval: time.Minute},
		spans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "skein_trace_spans_total",
			Help: "Spans of traced calls: recorded, sent to the collector, and not taken by it (failed). What was recorded and is neither was dropped, because too many waited.",
		}, []string{"what"}),
	}
	o.Registerer.MustRegister(e.spans)
	for _, what := range []string{"recorded", "sent", "failed"} {
		e.spans.WithLabelValues(what) // so that each is shown from the start
	}
	return e
}

// counting counts the spans that end.
type counting struct {
	e *exporter
	sdk.SpanProcessor
}

// OnEnd implements sdk.SpanProcessor.
func (c counting) OnEnd(s sdk.ReadOnlySpan) {
	c.e.spans.WithLabelValues("recorded").Inc()
	c.SpanProcessor.OnEnd(s)
}

// ExportSpans implements sdk.SpanExporter. What fails is not sent again.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	what := "sent"
	if err := e.send(ctx, spans); err != nil {
		what = "failed"
		e.warned.Do(func() { e.log.Warn("the collector of --otlp-endpoint takes no traces", slog.Any("error", err)) })
	}
	e.spans.WithLabelValues(what).Add(float64(len(spans)))
	return nil // the library would log it once more
}

// Shutdown implements sdk.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body, err := json.Marshal(e.request(spans))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()                                       //nolint:errcheck // it is only read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", e.url, res.Status)
	}
	return nil
}

// The JSON of OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []span `json:"spans"`
	}
	span struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		Parent     string     `json:"parentSpanId,omitempty"`
		Name       string     `json:"name"`
		Kind       int        `json:"kind"`
		Start      string     `json:"startTimeUnixNano"`
		End        string     `json:"endTimeUnixNano"`
		Attributes []keyValue `json:"attributes,omitempty"`
		Status     status     `json:"status"`
	}
	status struct {
		Code int `json:"code,omitempty"` // 2: error
	}
	keyValue struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

func (e *exporter) request(spans []sdk.ReadOnlySpan) request {
	about := []attribute.KeyValue{attribute.String("service.name", "skein")}
	if e.node != "" {
		about = append(about, attribute.String("service.instance.id", e.node))
	}
	var scope scopeSpans
	scope.Scope.Name = "skein"
	for _, s := range spans {
		out := span{
			TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(), Name: s.Name(), Kind: int(s.SpanKind()),
			Start: strconv.FormatInt(s.StartTime().UnixNano(), 10), End: strconv.FormatInt(s.EndTime().UnixNano(), 10),
			Attributes: keyValues(s.Attributes()),
		}
		if s.Parent().HasSpanID() {
			out.Parent = s.Parent().SpanID().String()
		}
		if s.Status().Code != 0 {
			out.Status.Code = 2
		}
		scope.Spans = append(scope.Spans, out)
	}
	return request{[]resourceSpans{{Resource: resource{keyValues(about)}, ScopeSpans: []scopeSpans{scope}}}}
}

func keyValues(all []attribute.KeyValue) (out []keyValue) {
	for _, a := range all {
		value := map[string]any{"stringValue": a.Value.AsString()}
		if a.Value.Type() == attribute.INT64 {
			value = map[string]any{"intValue": strconv.FormatInt(a.Value.AsInt64(), 10)}
		}
		out = append(out, keyValue{string(a.Key), value})
	}
	return out
}
