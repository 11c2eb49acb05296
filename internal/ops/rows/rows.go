// Package rows holds the rows of the op table. A file is a group of ops: name and types,
// route, words in both languages, codes, example, and the use case that it calls.
package rows

import (
	"context"
	"io"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops"
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
	Audit    ops.Audit // may be nil
	Links    ops.Links // may be nil

	needs func(op string) skein.Need // of the table; set by New
}

// Files keeps uploads.
type Files interface {
	// Save keeps what r holds and answers its name; types are the allowed extensions
	// (nil: the default), maxBytes is the limit.
	Save(ctx context.Context, r io.Reader, types []string, maxBytes int64) (name string, err error)
	// Remove removes a file that was saved.
	Remove(ctx context.Context, name string) (size int64, err error)
}

// New is the op table over its use cases.
func New(deps Deps) *ops.Table {
	var table *ops.Table
	deps.needs = func(op string) skein.Need { return table.Op(op).Need }
	var all []*ops.Op
	for _, group := range [][]*ops.Op{
		userOps(deps),
		convOps(deps),
		inboxOps(deps),
		positionOps(deps),
		memberOps(deps),
		messageOps(deps),
		changeOps(deps),
		presenceOps(deps),
		fileOps(deps),
		usageOps(deps),
	} {
		all = append(all, group...)
	}
	table = ops.New(deps.Gate, deps.Audit, deps.Links, all)
	return table
}

// seal is the seal of the cursors of an op for the caller.
func (d Deps) seal(by skein.Actor, op string) cursor.Seal {
	return d.Cursors.For(by.App.ID, op, by.Client)
}

// view is a view as answered.
func (d Deps) view(by skein.Actor, v *skein.View) wire.View {
	v.Rights = d.Chat.Rights(by, v, d.needs)
	return wire.ViewOf(v, d.Zone)
}

// each converts the items; never nil, which would be null.
func each[T, U any](items []T, convert func(T) U) []U {
	out := make([]U, 0, len(items))
	for _, item := range items {
		out = append(out, convert(item))
	}
	return out
}

// oneself is the client that a call acts for: the backend must name one, a client may
// name only itself and may leave it out. Errors: skein.ErrMissing,
// skein.ErrInvalidClientID, skein.ErrForbidden.
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

// actingFor is the caller with the rights of the client that it acts for: the backend
// names the client, a client is itself.
func actingFor(by skein.Actor, named strict.ID) (skein.Actor, error) {
	client, err := oneself(by, "client_id", named)
	if by.Server() {
		by.Device, by.Session = "", ""
	}
	by.Client, by.Need = client, skein.NeedMember
	return by, err
}

// checkID checks an id by the rule of the caller's app.
func checkID(by skein.Actor, field string, id strict.ID) error {
	return request.CheckClientID(field, id, by.App.Settings.RelaxedClientIDs)
}

// withUser runs what needs only a user's id.
func withUser(by skein.Actor, id strict.ID, do func(string) error) (ops.Done, error) {
	if err := checkID(by, "client_id", id); err != nil {
		return ops.Done{}, err
	}
	return ops.Done{}, do(string(id))
}

// withConv runs what needs only a conversation's id.
func withConv(id strict.ID, do func(skein.ID) error) (ops.Done, error) {
	conv, err := request.ConvID(id)
	if err != nil {
		return ops.Done{}, err
	}
	return ops.Done{}, do(conv)
}

// withMessage runs what needs only a message's ids.
func withMessage(in request.Message, do func(conv, id skein.ID) error) (ops.Done, error) {
	conv, id, err := messageOf(in)
	if err != nil {
		return ops.Done{}, err
	}
	return ops.Done{}, do(conv, id)
}

// messageOf is the ids of a message.
func messageOf(in request.Message) (conv, id skein.ID, err error) {
	if conv, err = request.ConvID(in.ConvID); err != nil {
		return conv, id, err
	}
	id, err = request.MsgID(in.MsgID)
	return conv, id, err
}

// langOf is the language in which the caller reads texts.
func langOf(by skein.Actor) wire.Lang {
	if by.English {
		return wire.English
	}
	return wire.Chinese
}
