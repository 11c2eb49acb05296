// Package ops holds the op table: everything one caller can do, one row each, with
// its name, REST route, request, answer, who may, and the use case behind it. REST
// routes, socket commands, OpenAPI, AsyncAPI and the reference are made from it;
// nothing else knows a path or a type string.
package ops

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Deps are what the rows call.
type Deps struct {
	Chat     *chat.Service
	Gate     *access.Gate
	Files    Files
	Presence Presence
	Zone     *time.Location // of the times that are answered as text
	Cursors  *cursor.Sealer

	needs func(op string) skein.Need // of the table; set by New
}

// seal is that of the cursors of an op in what it answers to the caller.
func (d Deps) seal(by skein.Actor, op string) cursor.Seal {
	return d.Cursors.For(by.App.ID, op, by.Client)
}

// view is a view as it is answered.
func (d Deps) view(by skein.Actor, v *skein.View) wire.View {
	v.Rights = d.Chat.Rights(by, v, d.needs)
	return wire.ViewOf(v, d.Zone)
}

// Files keeps uploads.
type Files interface {
	// Save keeps what r holds and answers its name; types are the extensions that
	// are allowed (nil: the default), maxBytes its limit.
	Save(ctx context.Context, r io.Reader, types []string, maxBytes int64) (name string, err error)
	// Remove removes a file that was saved.
	Remove(name string) (size int64, err error)
}

// Doc is one sentence in both languages.
type Doc struct{ EN, ZH string }

// Op is one row of the table.
type Op struct {
	Name   string // its socket type
	Method string // empty with Path: by socket alone, as what only a session can ask for
	Path   string // parameters in braces are fields of the request
	Doc    Doc
	Need   skein.Need // what a client must be; the server role may call all

	Request any // a zero value of the request struct
	Answer  any // a zero value of the answer; nil: true

	// QueryPost: a POST with an empty body and a where in the query means this op,
	// as the original document's example sends it.
	QueryPost bool
	// Multipart: the body is a form with the field "file"; REST alone.
	Multipart bool
	// CountsAsSend: the call counts against its client's send rate, as one message.
	// Those that cost more take the rest by Gate.Charge or Gate.Debit; see cost.go.
	CountsAsSend bool

	call func(ctx context.Context, by skein.Actor, decode func(any) error) (any, error)
	// callAll does n calls at once, of which read fills the request struct and admit
	// counts one that goes to a conversation; nil: one after the other is as good.
	callAll func(ctx context.Context, by skein.Actor, n int, read func(i int, in any) error, admit func(conv strict.ID) error) []result
}

// Socket reports whether the op can be called by socket: what a client may do by
// REST it may do by socket.
func (o *Op) Socket() bool { return o.Need != skein.NeedServer && !o.Multipart }

// REST reports whether the op has a REST route.
func (o *Op) REST() bool { return o.Path != "" }

// Table is the rows, ready to be called. Safe for concurrent use.
type Table struct {
	deps   Deps
	rows   []*Op
	byName map[string]*Op
}

// CallTime bounds one call; beyond it the answer is 5030.
const CallTime = 30 * time.Second

// New is the table over its use cases.
func New(deps Deps) *Table {
	t := &Table{deps: deps, byName: make(map[string]*Op)}
	deps.needs = func(op string) skein.Need { return t.byName[op].Need }
	for _, rows := range [][]*Op{
		userOps(deps),
		convOps(deps),
		inboxOps(deps),
		positionOps(deps),
		memberOps(deps),
		roleOps(deps),
		messageOps(deps),
		changeOps(deps),
		presenceOps(deps),
		fileOps(deps),
	} {
		t.rows = append(t.rows, rows...)
	}
	for _, op := range t.rows {
		t.byName[op.Name] = op
	}
	return t
}

// Rows are the ops in the order of the reference.
func (t *Table) Rows() []*Op { return t.rows }

