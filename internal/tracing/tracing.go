// Package tracing records how calls pass through the server, as OpenTelemetry spans, and sends
// them to a collector. It alone knows OpenTelemetry. A nil Tracer records nothing, and a nil Span
// can be used like others, so that callers need no conditions.
package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/skein-im/skein"
)

// Options configure a Tracer.
type Options struct {
	Endpoint string  // URL of a collector that speaks OTLP/HTTP; /v1/traces is added if it has no path
	Sample   float64 // the part of all calls that is traced, 0 to 1
	Node     string  // name of this node; may be empty

	Random     func() uint64 // for sampling and ids
	Client     *http.Client
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Bounds of what waits for the collector. Beyond them spans are dropped: calls never wait.
const (
	maxWaiting  = 4096 // spans
	maxBatch    = 512
	batchEvery  = 2 * time.Second
	exportLimit = 10 * time.Second
	maxName     = 64 // bytes of a span's name: a client may ask for an op that does not exist
)

// Tracer begins traces. Safe for concurrent use.
type Tracer struct {
	opts     Options
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New starts a tracer; Close ends it.
func New(o Options) *Tracer {
	t := &Tracer{opts: o}
	out := newExporter(o)
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // Call decides
		sdk.WithIDGenerator(ids{o.Random}),
		sdk.WithSpanProcessor(counting{out, sdk.NewBatchSpanProcessor(out, sdk.WithMaxQueueSize(maxWaiting),
			sdk.WithMaxExportBatchSize(maxBatch), sdk.WithBatchTimeout(batchEvery), sdk.WithExportTimeout(exportLimit))}),
	)
	t.tracer = t.provider.Tracer("skein")
	return t
}

// Close sends what waits, until ctx ends.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		t.opts.Log.Warn("some traces were not sent", slog.Any("error", err))
	}
}

// Span is one step of a traced call; nil: the call is not traced.
type Span struct {
	tracer *Tracer
	span   trace.Span
}

type spanKey struct{}

// Call begins the trace of a call, if it is one of the sampled. The trace has the id of the
// request; see IDOf. An empty request id: a new one.
func (t *Tracer) Call(ctx context.Context, op, requestID string) (context.Context, *Span) {
	if t == nil || float64(t.opts.Random()>>11)/(1<<53) >= t.opts.Sample {
		return ctx, nil
	}
	var id trace.TraceID
	if requestID != "" {
		id = IDOf(requestID)
	} else {
		binary.BigEndian.PutUint64(id[:8], t.opts.Random())
		binary.BigEndian.PutUint64(id[8:], t.opts.Random()|1) // not all zero
	}
	// The library asks ids for the id of a trace without a parent.
	_, span := t.tracer.Start(context.WithValue(context.Background(), idKey{}, id), op[:min(len(op), maxName)], trace.WithSpanKind(trace.SpanKindServer))
	s := &Span{t, span}
	if requestID != "" {
		span.SetAttributes(attribute.String("skein.request_id", requestID))
	}
	return context.WithValue(ctx, spanKey{}, s), s
}

// Start begins a step of the traced call that ctx belongs to.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	s, _ := ctx.Value(spanKey{}).(*Span)
	if s == nil {
		return ctx, nil
	}
	child := s.Start(name)
	return context.WithValue(ctx, spanKey{}, child), child
}

// From is the step that ctx belongs to.
func From(ctx context.Context) skein.Trace {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s.Trace()
}

// Follow begins a step that follows from another one, also of another node, at a time.
func (t *Tracer) Follow(from skein.Trace, name string, at time.Time) *Span {
	if t == nil || from.IsZero() {
		return nil
	}
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: from.ID, SpanID: from.Span, TraceFlags: trace.FlagsSampled, Remote: true,
	}))
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(at)) //nolint:spancheck // Span.End ends it
	return &Span{t, span}                                         //nolint:spancheck // as above
}

// Start begins a step within s.
func (s *Span) Start(name string) *Span {
	if s == nil {
		return nil
	}
	_, span := s.tracer.tracer.Start(trace.ContextWithSpan(context.Background(), s.span), name) //nolint:spancheck // Span.End ends it
	return &Span{s.tracer, span}                                                                //nolint:spancheck // as above
}

// Trace names the step, for others to follow.
func (s *Span) Trace() skein.Trace {
	if s == nil {
		return skein.Trace{}
	}
	c := s.span.SpanContext()
	return skein.Trace{ID: c.TraceID(), Span: c.SpanID()}
}

// Count adds a number to the step.
func (s *Span) Count(name string, n int) {
	if s != nil {
		s.span.SetAttributes(attribute.Int(name, n))
	}
}

// Say adds a text to the step. It must be no content, token or key.
func (s *Span) Say(name, text string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(name, text))
	}
}

// End ends the step. code is that of its answer; zero: it succeeded.
func (s *Span) End(code int) {
	if s == nil {
		return
	}
	if code != 0 {
		s.span.SetAttributes(attribute.Int("skein.code", code))
	}
	if code == 1 || code >= 5000 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// IDOf is the trace id of a request id: its 16 bytes where it is a UUID or 32 hexadecimal digits,
// otherwise the first 16 bytes of its SHA-256.
func IDOf(requestID string) trace.TraceID {
	if len(requestID) == 36 || len(requestID) == 32 {
		if id, err := uuid.Parse(requestID); err == nil && id != uuid.Nil {
			return trace.TraceID(id)
		}
	}
	sum := sha256.Sum256([]byte(requestID))
	return trace.TraceID(sum[:16])
}

type idKey struct{}

// ids are the ids of spans, and of the traces that Call begins.
type ids struct{ random func() uint64 }

// NewIDs implements sdk.IDGenerator.
func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, _ := ctx.Value(idKey{}).(trace.TraceID) // Call sets it
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements sdk.IDGenerator.
func (g ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], g.random()|1) // not zero
	return id
}

// target is the URL that spans are sent to.
func target(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return endpoint
	}
	return strings.TrimRight(endpoint, "/") + "/v1/traces"
}
