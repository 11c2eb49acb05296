package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Table is the rows, ready to be called. Safe for concurrent use.
type Table struct {
	gate   *access.Gate // nil where operators alone call
	audit  Audit
	links  Links
	rows   []*Op
	byName map[string]*Op
}

// Audit is told of every call after it ended, refused ones included, with its error. It
// must be safe for concurrent use and must not block.
type Audit func(ctx context.Context, by skein.Actor, op string, err error)

// CallTime bounds one call; beyond it the answer is 5030.
const CallTime = 30 * time.Second

// Links are the links to uploads of apps whose files are private.
type Links interface {
	// Admit refuses a request of a client that names a file which the client may not open.
	Admit(ctx context.Context, by skein.Actor, request any) error
	// Refresh signs the links in an answer.
	Refresh(app *skein.App, answer []byte) []byte
}

// New is the table of these rows. gate may be nil for rows that operators alone call; audit may be nil,
// and links where no app has private files.
func New(gate *access.Gate, audit Audit, links Links, rows []*Op) *Table {
	t := &Table{gate: gate, audit: audit, links: links, rows: rows, byName: make(map[string]*Op, len(rows))}
	for _, op := range rows {
		t.byName[op.Name] = op
	}
	return t
}

// Rows are the ops in the order of the reference.
func (t *Table) Rows() []*Op { return t.rows }

// Op is the row of a name; nil: there is none.
func (t *Table) Op(name string) *Op { return t.byName[name] }

// Invoke runs an op for an entrance that has typed requests: with entitlement, rates and
// audit, without JSON. Errors: skein.ErrForbidden when the caller may not call the op at
// all, skein.ErrRateLimited, skein.ErrMissing for a required field that is empty, those
// of the use case.
func Invoke[In, Out any](ctx context.Context, t *Table, by skein.Actor, name Call[In, Out], in In) (out Out, err error) {
	op := t.byName[string(name)]
	if op == nil {
		return out, fmt.Errorf("invoke %s: no such op", string(name))
	}
	run, ok := op.run.(func(context.Context, skein.Actor, In) (Out, error))
	if !ok {
		return out, fmt.Errorf("invoke %s: the row has other types than %T and %T", op.Name, in, out)
	}
	ctx, cancel := op.limit(ctx)
	defer cancel()
	return invoke(ctx, t, by, op, run, func(into *In) error {
		*into = in
		return strict.Complete(into)
	})
}

// invoke is the way of every call, whichever entrance it came through. read fills the
// request once the caller may call the op.
func invoke[In, Out any](ctx context.Context, t *Table, by skein.Actor, op *Op, run func(context.Context, skein.Actor, In) (Out, error), read func(*In) error) (out Out, err error) {
	defer func() { t.audited(ctx, by, op, err) }()
	entitled, err := entitle(by, op)
	if err != nil {
		return out, err
	}
	if err := t.admit(entitled, op); err != nil {
		return out, err
	}
	var in In
	if err := read(&in); err != nil {
		return out, err
	}
	if op.Scope == ScopeApp {
		if err := op.permit(entitled, any(in)); err != nil {
			return out, err
		}
	}
	if t.signs(by) && by.Kind() == skein.KindClient {
		if err := t.links.Admit(ctx, by, in); err != nil {
			return out, err
		}
	}
	if op.Need == skein.NeedOperator {
		if err := permitFields(entitled, any(in)); err != nil {
			return out, err
		}
	}
	return run(ctx, entitled, in)
}

// signs reports whether the links to uploads are signed for a caller.
func (t *Table) signs(by skein.Actor) bool {
	return by.App != nil && by.App.Settings.PrivateFiles && t.links != nil
}

// answer writes an answer as JSON for a caller.
func answer[Out any](t *Table, by skein.Actor, out Out) ([]byte, error) {
	json, err := encode(out)
	if err == nil && t.signs(by) {
		json = t.links.Refresh(by.App, json)
	}
	return json, err
}

// entitle is the caller with the need of the op. Errors: skein.ErrForbidden.
func entitle(by skein.Actor, op *Op) (skein.Actor, error) {
	may := false
	switch by.Kind() {
	case skein.KindOperator:
		may = op.Need == skein.NeedOperator && op.roleOf(by) >= max(op.Role, skein.OperatorReadOnly)
	case skein.KindBackend:
		may = op.Need != skein.NeedOperator
	case skein.KindClient:
		may = op.Need != skein.NeedOperator && op.Need != skein.NeedServer && by.MayDo(op.Name)
	}
	if !may {
		return by, skein.ErrForbidden
	}
	by.Need = op.Need
	return by, nil
}

// roleOf is the greatest role with which an operator could call the op.
func (o *Op) roleOf(by skein.Actor) skein.OperatorRole {
	if o.Scope == ScopeInstallation {
		return by.Operator.Account.RoleIn("")
	}
	return by.Operator.Account.Highest()
}

// permit refuses an operator who has not the role in the app that the request names. Whether
// there is such an app makes no difference. Errors: skein.ErrForbidden.
func (o *Op) permit(by skein.Actor, request any) error {
	about, ok := request.(interface{ InApp() string })
	if !ok {
		return fmt.Errorf("op %s: the request names no app", o.Name)
	}
	if by.Operator.Account.RoleIn(about.InApp()) < o.Role {
		return skein.ErrForbidden
	}
	return nil
}

// permitFields refuses fields of a request that need a greater role than the op. Errors:
// skein.ErrForbidden, naming the field.
func permitFields(by skein.Actor, request any) error {
	if fields, ok := request.(interface {
		Permit(o *skein.OperatorAccount) error
	}); ok && by.Operator != nil {
		return fields.Permit(&by.Operator.Account)
	}
	return nil
}

// admit charges the call to its client's send rate. Errors: skein.ErrRateLimited.
func (t *Table) admit(by skein.Actor, op *Op) error {
	if op.Policy.Messages == 0 || by.Kind() != skein.KindClient {
		return nil
	}
	return t.gate.Charge(by, op.Policy.Messages)
}

func (t *Table) audited(ctx context.Context, by skein.Actor, op *Op, err error) {
	if t.audit != nil {
		t.audit(ctx, by, op.Name, err)
	}
}

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
	return op.serve(ctx, t, by, func(in any) error { return strict.Decode(data, in) })
}

// follow gives a session the settings that its app has now.
func (t *Table) follow(ctx context.Context, by skein.Actor) (skein.Actor, error) {
	app, err := t.gate.App(ctx, by.App.ID)
	by.App = app
	return by, err
}

// Do runs an op for a REST call; decode fills the request struct that it is given. It
// answers JSON. Errors: as Invoke, and those of decode.
func (t *Table) Do(ctx context.Context, by skein.Actor, op *Op, decode func(any) error) ([]byte, error) {
	ctx, cancel := op.limit(ctx)
	defer cancel()
	return op.serve(ctx, t, by, decode)
}

// limit bounds one call. An upload may take longer; rest ends one that stalls.
func (o *Op) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Policy.Body == BodyForm {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, CallTime)
}
