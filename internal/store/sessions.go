package store

import (
	"context"
	"errors"
	"time"

	"github.com/skein-im/skein"
)

// Sessions keeps who is logged in on all nodes, and decides which sessions must go when
// a login comes. It need not outlive the engine's process: a node whose sessions are
// gone enters them again.
//
// A session is there from the EnterSession that let it in until a later login of its
// client displaces it, LeaveSessions takes it out, or the lease of its node ends and
// ExpireNodes takes it out.
type Sessions interface {
	// EnterSession lets a login become a session of its client, in one step with the
	// decision who must go for it: the session of the same device; with OnePerType those
	// of the same device type; and of the others the oldest, where there would be more
	// than MaxDevices. It answers those that had to go.
	// Where one of those is newer than the login nothing changes, and the login is
	// refused. So all nodes agree who stays, whatever the order in which they are told.
	//
	// The greater generation is the newer. A new login gets one that is greater than all
	// before it, also than those before a restart. A resumed one keeps the generation it
	// is given, or gets a new one where it was given one that does not exist yet. Two new
	// logins that were asked on one node, and two sessions of one generation on one node,
	// are compared by ID instead: the later asked is the newer, however long its checks
	// took. Of one generation on two nodes the one that enters is the newer.
	//
	// A session that is there already is entered again, with what the login says now.
	// Errors: *Superseded; ErrNoLease where RenewNode has not been called, or
	// ExpireNodes since.
	EnterSession(ctx context.Context, l Login) (Entered, error)
	// LeaveSessions takes out sessions that ended, and answers those that were there
	// until now.
	LeaveSessions(ctx context.Context, sessions []Session) ([]Departure, error)
	// SessionsOf is the sessions of clients on all nodes, in no order.
	SessionsOf(ctx context.Context, app string, clients []string) ([]Session, error)
	// RenewNode lets the node's sessions be there until the lease, from now on by the
	// store's clock, has ended and somebody calls ExpireNodes. held is false where the
	// store has none of them, since their lease had ended or the store lost them: the
	// node enters them all again, each with its generation. It answers the node's
	// sessions that were displaced and not taken out with LeaveSessions yet, so that a
	// lost message about them does no harm.
	RenewNode(ctx context.Context, node string, lease time.Duration) (displaced []Displaced, held bool, err error)
	// CountNodes counts the nodes whose lease lasts longer than ahead from now. With the
	// lease that all nodes ask for less a time t, it counts those that renewed it within t.
	CountNodes(ctx context.Context, ahead time.Duration) (int, error)
	// ExpireNodes takes out the sessions of nodes whose lease has ended, and answers
	// them.
	ExpireNodes(ctx context.Context) ([]Departure, error)
}

// Session is one logged-in socket.
type Session struct {
	App, Client, Device string
	DeviceType          skein.DeviceType
	ID                  string // 32 hex digits; of one node they ascend in the order in which the logins were asked
	Node                string // that has the socket; a name that no other process has had
	Generation          int64  // how new the login is; see EnterSession
	Resumed             bool   // it resumes an earlier login and has its Generation
}

// Login is a login that was allowed and asks to become a session. Generation is set
// where it is resumed, or entered again; zero there: older than any other.
type Login struct {
	Session

	MaxDevices int  // sessions of the client; zero: no limit
	OnePerType bool // of each device type the client may have one session
}

// Entered is what became of a login.
type Entered struct {
	Generation int64
	Displaced  []Displaced // sessions that had to go for it
	// Snapshot is what a reader of the store could read when the login entered. It has every
	// commit that was answered before EnterSession was called.
	Snapshot skein.Snapshot
}

// Displaced is a session that had to go for a newer login.
type Displaced struct {
	Session

	Reason string // one of skein's Kick reasons
}

// Departure is a session that was taken out.
type Departure struct {
	Session

	Last bool // the client has no session any more
}

// Superseded is why EnterSession refuses a login: a newer one holds what it asks for.
type Superseded struct{ Reason string }

// Error makes it what EnterSession returns.
func (s *Superseded) Error() string { return "superseded by a newer login: " + s.Reason }

// ErrNoLease is about a node whose lease has ended. It renews it and enters its sessions
// again.
var ErrNoLease = errors.New("node has no lease")
