// Package rest is the HTTP transport: it makes routes from the op table and puts every
// answer into one envelope. It does not decide what a call does or who may make it.
package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/tracing"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Options are the parts and limits of a Server.
type Options struct {
	Table *ops.Table
	Gate  *access.Gate
	// Operators makes this a server of the Admin API: operators call it, and no call names an
	// app. Gate is nil then. Nil: apps and their clients call.
	Operators *access.Operators

	Trust httpx.Trust // the proxies whose headers say where a request comes from

	// Routes are additional paths with their own handlers, by ServeMux pattern.
	Routes map[string]http.Handler
	// Downloads are additional paths whose answers may take long to send.
	Downloads map[string]http.Handler
	// Unrouted serves the requests that match no route; nil: NotFound.
	Unrouted http.Handler

	// Work divides the processor among apps: calls wait there for their turn. Nil: they
	// do not wait.
	Work *share.Gate

	Tracer *tracing.Tracer // nil: nothing is traced

	MaxBody int64 // bytes of a body that is no upload; default wire.MaxBody
	Limits  Limits

	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// maxHeader bounds the header block of a request, in bytes. The bound of the http.Server
// must be larger, so that this package can answer with the envelope.
const maxHeader = 16 << 10

// Server serves HTTP. Safe for concurrent use.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	held    held
	metrics metrics
}

// New makes a server for an op table.
func New(opts Options) *Server {
	opts.Limits = opts.Limits.withDefaults()
	if opts.MaxBody == 0 {
		opts.MaxBody = wire.MaxBody
	}
	if opts.Unrouted == nil {
		opts.Unrouted = http.HandlerFunc(NotFound)
	}
	s := &Server{
		opts: opts,
		mux:  http.NewServeMux(),
		held: newHeld(opts.Limits),
	}
	s.metrics = newMetrics(opts.Registerer, &s.held)
	s.route()
	return s
}

// route registers one handler for each path of the table, and the additional routes.
func (s *Server) route() {
	paths := map[string]endpoint{}
	for _, op := range s.opts.Table.Rows() {
		if !op.REST() {
			continue
		}
		if paths[op.Path] == nil {
			paths[op.Path] = endpoint{}
		}
		paths[op.Path].add(op)
	}
	for p, e := range paths {
		s.mux.Handle(p, s.serve(e))
	}
	for pattern, h := range s.opts.Routes {
		s.mux.Handle(pattern, h)
	}
	for pattern, h := range s.opts.Downloads {
		s.mux.Handle(pattern, s.patient(h))
	}
	s.mux.Handle("/", s.opts.Unrouted)
}

// NotFound answers that the path is unknown.
func NotFound(w http.ResponseWriter, r *http.Request) {
	httpx.WriteError(w, r, &skein.Fault{Err: wire.ErrUnknownPath, Detail: shown(r.URL.Path)})
}

// MethodNotAllowed answers that the path does not accept the method.
func MethodNotAllowed(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	httpx.WriteError(w, r, &skein.Fault{Err: wire.ErrMethod, Detail: r.Method + " (allowed: " + allow + ")"})
}

// shown is a path as an answer may repeat it: valid UTF-8, at most 100 bytes.
func shown(p string) string {
	const longest = 100
	if len(p) > longest {
		p = p[:longest] + "…"
	}
	return strings.ToValidUTF8(p, "�")
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Without this, a connection that pipelines calls keeps a core for the 10 ms that the
	// scheduler allows.
	runtime.Gosched()
	body := r.Body // a handler may replace r.Body
	defer s.drain(w, r, body)
	id := httpx.EnsureRequestID(w, r)
	defer s.recover(w, r, id)
	s.allowPage(w, r)
	if headerSize(r) > maxHeader {
		httpx.WriteError(w, r, wire.ErrHeaders)
		return
	}
	if p := r.URL.Path; !strings.HasPrefix(p, "/") || path.Clean(p) != p {
		NotFound(w, r) // ServeMux would redirect, or answer "*" itself
		return
	}
	if s.preflight(w, r) {
		return
	}
	s.mux.ServeHTTP(w, r)
}

// recover logs the panic of a handler and answers code 1.
func (s *Server) recover(w http.ResponseWriter, r *http.Request, id string) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	s.opts.Log.Error("call panicked", slog.String("request_id", id), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	httpx.WriteError(w, r, errPanicked)
}

func headerSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("Host: \r\n") + len(r.Host) + 4
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

