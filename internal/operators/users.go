package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// The ops on users, as the audit log and the op table name them.
const (
	OpSessionEnd = "user.session.end"
	OpUserLogout = "user.logout"
	OpUserErase  = "user.erase"
	OpUserExport = "user.export"
)

// Users are the use cases of apps that operators have too; *chat.Service has them. They end
// sessions on every node.
type Users interface {
	LogoutBy(ctx context.Context, by skein.Actor, d skein.Deed, id, device string) error
	DeleteUser(ctx context.Context, by skein.Actor, id string, erase bool) (chat.Deleted, error)
}

// deedOn begins the entry about a user. Errors: skein.ErrNotFound about the app.
func (s *Service) deedOn(ctx context.Context, by skein.Actor, op, app, client string, after any) (inApp skein.Actor, d skein.Deed, err error) {
	a, err := s.App(ctx, app)
	if err != nil {
		return inApp, d, err
	}
	d = by.Operator.Deed(op, client)
	d.App = app
	if d.After, err = json.Marshal(after); err != nil {
		return inApp, d, fmt.Errorf("write an entry of the audit log: %w", err)
	}
	return skein.Actor{App: &a}, d, nil
}

// Sessions lists the sessions of a user on all nodes, in no order. Errors: skein.ErrNotFound
// about the app; skein.ErrUnknownClient.
func (s *Service) Sessions(ctx context.Context, app, client string) ([]store.Session, error) {
	if _, err := s.App(ctx, app); err != nil {
		return nil, err
	}
	c, err := s.opts.Store.Client(ctx, app, client)
	if err == nil && c.Deleted {
		err = skein.About(skein.ErrUnknownClient, client)
	}
	if err != nil {
		return nil, err
	}
	return s.opts.Store.SessionsOf(ctx, app, []string{client})
}

// loggedOut is what the audit log keeps of a logout.
type loggedOut struct {
	Session string `json:"session_id,omitempty"`
	Device  string `json:"device_id,omitempty"` // empty: all
}

// EndSession ends a session and refuses the tokens of its device. Errors: as of Sessions;
// skein.ErrNotFound about the session.
func (s *Service) EndSession(ctx context.Context, by skein.Actor, app, client, session string) error {
	all, err := s.Sessions(ctx, app, client)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.ID == session {
			return s.logout(ctx, by, OpSessionEnd, app, client, loggedOut{session, one.Device})
		}
	}
	return skein.About(skein.ErrNotFound, "session_id")
}

// Logout ends the sessions of a user on one device or (empty) on all, and refuses the tokens
// issued until now. Errors: as of Sessions.
func (s *Service) Logout(ctx context.Context, by skein.Actor, app, client, device string) error {
	return s.logout(ctx, by, OpUserLogout, app, client, loggedOut{Device: device})
}

func (s *Service) logout(ctx context.Context, by skein.Actor, op, app, client string, what loggedOut) error {
	inApp, d, err := s.deedOn(ctx, by, op, app, client, what)
	if err != nil {
		return err
	}
	return s.opts.Users.LogoutBy(ctx, inApp, d, client, what.Device)
}

// Erase deletes a user; erase empties its messages too. The deed that the audit log has refuses the
// user's tokens; what follows is many transactions, so if Erase fails after it, the entry remains and a
// second call does the rest. Errors: as of Sessions.
func (s *Service) Erase(ctx context.Context, by skein.Actor, app, client string, erase bool) (report adminapi.Erasure, err error) {
	sessions, err := s.Sessions(ctx, app, client)
	if err != nil {
		return report, err
	}
	inApp, d, err := s.deedOn(ctx, by, OpUserErase, app, client, map[string]bool{"messages_erased": erase})
	if err != nil {
		return report, err
	}
	if err := s.opts.Users.LogoutBy(ctx, inApp, d, client, ""); err != nil {
		return report, err
	}
	gone, err := s.opts.Users.DeleteUser(ctx, inApp, client, erase)
	return adminapi.Erasure{
		Sessions: len(sessions), Conversations: gone.Conversations, Messages: gone.Messages, Reactions: gone.Reactions, Complete: !gone.More,
	}, err
}

// Bounds of an export in one answer.
const (
	maxExportRecords = 20_000
	maxExportBytes   = 8 << 20
)

// Export returns what the app holds of a user, in the form of package portable. The audit log says
// who read it and why, before anything is read. Errors: as of Sessions; skein.ErrTooLarge;
// skein.ErrRateLimited while this node makes another export.
func (s *Service) Export(ctx context.Context, by skein.Actor, app, client, reason string) (out adminapi.UserExport, err error) {
	if !s.exporting.TryLock() {
		return out, skein.ErrRateLimited
	}
	defer s.exporting.Unlock()
	_, d, err := s.deedOn(ctx, by, OpUserExport, app, client, map[string]string{"reason": reason})
	if err != nil {
		return out, err
	}
	if _, err := s.opts.Store.UpdateClientBy(ctx, d, app, client, func(*skein.Client) error { return nil }); err != nil {
		return out, err
	}
	none := []jsontext.Value{}
	x := &export{UserExport: adminapi.UserExport{
		Format: portable.Format, Version: portable.Version,
		Clients: none, Conversations: none, Members: none, Messages: none, Changes: none, Files: none,
	}, done: ctx.Err, records: maxExportRecords, bytes: maxExportBytes}
	at, err := s.opts.Store.Export(ctx, app, client, x)
	x.Time = int64(at)
	return x.UserExport, err
}

// export takes the records of one user.
type export struct {
	adminapi.UserExport

	done           func() error // whether the caller has gone
	records, bytes int          // that may still come
}

// Begin implements store.Sink.
func (x *export) Begin(store.AppRecord, int64) error { return nil }

var errLargeExport error = &skein.Fault{Err: skein.ErrTooLarge, Field: "client_id", Detail: "more than 20000 records or 8 MiB: use skein export --client"}

// Record implements store.Sink.
func (x *export) Record(record any) error {
	r, err := portable.RecordOf(record)
	if err = errors.Join(x.done(), err); err != nil {
		return err
	}
	var list *[]jsontext.Value
	switch r.(type) {
	case *portable.Client:
		list = &x.Clients
	case *portable.Conversation:
		list = &x.Conversations
	case *portable.Member:
		list = &x.Members
	case *portable.Message:
		list = &x.Messages
	case *portable.Change:
		list = &x.Changes
	case *portable.File:
		list = &x.Files
	default:
		return nil
	}
	line, err := portable.Marshal(r)
	if err != nil {
		return err
	}
	if x.records, x.bytes = x.records-1, x.bytes-len(line); x.records < 0 || x.bytes < 0 {
		return errLargeExport
	}
	*list = append(*list, line)
	return nil
}
