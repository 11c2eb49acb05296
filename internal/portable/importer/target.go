package importer

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
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/store"
)

// Target receives the records. Each call is one transaction.
type Target interface {
	// Take imports records: *Client, *Conversation, *Member, *Message, *Change, *App or
	// *End. The verdicts are in the order of the records. Errors: skein.ErrUnavailable if
	// the same call may succeed later.
	Take(ctx context.Context, app string, values []any) ([]Verdict, error)
	// TakeFile imports a file with its content.
	TakeFile(ctx context.Context, app string, f portable.File, content io.Reader) (Verdict, error)
}

// Verdict says whether a record was taken.
type Verdict struct {
	Result Result `json:"result"`
	Reason string `json:"reason,omitzero"` // of one that was refused
	There  bool   `json:"there,omitzero"`  // the store has another record with this id
}

// Result is taken, known or refused.
type Result string

// Results.
const (
	Taken   Result = "taken"
	Known   Result = "known" // the store had it already, with the same content
	Refused Result = "refused"
)

// StoreTarget imports into a store and a directory of uploads.
type StoreTarget struct {
	Store interface {
		store.Transfer
		store.Uploads
	}
	// SaveFile stores a file under its name, and refuses content of another size or SHA-256.
	SaveFile func(ctx context.Context, name string, content io.Reader, size int64, sum string) error
}

// Take imports records.
func (t StoreTarget) Take(ctx context.Context, app string, values []any) ([]Verdict, error) {
	records := make([]any, len(values))
	for i, v := range values {
		var err error
		if records[i], err = portable.StoreRecord(app, v); err != nil {
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

// TakeFile imports a file. It saves the content first, so the store names no file without
// content.
func (t StoreTarget) TakeFile(ctx context.Context, app string, f portable.File, content io.Reader) (Verdict, error) {
	there, found, err := t.Store.Upload(ctx, f.Name)
	if err != nil {
		return Verdict{}, err
	}
	if found && there.App != app {
		return Verdict{Result: Refused, Reason: "name: a file of another app has this name"}, nil
	}
	if !found {
		err := t.SaveFile(ctx, f.Name, content, f.Size, f.SHA256)
		if fault, ok := errors.AsType[*skein.Fault](err); ok && errors.Is(err, skein.ErrMalformed) {
			return Verdict{Result: Refused, Reason: (&portable.LineError{Err: fault}).Reason()}, nil
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

// verdictOf turns the answer of the store to a record into a verdict on its value.
func verdictOf(value, record any, a store.Imported) (Verdict, error) {
	if refusal := (&portable.LineError{Err: a.Err}); a.Err != nil {
		return Verdict{Result: Refused, Reason: refusal.Reason()}, nil //nolint:nilerr // it is the answer
	}
	if a.Have == nil {
		return Verdict{Result: Taken}, nil
	}
	switch value.(type) {
	case *portable.End:
		return Verdict{Result: Known}, nil
	case *portable.App:
		have, known := a.Have.(*store.AppRecord)
		sent, ok := record.(*store.AppRecord)
		if known && ok && !bytes.Equal(have.Unknown, sent.Unknown) {
			return Verdict{Result: Refused, Reason: "the app exists with other unknown fields"}, nil
		}
		return Verdict{Result: Known}, nil
	}
	have, err := portable.RecordOf(a.Have)
	if err != nil {
		return Verdict{}, err
	}
	sent, err := portable.RecordOf(record) // so that equal records have equal bytes
	if err != nil {
		return Verdict{}, err
	}
	fields, err := differing(sent, have)
	if err != nil || len(fields) == 0 {
		return Verdict{Result: Known}, err
	}
	return Verdict{Result: Refused, There: true, Reason: "exists with different content: " + strings.Join(fields, ", ")}, nil
}

// moving are the fields that change while an app is in use. A record that differs from
// the stored one in these alone is known, not refused.
var moving = map[string]bool{
	"last_seq": true, "last_change": true, "active": true, "last_seen": true,
	"read_seq": true, "received_seq": true, "sent_seq": true,
	"content_hash": true, // computed from fields that are compared
}

// differing returns the fields in which two records differ.
func differing(a, b any) ([]string, error) {
	one, err := portable.Encode(a)
	if err != nil {
		return nil, err
	}
	other, err := portable.Encode(b)
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
