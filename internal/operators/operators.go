// Package operators holds the use cases of those who run the installation: operators and their
// tokens, apps and their keys, users of apps, and the audit log of what they did. It decides no right: the op
// table does.
package operators

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// Options are the parts of a Service.
type Options struct {
	Store      Store
	Users      Users            // nil: no op on users is called
	Changed    func()           // called after operators or tokens changed; nil: nobody is told
	AppChanged func(app string) // called after an app changed; nil: nobody is told
	Now        func() time.Time // nil: time.Now
}

// Store is what the use cases need of a store.
type Store interface {
	store.Admin
	store.Apps
	store.Clients
	store.Sessions
	store.Transfer
	store.Usage
}

// Service is the use cases. Safe for concurrent use.
type Service struct {
	opts Options

	exporting sync.Mutex // held while Export runs
}

// New is a service.
func New(opts Options) *Service {
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.AppChanged == nil {
		opts.AppChanged = func(string) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Service{opts: opts}
}

// Now is the current time.
func (s *Service) Now() skein.Millis { return skein.MillisOf(s.opts.Now()) }

// The ops whose deeds are in the audit log under these names. The op table takes its names from
// here; a use case that several ops share is told which one it serves.
const (
	OpCreate      = "operator.create"
	OpUpdate      = "operator.update"
	OpDelete      = "operator.delete"
	OpTokenCreate = "operator.token.create"
)

// tokenPrefix begins every token, so that scanners of secrets recognise one.
const tokenPrefix = "sko_"

// Hash is the SHA-256 of a token.
func Hash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// Issued is a new token.
type Issued struct {
	Operator string
	Name     string
	Token    string // shown once
	Expires  skein.Millis
}

// Terms are the terms of a new token.
type Terms struct {
	Name     string
	Life     time.Duration
	Replaces string // an older token that expires after Grace; empty: none
	Grace    time.Duration
}

// newToken makes a token of 160 random bits.
func (s *Service) newToken(t Terms) (skein.OperatorToken, string) {
	secret := tokenPrefix + rand.Text() + rand.Text()[:6]
	now := s.Now()
	return skein.OperatorToken{Name: t.Name, Hash: Hash(secret), Created: now, Expires: now.Add(t.Life)}, secret
}

// view is an operator as the audit log keeps it: never a hash of a token.
type view struct {
	Roles  []roleView  `json:"roles"`
	Tokens []tokenView `json:"tokens"`
}

type roleView struct {
	App  string `json:"app_id"` // empty: the installation
	Role string `json:"role"`
}

type tokenView struct {
	Name    string       `json:"token_name"`
	Expires skein.Millis `json:"expires"`
}

func viewOf(o *skein.OperatorAccount) []byte {
	if o == nil {
		return nil
	}
	v := view{Roles: []roleView{}, Tokens: []tokenView{}}
	for _, r := range o.Roles {
		v.Roles = append(v.Roles, roleView{r.App, r.Role.String()})
	}
	for _, t := range o.Tokens {
		v.Tokens = append(v.Tokens, tokenView{t.Name, t.Expires})
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("write an operator for the audit log: %v", err)) // texts and numbers alone
	}
	return raw
}

// List lists all operators by name.
func (s *Service) List(ctx context.Context) ([]skein.OperatorAccount, error) {
	return s.opts.Store.Operators(ctx)
}

// Get is one operator. Errors: skein.ErrNotFound.
func (s *Service) Get(ctx context.Context, name string) (skein.OperatorAccount, error) {
	_, o, err := find(ctx, s.opts.Store, name)
	if err != nil {
		return skein.OperatorAccount{}, err
	}
	return *o, nil
}

// reader reads all operators.
type reader interface {
	Operators(ctx context.Context) ([]skein.OperatorAccount, error)
}

// find reads all operators, and points to the one of that name. Errors: skein.ErrNotFound.
func find(ctx context.Context, from reader, name string) (all []skein.OperatorAccount, o *skein.OperatorAccount, err error) {
	if all, err = from.Operators(ctx); err != nil {
		return nil, nil, err
	}
	if o = named(all, name); o == nil {
		return nil, nil, skein.About(skein.ErrNotFound, "operator_name")
	}
	return all, o, nil
}

// named is the operator of that name; nil: there is none.
func named(all []skein.OperatorAccount, name string) *skein.OperatorAccount {
	i := slices.IndexFunc(all, func(o skein.OperatorAccount) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Create makes an operator with its first token. Errors: skein.ErrConflict where the name is
// taken; skein.ErrTooLarge.
func (s *Service) Create(ctx context.Context, by skein.Actor, name string, roles []skein.OperatorIn, first Terms) (Issued, error) {
	if fromProvider(name) {
		return Issued{}, skein.Malformed("operator_name", "must not begin with oidc., as the names of the sign-in provider do")
	}
	token, secret := s.newToken(first)
	made := skein.OperatorAccount{Name: name, Roles: sorted(roles), Tokens: []skein.OperatorToken{token}, Created: token.Created}
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Operators(ctx)
		if err != nil {
			return skein.Deed{}, err
		}
		if named(all, name) != nil {
			return skein.Deed{}, skein.About(skein.ErrConflict, "operator_name")
		}
		if len(all) >= skein.MaxOperators {
			return skein.Deed{}, &skein.Fault{Err: skein.ErrTooLarge, Field: "operator_name", Detail: "at most 1000 operators"}
		}
		d := by.Operator.Deed(OpCreate, name)
		d.After = viewOf(&made)
		return d, t.PutOperator(ctx, made)
	})
	if err != nil {
		return Issued{}, err
	}
	s.opts.Changed()
	return Issued{name, token.Name, secret, token.Expires}, nil
}