// Call runs a socket command, for as long as ctx lasts: data is a JSON object, nil an
// empty one. It answers JSON.
func (t *Table) Call(ctx context.Context, by skein.Actor, name string, data []byte) ([]byte, error) {
	op := t.byName[name]
	if op == nil || !op.Socket() {
		return nil, skein.Malformed("type", "unknown command")
	}
	by, err := t.follow(ctx, by)
	if err != nil {
		return nil, err
	}
	return t.do(ctx, by, op, func(in any) error { return strict.Decode(data, in) })
}

// follow gives a session the settings that its app has now.
func (t *Table) follow(ctx context.Context, by skein.Actor) (skein.Actor, error) {
	app, err := t.deps.Gate.App(ctx, by.App.ID)
	by.App = app
	return by, err
}

// Do runs an op for a caller; decode fills the request struct it is given. It
// answers JSON. Errors: skein.ErrForbidden when the caller may not call the op at
// all, skein.ErrRateLimited, those of decode and of the use case.
func (t *Table) Do(ctx context.Context, by skein.Actor, op *Op, decode func(any) error) ([]byte, error) {
	if !op.Multipart { // an upload takes as long as it takes; rest sees that it goes on
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, CallTime)
		defer cancel()
	}
	return t.do(ctx, by, op, decode)
}

// do is Do for as long as ctx lasts.
func (t *Table) do(ctx context.Context, by skein.Actor, op *Op, decode func(any) error) ([]byte, error) {
	by, err := entitle(by, op)
	if err != nil {
		return nil, err
	}
	if err := t.admit(by, op); err != nil {
		return nil, err
	}
	answer, err := op.call(ctx, by, decode)
	if err != nil {
		return nil, err
	}
	return encode(answer)
}

// entitle is the caller with what the op needs of it. Errors: skein.ErrForbidden.
func entitle(by skein.Actor, op *Op) (skein.Actor, error) {
	if !by.Server() && (op.Need == skein.NeedServer || !by.MayDo(op.Name)) {
		return by, skein.ErrForbidden
	}
	by.Need = op.Need
	return by, nil
}

// admit counts the call against the sender's rate. Errors: skein.ErrRateLimited.
func (t *Table) admit(by skein.Actor, op *Op) error {
	if !op.CountsAsSend {
		return nil
	}
	return t.deps.Gate.Charge(by, 1)
}

func encode(answer any) ([]byte, error) {
	if a, ok := answer.(interface{ AppendJSON([]byte) []byte }); ok {
		return a.AppendJSON(nil), nil
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return out, nil
}

// row makes an op of a function from its request to its answer.
func row[In any](op Op, call func(ctx context.Context, by skein.Actor, in In) (any, error)) *Op {
	op.Request = *new(In)
	op.call = func(ctx context.Context, by skein.Actor, decode func(any) error) (any, error) {
		var in In
		if err := decode(&in); err != nil {
			return nil, err
		}
		return call(ctx, by, in)
	}
	return &op
}

// each is the items as they are answered; never nil, which would be null.
func each[T, U any](items []T, answered func(T) U) []U {
	out := make([]U, 0, len(items))
	for _, item := range items {
		out = append(out, answered(item))
	}
	return out
}

// done answers true to what went well.
func done(err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return wire.Done, nil
}

// oneself is the client that a call acts for: the backend names one, a client is
// itself and may leave it out. Errors: skein.ErrMissing, skein.ErrInvalidClientID,
// skein.ErrForbidden.
func oneself(by skein.Actor, field string, named strict.ID) (string, error) {
	if by.Server() {
		if named == "" {
			return "", skein.Missing(field)
		}
		return string(named), checkID(by, field, named)
	}
	if named != "" && string(named) != by.Client {
		return "", skein.About(skein.ErrForbidden, field)
	}
	return by.Client, nil
}

// checkID holds an id to the rule of the caller's app.
func checkID(by skein.Actor, field string, id strict.ID) error {
	return request.CheckClientID(field, id, by.App.Settings.RelaxedClientIDs)
}
