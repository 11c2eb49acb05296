// Package ops holds the op table: everything that a caller can do, one row each. REST
// routes, socket commands, the console, OpenAPI, AsyncAPI and the reference are made from
// it; nothing else knows a path or a command's name. The rows are in package rows.
package ops

import (
	"context"

	"github.com/skein-im/skein"
)

// Doc is text in both languages.
type Doc struct{ EN, ZH string }

// Op is one row of the table.
type Op struct {
	Name   string // its socket command
	Method string // empty, with Path: a socket command without a route
	Path   string // parameters in braces are fields of the request
	Doc    Doc
	Need   skein.Need // what a client must be; the backend meets every need but NeedOperator
	Policy Policy

	// Role is the least role of an operator who may call, where Need is NeedOperator.
	Role  skein.OperatorRole
	Scope Scope

	Codes []int // that it may answer, beside those of every call; in order

	// Before is what the example needs: the fields of a conv.create; empty: nothing.
	Before string

	// Request and Answer are zero values of the types of the request and the answer; Row
	// sets them. A Done is answered as true.
	Request, Answer any

	example func() (request string, answer any)
	run     any // the typed function of the row
	serve   func(ctx context.Context, t *Table, by skein.Actor, decode func(any) error) ([]byte, error)
	batch   func(ctx context.Context, b batchCall) []Outcome // nil: the op runs one call at a time
}

// Policy says how an op is called and what a call costs.
type Policy struct {
	// Messages is what a call costs in messages of its client's send rate. A use case that
	// costs more charges the rest by itself.
	Messages int
	// MaxBody is how many bytes the body of a REST call may have; zero: as many as the server
	// allows all calls.
	MaxBody int64
	// Body is what a REST call carries.
	Body Body
	// PostWith is a field of the request, or empty. A POST to the path with an empty body
	// and this field in the query means this op, whatever other op has the route.
	PostWith string
}

// Scope says where an operator must have the role of an op.
type Scope int8

// Scopes.
const (
	ScopeInstallation Scope = iota // in the installation
	ScopeApp                       // in the app that the request names by its method InApp; it names none: in the installation
	ScopeAny                       // in the installation or in any app
)

// Body is what the body of a REST call is.
type Body int8

// Bodies.
const (
	BodyJSON Body = iota // a JSON object with the fields of the request
	BodyForm             // a multipart form with the file in its field "file"; by REST only
)

// Socket reports whether the op is a socket command: all that a client may do by REST,
// except uploads.
func (o *Op) Socket() bool {
	return o.Need != skein.NeedServer && o.Need != skein.NeedOperator && o.Policy.Body == BodyJSON
}

// REST reports whether the op has a REST route.
func (o *Op) REST() bool { return o.Path != "" }

// Batches reports whether commands of this name that wait on one socket run together.
func (o *Op) Batches() bool { return o.batch != nil }

// Example is a request of the op as JSON, and its answer.
func (o *Op) Example() (request string, answer any) { return o.example() }

// Done is the answer of an op that has nothing to say but that it succeeded: true.
type Done struct{}

// AppendJSON appends the answer.
func (Done) AppendJSON(dst []byte) []byte { return append(dst, "true"...) }

// Event is one kind of frame that the server pushes.
type Event struct {
	Name string
	Doc  Doc
	Data any // a zero value of its data

	// For are the ops that show what the event shows: a session whose token is limited to
	// other actions does not get it. nil: every session gets it.
	For []string

	Example func() []byte // a frame
}

// Command is one of the socket's own commands, which have no REST route.
type Command struct {
	Name    string
	Doc     Doc
	Request any    // a zero value of its data; nil: no data
	Answer  any    // a zero value of the answer; nil: none
	Reply   string // type of the answer

	Example func() (data string, answer []byte) // data is empty where there is none
}
