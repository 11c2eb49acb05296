package operators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// memory keeps operators and the deeds about them.
type memory struct {
	Store

	all   []skein.OperatorAccount
	deeds []skein.Deed
}

func (m *memory) Administer(ctx context.Context, fn func(context.Context, store.AdminTx) (skein.Deed, error)) (skein.Deed, error) {
	d, err := fn(ctx, memoryTx{m: m})
	if err == nil {
		m.deeds = append(m.deeds, d)
	}
	return d, err
}

// memoryTx is a transaction on memory.
type memoryTx struct {
	store.AdminTx

	m *memory
}

func (t memoryTx) Operators(context.Context) ([]skein.OperatorAccount, error) {
	return slices.Clone(t.m.all), nil
}

func (t memoryTx) PutOperator(_ context.Context, o skein.OperatorAccount) error {
	t.m.all = append(slices.DeleteFunc(t.m.all, func(old skein.OperatorAccount) bool { return old.Name == o.Name }), o)
	return nil
}

func TestTheProviderDecidesRolesAtEachSignIn(t *testing.T) {
	now, told := time.UnixMilli(1_790_000_000_000), 0
	m := &memory{}
	s := New(Options{Store: m, Now: func() time.Time { return now }, Changed: func() { told++ }})
	call := skein.OperatorCall{Addr: "10.0.0.7", RequestID: "7f3e"}
	const name = ProviderPrefix + "ann.1"
	signIn := func(roles ...skein.OperatorIn) (Issued, error) { return s.SignIn(t.Context(), call, name, roles) }
	ann := func() *skein.OperatorAccount { return named(m.all, name) }

	if _, err := signIn(); !errors.Is(err, skein.ErrForbidden) || len(m.deeds) != 0 || len(m.all) != 0 {
		t.Errorf("a stranger without a role: got error %v, %d deeds, %d operators; want %v and none", err, len(m.deeds), len(m.all), skein.ErrForbidden)
	}
	first, err := signIn(skein.OperatorIn{App: "shop", Role: skein.OperatorAdmin}, skein.OperatorIn{Role: skein.OperatorReadOnly})
	if err != nil || first.Expires != skein.MillisOf(now.Add(SessionLife)) || Hash(first.Token) != ann().Tokens[0].Hash {
		t.Fatalf("the first sign-in: got %+v, error %v, tokens %+v", first, err, ann().Tokens)
	}
	if d := m.deeds[0]; d.Op != OpSignIn || d.Operator != name || d.Target != name+"/"+first.Name || d.Addr != call.Addr || d.RequestID != call.RequestID {
		t.Errorf("the first sign-in in the audit log: got %+v", d)
	}
	for range maxSessions {
		now = now.Add(time.Minute)
		if _, err := signIn(skein.OperatorIn{App: "shop", Role: skein.OperatorSupport}); err != nil {
			t.Fatal(err)
		}
	}
	if got := ann(); fmt.Sprint(got.Roles) != "[{shop support}]" || len(got.Tokens) != maxSessions || got.Token(first.Name) != nil {
		t.Errorf("after %d more: got roles %v and %d sessions, the first among them %v; want [{shop support}], %d without the first", maxSessions, got.Roles, len(got.Tokens), got.Token(first.Name) != nil, maxSessions)
	}
	now = now.Add(SessionLife)
	if _, err := signIn(skein.OperatorIn{Role: skein.OperatorOwner}); err != nil || len(ann().Tokens) != 1 {
		t.Errorf("after all sessions expired: got %d sessions, error %v; want 1", len(ann().Tokens), err)
	}
	before := told
	if _, err := signIn(); !errors.Is(err, skein.ErrForbidden) || len(ann().Tokens) != 0 || m.deeds[len(m.deeds)-1].Op != OpSignOut || told != before+1 {
		t.Errorf("a sign-in without a role: got error %v, %d sessions, deed %s, told %d times; want %v, none, %s, once", err, len(ann().Tokens), m.deeds[len(m.deeds)-1].Op, told-before, skein.ErrForbidden, OpSignOut)
	}
}

func TestOnlyTheProviderMakesItsOperators(t *testing.T) {
	s := New(Options{Store: &memory{}})
	owner := []skein.OperatorIn{{Role: skein.OperatorOwner}}
	if _, err := s.Create(t.Context(), skein.Actor{Operator: &skein.OperatorCall{}}, ProviderPrefix+"bob", owner, Terms{Name: "a", Life: time.Hour}); !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("an operator with the prefix of the provider's: got error %v, want %v", err, skein.ErrMalformed)
	}
	if _, err := s.CreateToken(t.Context(), skein.Actor{Operator: &skein.OperatorCall{}}, OpTokenCreate, ProviderPrefix+"bob", Terms{Name: "a", Life: time.Hour}); !errors.Is(err, skein.ErrForbidden) {
		t.Errorf("a token for an operator of the provider: got error %v, want %v", err, skein.ErrForbidden)
	}
}
