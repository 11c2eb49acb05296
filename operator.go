package skein

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// OperatorRole is what an operator may do. A greater role may do all that a smaller one may.
type OperatorRole int8

// Roles of operators. Stores keep the numbers.
const (
	OperatorNone     OperatorRole = iota // no role: may do nothing
	OperatorReadOnly                     // sees its own account, and the apps with their settings
	OperatorSupport                      // reads the audit log; lists and ends sessions of users
	OperatorAdmin                        // lists the operators; manages apps, their keys and webhooks; erases users
	OperatorOwner                        // manages the operators and their tokens; deletes apps; exports users
)

// operatorRoles are the names of the roles.
var operatorRoles = [...]string{"", "read-only", "support", "admin", "owner"}

// String is the name of a role.
func (r OperatorRole) String() string { return operatorRoles[r] }

// ParseOperatorRole is the role of a name; ok is false where there is none.
func ParseOperatorRole(name string) (role OperatorRole, ok bool) {
	i := slices.Index(operatorRoles[1:], name)
	return OperatorRole(i + 1), i >= 0
}

// Bounds of operators.
const (
	MaxOperators      = 1000
	MaxOperatorRoles  = 100 // of one operator
	MaxOperatorTokens = 20  // of one operator
)

// OperatorAccount is one of the people and programs that run the installation.
type OperatorAccount struct {
	Name    string          // as ValidOperatorName has it
	Roles   []OperatorIn    // by app, each app once
	Tokens  []OperatorToken // by age
	Created Millis
}

// OperatorIn is a role of an operator in one app, or in the whole installation.
type OperatorIn struct {
	App  string // empty: the installation, with all its apps
	Role OperatorRole
}

// OperatorToken is one named token of an operator. Only the hash is kept.
type OperatorToken struct {
	Name    string
	Hash    [32]byte // SHA-256 of the token
	Created Millis
	Expires Millis
}

// RoleIn is the operator's role in an app; the app "" is the installation. A role in the
// installation holds in every app.
func (o *OperatorAccount) RoleIn(app string) (role OperatorRole) {
	for _, in := range o.Roles {
		if in.App == "" || in.App == app {
			role = max(role, in.Role)
		}
	}
	return role
}

// Highest is the greatest of the operator's roles, wherever it has it.
func (o *OperatorAccount) Highest() (role OperatorRole) {
	for _, in := range o.Roles {
		role = max(role, in.Role)
	}
	return role
}

// Token is the operator's token of that name; nil: there is none.
func (o *OperatorAccount) Token(name string) *OperatorToken {
	i := slices.IndexFunc(o.Tokens, func(t OperatorToken) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &o.Tokens[i]
}

// ValidOperatorName reports whether a name is 1 to 64 of A–Z a–z 0–9 - _ . @. Operators, tokens
// and app keys have such names.
func ValidOperatorName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '@':
		default:
			return false
		}
	}
	return name != "" && len(name) <= MaxIDLength
}

// OperatorCall is an operator who calls.
type OperatorCall struct {
	Account   OperatorAccount // a snapshot; never written to
	Token     string          // name of the token that was shown
	Addr      string          // where the call comes from
	RequestID string
}

// Deed begins an entry of the audit log.
func (c *OperatorCall) Deed(op, target string) Deed {
	return Deed{Operator: c.Account.Name, Token: c.Token, Addr: c.Addr, RequestID: c.RequestID, Op: op, Target: target}
}

// Deed is one entry of the audit log: what an operator did.
type Deed struct {
	Seq       int64 // 1, 2, 3 … without gaps, in the whole installation
	At        Millis
	Operator  string
	Token     string // name of the token that was shown; empty: none
	Addr      string // where the call came from
	RequestID string
	Op        string // the op, such as app.update
	App       string // the app that it is about; empty: none
	Target    string // what of the app or installation it is about, such as a key's or operator's name; may be empty
	Before    []byte // JSON of what changed, as it was; nil: there was nothing
	After     []byte // and as it is now; nil: there is nothing
	Hash      [32]byte
}

// Sum is the hash of the entry that follows one with the hash previous; Hash is not part of it.
// Whoever changes, adds or removes an entry must compute the hashes of all that follow.
func (d *Deed) Sum(previous [32]byte) (sum [32]byte) {
	h := sha256.New()
	var b []byte
	b = append(b, previous[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(d.At))
	for _, text := range [...]string{d.Operator, d.Token, d.Addr, d.RequestID, d.Op, d.App, d.Target, string(d.Before), string(d.After)} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	h.Write(b) // never fails; see hash.Hash
	h.Sum(sum[:0])
	return sum
}

// AuditQuery asks for entries of the audit log, newest first. Zero fields ask for all.
type AuditQuery struct {
	Before      int64 // entries with a smaller Seq
	App         string
	Operator    string
	Op          string
	Target      string
	From, Until Millis // At, from and including From, before Until
	Limit       int
}
