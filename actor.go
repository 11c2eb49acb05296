package skein

import "slices"

// Need is what an op asks of a client that calls it. The backend meets every need but
// NeedOperator. The op table gives each op its need; use cases and stores hold to it.
type Need int8

// Needs, from the strictest.
const (
	NeedServer  Need = iota // no client may
	NeedSelf                // the client that the call names is the caller
	NeedManager             // owner or admin of the conversation
	NeedMember              // member of the conversation
	NeedClient              // any client of the app

	NeedOperator // an operator of the installation; no app meets it
)

// Met reports whether a member with this role meets a need that concerns the
// conversation.
func (n Need) Met(isMember bool, role Role) bool {
	switch n {
	case NeedManager:
		return isMember && role >= RoleAdmin
	case NeedMember:
		return isMember
	case NeedClient:
		return true
	default:
		return false
	}
}

// MetBy is Met of a member; nil: no member.
func (n Need) MetBy(m *Member) bool {
	if m == nil {
		return n.Met(false, RoleMember)
	}
	return n.Met(true, m.Role)
}

// ActorKind is what kind of principal calls.
type ActorKind int8

// Kinds of actors.
const (
	KindBackend  ActorKind = iota // the server role of an app: it showed an app key
	KindClient                    // a client of an app
	KindOperator                  // an operator of the installation, who has no app
)

// Actor is who calls: the app's backend (server role), one client, or an operator.
type Actor struct {
	App      *App          // a snapshot; never written to; nil for an operator
	Client   string        // empty: server role, or an operator
	Operator *OperatorCall // nil: the actor is of an app
	Device   string        // the device of the session or of the token; may be empty
	Session  string        // the session that called; empty for REST
	Rev      int64         // Client.Rev by which the login or call was judged; zero: the client was not known yet, or is none
	Key      string        // name of the app key that was shown; empty: none
	Actions  []string
	Expires  Millis // end of the token; zero: none
	Need     Need   // set from the op table for the call at hand
	English  bool   // reads texts in English; else Chinese
}

// Kind is what kind of principal the actor is.
func (a Actor) Kind() ActorKind {
	switch {
	case a.Operator != nil:
		return KindOperator
	case a.Client == "":
		return KindBackend
	default:
		return KindClient
	}
}

// AppID is the id of the actor's app; empty: it is an operator.
func (a Actor) AppID() string {
	if a.App == nil {
		return ""
	}
	return a.App.ID
}

// Server reports whether the actor has the server role of an app.
func (a Actor) Server() bool { return a.Kind() == KindBackend }

// MayDo reports whether the actor's token allows the op.
func (a Actor) MayDo(op string) bool {
	return a.Actions == nil || slices.Contains(a.Actions, op)
}
