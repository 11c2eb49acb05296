package portable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Target is where records go. Each call is one transaction.
type Target interface {
	// Take brings in records: *Client, *Conversation, *Member, *Message, *Change, *App
	// or *End, and answers for each in its place. Errors: skein.ErrUnavailable where
	// the same call may succeed later.
	Take(ctx context.Context, app string, values []any) ([]Verdict, error)
	// TakeFile brings in a file with its content.
	TakeFile(ctx context.Context, app string, f File, content io.Reader) (Verdict, error)
}

// End says that all of a conversation has come.
type End struct {
	Conv       skein.ID `json:"conv_id"`
	LastSeq    int64    `json:"last_seq"`
	LastChange int64    `json:"last_change"`
	Abandon    bool     `json:"abandon,omitzero"` // not all of it has come: it is removed again
}

// Verdict is what came of a record.
type Verdict struct {
	Result Result `json:"result"`
	Reason string `json:"reason,omitzero"` // of one that was refused
	There  bool   `json:"there,omitzero"`  // it is another one of the same id that is there
}

// Result is the word of a verdict.
type Result string

// Results.
const (
	Taken   Result = "taken"
	Known   Result = "known" // it was there, and is the same
	Refused Result = "refused"
)

// StoreTarget takes records into a store and a storage of uploads.
type StoreTarget struct {
	Store interface {
		store.Transfer
		store.Uploads
	}
	// SaveFile stores a file under its name, of the size and SHA-256 it is said to have.
	SaveFile func(ctx context.Context, name string, content io.Reader, size int64, sum string) error
}

// Take brings in records.
func (t StoreTarget) Take(ctx context.Context, app string, values []any) ([]Verdict, error) {
	records := make([]any, len(values))
	for i, v := range values {
		var err error
		if records[i], err = storeRecord(app, v); err != nil {
			return nil, err
		}
	}
	answers, err := t.Store.Import(ctx, app, records)
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, len(values))
	for i, value := range values {
		if verdicts[i], err = verdictOf(value, records[i], answers[i]); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// TakeFile brings in a file, the content first: what the store knows is there.
func (t StoreTarget) TakeFile(ctx context.Context, app string, f File, content io.Reader) (Verdict, error) {
	there, found, err := t.Store.Upload(ctx, f.Name)
	if err != nil {
		return Verdict{}, err
	}
	if found && there.App != app {
		return Verdict{Result: Refused, Reason: "name: is another app's file"}, nil
	}
	if !found {
		err := t.SaveFile(ctx, f.Name, content, f.Size, f.SHA256)
		if fault, ok := errors.AsType[*skein.Fault](err); ok && errors.Is(err, skein.ErrMalformed) {
			return Verdict{Result: Refused, Reason: (&LineError{Err: fault}).Reason()}, nil
		}
		if err != nil {
			return Verdict{}, err
		}
	}
	f.SHA256 = ""
	verdicts, err := t.Take(ctx, app, []any{&f})
	if err != nil {
		return Verdict{}, err
	}
	return verdicts[0], nil
}

// verdictOf is what came of a value that was sent as a record.
func verdictOf(value, record any, a store.Imported) (Verdict, error) {
	if refusal := (&LineError{Err: a.Err}); a.Err != nil {
		return Verdict{Result: Refused, Reason: refusal.Reason()}, nil //nolint:nilerr // it is the answer
	}
	if a.Have == nil {
		return Verdict{Result: Taken}, nil
	}
	switch value := value.(type) {
	case *End:
		return Verdict{Result: Known}, nil
	case *App:
		if have, ok := a.Have.(*store.AppRecord); ok && !bytes.Equal(have.Unknown, some(value.Unknown)) {
			return Verdict{Result: Refused, Reason: "the app has other unknown fields here"}, nil
		}
		return Verdict{Result: Known}, nil
	}
	have, err := recordOf(a.Have)
	if err != nil {
		return Verdict{}, err
	}
	sent, err := recordOf(record) // what may be said in two ways is said in one
	if err != nil {
		return Verdict{}, err
	}
	fields, err := differing(sent, have)
	if err != nil || len(fields) == 0 {
		return Verdict{Result: Known}, err
	}
	return Verdict{Result: Refused, There: true, Reason: "is here already, and differs: " + strings.Join(fields, ", ")}, nil
}

// moving are fields that go on changing once an app is served; what they were when it
// was exported is no reason to refuse anything.
var moving = map[string]bool{
	"last_seq": true, "last_change": true, "active": true, "last_seen": true,
	"read_seq": true, "received_seq": true, "sent_seq": true,
	"content_hash": true, // of what is compared already
}

// differing are the fields in which two records differ.
func differing(a, b any) ([]string, error) {
	one, err := encode(a)
	if err != nil {
		return nil, err
	}
	other, err := encode(b)
	if err != nil || bytes.Equal(one, other) {
		return nil, err
	}
	var x, y map[string]jsontext.Value
	if err := errors.Join(json.Unmarshal(one, &x), json.Unmarshal(other, &y)); err != nil {
		return nil, err
	}
	fields := map[string]bool{}
	for _, m := range []map[string]jsontext.Value{x, y} {
		for field := range m {
			if !moving[field] && !store.SameJSON(x[field], y[field]) {
				fields[field] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(fields)), nil
}