// serve handles the calls of one path.
func (s *Server) serve(e endpoint) http.Handler {
	allow := e.allow()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := e.find(r)
		if op == nil {
			MethodNotAllowed(w, r, allow)
			return
		}
		started := time.Now()
		app, answer, err := s.call(w, r, op)
		s.metrics.observe(op.Name, err, time.Since(started))
		if err != nil {
			s.logFailure(w, r, op, err)
			if !errors.Is(err, skein.ErrTooSlow) { // a slow caller has had its time
				refuseSoon(w, r)
			}
			httpx.WriteError(w, r, err)
			return
		}
		s.answer(w, r, app, answer)
	})
}

// refuseSoon bounds how long an error answer waits for the rest of the body: net/http
// reads the body first, until its read deadline.
func refuseSoon(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second)) // only test recorders do not support it
	}
}

// answer sends an answer. It blocks while the caller is slow to receive it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, app string, data []byte) {
	if len(data) >= largeAnswer {
		n := 2 * int64(len(data)) // the envelope is another copy
		if !s.held.answers.Take(app, n, 0) {
			s.busy(app, "answers")
			httpx.WriteError(w, r, skein.ErrUnavailable)
			return
		}
		defer s.held.answers.Give(app, n)
	}
	httpx.WriteData(w, r, data)
}

// call runs one op for one request, and also returns the app of the caller.
func (s *Server) call(w http.ResponseWriter, r *http.Request, op *ops.Op) (app string, answer []byte, err error) {
	traced, span := s.opts.Tracer.Call(r.Context(), op.Name, w.Header().Get("X-Request-Id"))
	defer func() { span.End(codeOf(err)) }()
	ctx, pass := share.NewPass(traced)
	defer pass.Leave()
	pass.Enter(s.opts.Work, s.opts.Trust.From(r).Counted())
	shown, err := s.credentials(r)
	if err != nil {
		return "", nil, err
	}
	by, err := s.caller(ctx, w, r, shown)
	if err != nil {
		return "", nil, err
	}
	pass.Leave() // the body may arrive slowly
	by.English = wire.LangOf(r.Header.Get("Accept-Language")) == wire.English
	if op.Policy.Body == ops.BodyForm {
		answer, err = s.upload(w, r, by, shown, op)
	} else {
		answer, err = s.run(ctx, w, r, by, op, pass)
	}
	return by.AppID(), answer, err
}

// run reads the body of a call, then counts the call as running and runs it. Reading comes
// first because a caller may send slowly.
func (s *Server) run(ctx context.Context, w http.ResponseWriter, r *http.Request, by skein.Actor, op *ops.Op, pass *share.Pass) ([]byte, error) {
	if n := s.bodyRoom(r, op); n > 0 {
		if !s.held.bodies.Take(by.AppID(), n, 0) {
			s.busy(by.AppID(), "bodies")
			return nil, skein.ErrUnavailable
		}
		defer s.held.bodies.Give(by.AppID(), n)
	}
	body, err := s.readBody(w, r, op)
	if err != nil {
		return nil, err
	}
	defer strict.PutBuffer(body)
	query, err := queryOf(r, op)
	if err != nil {
		return nil, err
	}
	if !s.held.calls.Take(by.AppID(), 1, 0) {
		s.busy(by.AppID(), "calls")
		return nil, skein.ErrUnavailable
	}
	defer s.held.calls.Give(by.AppID(), 1)
	pass.Enter(s.opts.Work, by.AppID())
	return s.opts.Table.Do(ctx, by, op, func(in any) error {
		return strict.DecodeHTTP(*body, query, pathOf(r, op), in)
	})
}

// logFailure logs a failed call: internal errors as Error, unavailability as Warn, the
// rest as Debug.
func (s *Server) logFailure(w http.ResponseWriter, r *http.Request, op *ops.Op, err error) {
	level := slog.LevelDebug
	switch wire.CodeOf(err).Code {
	case 1:
		level = slog.LevelError
	case 5030:
		level = slog.LevelWarn
	}
	if r.Context().Err() != nil {
		level = slog.LevelDebug // the caller has gone
	}
	s.opts.Log.Log(r.Context(), level, "call failed", slog.String("op", op.Name),
		slog.String("request_id", httpx.EnsureRequestID(w, r)),
		slog.String("addr", s.opts.Trust.From(r).Addr.String()), slog.Any("error", err))
}
