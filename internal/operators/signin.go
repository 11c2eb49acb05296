package operators

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// OpSignIn and OpSignOut are in the audit log where an operator signs in at the provider, and out.
const (
	OpSignIn  = "me.sign_in"
	OpSignOut = "me.sign_out"
)

// ProviderPrefix begins the names of the operators that a provider vouches for, and of no others.
// Their roles are those of their groups at their last sign-in, and they have no tokens but their
// sessions: so whoever leaves a group loses its role within SessionLife.
const ProviderPrefix = "oidc."

const (
	sessionPrefix = "session." // of the names of tokens
	maxSessions   = 10         // of one operator; a new one ends the oldest
)

// SessionLife is how long an operator stays signed in.
const SessionLife = 8 * time.Hour

func fromProvider(name string) bool { return strings.HasPrefix(name, ProviderPrefix) }

// SignIn gives a session to an operator that the provider vouches for, and these roles in place of
// those it had. It creates the operator if there is none of this name. Whoever has no role any more
// loses its other sessions too. The deed is the operator's own. Errors: skein.ErrForbidden without a
// role; skein.ErrTooLarge.
func (s *Service) SignIn(ctx context.Context, call skein.OperatorCall, name string, roles []skein.OperatorIn) (Issued, error) {
	call.Account.Name = name
	if len(roles) == 0 {
		return Issued{}, s.endSessions(ctx, call)
	}
	token, secret := s.newToken(Terms{Name: sessionPrefix + rand.Text()[:12], Life: SessionLife})
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Operators(ctx)
		if err != nil {
			return skein.Deed{}, err
		}
		d, o := call.Deed(OpSignIn, target(name, token.Name)), named(all, name)
		d.Before = viewOf(o)
		switch {
		case o == nil && len(all) >= skein.MaxOperators:
			return skein.Deed{}, &skein.Fault{Err: skein.ErrTooLarge, Field: "operator_name", Detail: "at most 1000 operators"}
		case o == nil:
			o = &skein.OperatorAccount{Name: name, Created: token.Created}
		}
		o.Roles = sorted(roles)
		o.Tokens = append(live(o.Tokens, token.Created), token)
		d.After = viewOf(o)
		return d, t.PutOperator(ctx, *o)
	})
	if err != nil {
		return Issued{}, err
	}
	s.opts.Changed()
	return Issued{name, token.Name, secret, token.Expires}, nil
}

// endSessions ends all sessions of the operator who calls, and returns why: none of its groups has
// a role.
func (s *Service) endSessions(ctx context.Context, call skein.OperatorCall) error {
	noRole := &skein.Fault{Err: skein.ErrForbidden, Detail: "none of your groups has a role here"}
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Operators(ctx)
		if err != nil {
			return skein.Deed{}, err
		}
		o := named(all, call.Account.Name)
		if o == nil || len(o.Tokens) == 0 {
			return skein.Deed{}, noRole // nothing to change, nothing to log
		}
		d := call.Deed(OpSignOut, o.Name)
		d.Before = viewOf(o)
		o.Tokens = nil
		d.After = viewOf(o)
		return d, t.PutOperator(ctx, *o)
	})
	if err != nil {
		return err
	}
	s.opts.Changed()
	return noRole
}

// live are the tokens that have not expired, without the oldest sessions where there are too many.
func live(tokens []skein.OperatorToken, now skein.Millis) []skein.OperatorToken {
	left := slices.DeleteFunc(slices.Clone(tokens), func(t skein.OperatorToken) bool { return t.Expires <= now })
	for len(left) >= maxSessions {
		left = slices.Delete(left, 0, 1)
	}
	return left
}

// SignOut ends the session of the operator who calls. Errors: skein.ErrNotFound where the token of
// the call is no session.
func (s *Service) SignOut(ctx context.Context, by skein.Actor) error {
	if !strings.HasPrefix(by.Operator.Token, sessionPrefix) {
		return &skein.Fault{Err: skein.ErrNotFound, Detail: "this call does not use a session"}
	}
	return s.DeleteToken(ctx, by, OpSignOut, by.Operator.Account.Name, by.Operator.Token)
}