// Update replaces the roles of an operator. Errors: skein.ErrNotFound; skein.ErrConflict where
// the installation would have no owner any more.
func (s *Service) Update(ctx context.Context, by skein.Actor, name string, roles []skein.OperatorIn) (skein.OperatorAccount, error) {
	return s.change(ctx, by, OpUpdate, name, name, func(o *skein.OperatorAccount) error {
		o.Roles = sorted(roles)
		return nil
	})
}

// sorted are roles by app.
func sorted(roles []skein.OperatorIn) []skein.OperatorIn {
	list := slices.Clone(roles)
	slices.SortFunc(list, func(a, b skein.OperatorIn) int { return strings.Compare(a.App, b.App) })
	return list
}

// CreateToken makes another token of an operator, and lets an older one expire. Errors:
// skein.ErrForbidden for one of the provider; skein.ErrNotFound; skein.ErrConflict where the name is taken; skein.ErrTooLarge.
func (s *Service) CreateToken(ctx context.Context, by skein.Actor, op, name string, terms Terms) (Issued, error) {
	if fromProvider(name) {
		return Issued{}, &skein.Fault{Err: skein.ErrForbidden, Field: "operator_name", Detail: "operators of the sign-in provider have sessions, no other tokens"}
	}
	token, secret := s.newToken(terms)
	_, err := s.change(ctx, by, op, name, target(name, terms.Name), func(o *skein.OperatorAccount) error {
		tokens := slices.DeleteFunc(slices.Clone(o.Tokens), func(t skein.OperatorToken) bool { return t.Expires <= token.Created })
		o.Tokens = tokens
		if o.Token(terms.Name) != nil {
			return skein.About(skein.ErrConflict, "token_name")
		}
		if terms.Replaces != "" {
			old := o.Token(terms.Replaces)
			if old == nil {
				return skein.About(skein.ErrNotFound, "replaces")
			}
			old.Expires = min(old.Expires, token.Created.Add(terms.Grace))
		}
		if len(o.Tokens) >= skein.MaxOperatorTokens {
			return &skein.Fault{Err: skein.ErrTooLarge, Field: "token_name", Detail: "at most 20 tokens"}
		}
		o.Tokens = append(o.Tokens, token)
		return nil
	})
	if err != nil {
		return Issued{}, err
	}
	return Issued{name, token.Name, secret, token.Expires}, nil
}

// DeleteToken ends a token at once. Errors: skein.ErrNotFound.
func (s *Service) DeleteToken(ctx context.Context, by skein.Actor, op, name, token string) error {
	_, err := s.change(ctx, by, op, name, target(name, token), func(o *skein.OperatorAccount) error {
		if o.Token(token) == nil {
			return skein.About(skein.ErrNotFound, "token_name")
		}
		o.Tokens = slices.DeleteFunc(slices.Clone(o.Tokens), func(t skein.OperatorToken) bool { return t.Name == token })
		return nil
	})
	return err
}

// target names a token of an operator in the audit log.
func target(operator, token string) string { return operator + "/" + token }

// Delete removes an operator; its tokens end with it. Errors: skein.ErrNotFound;
// skein.ErrConflict about the last owner.
func (s *Service) Delete(ctx context.Context, by skein.Actor, name string) error {
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, o, err := find(ctx, t, name)
		if err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(OpDelete, name)
		d.Before = viewOf(o)
		rest := slices.DeleteFunc(slices.Clone(all), func(o skein.OperatorAccount) bool { return o.Name == name })
		if err := checkOwner(all, rest); err != nil {
			return skein.Deed{}, err
		}
		return d, t.RemoveOperator(ctx, name)
	})
	if err == nil {
		s.opts.Changed()
	}
	return err
}

// change alters one operator.
func (s *Service) change(ctx context.Context, by skein.Actor, op, name, target string, alter func(*skein.OperatorAccount) error) (changed skein.OperatorAccount, err error) {
	_, err = s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, o, err := find(ctx, t, name)
		if err != nil {
			return skein.Deed{}, err
		}
		before, d := slices.Clone(all), by.Operator.Deed(op, target)
		d.Before = viewOf(o)
		if err := alter(o); err != nil {
			return skein.Deed{}, err
		}
		if err := checkOwner(before, all); err != nil {
			return skein.Deed{}, err
		}
		changed, d.After = *o, viewOf(o)
		return d, t.PutOperator(ctx, *o)
	})
	if err == nil {
		s.opts.Changed()
	}
	return changed, err
}

// checkOwner refuses to leave an installation that has owners without one: nobody could make
// another. Errors: skein.ErrConflict.
func checkOwner(before, after []skein.OperatorAccount) error {
	owns := func(o skein.OperatorAccount) bool { return o.RoleIn("") == skein.OperatorOwner }
	if slices.ContainsFunc(before, owns) && !slices.ContainsFunc(after, owns) {
		return &skein.Fault{Err: skein.ErrConflict, Field: "operator_name", Detail: "the last owner"}
	}
	return nil
}

// Audit reads the audit log, newest first.
func (s *Service) Audit(ctx context.Context, q skein.AuditQuery) ([]skein.Deed, error) {
	return s.opts.Store.Audit(ctx, q)
}
