package ops

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/strict"
)

type sumRequest struct {
	A strict.ID `json:"a" need:"1"`
	B int64     `json:"b"`
}

type sumAnswer struct {
	Sum string `json:"sum"`
}

const (
	sum     Call[sumRequest, sumAnswer] = "sum"
	settle  Call[struct{}, Done]        = "settle"
	inspect Call[struct{}, string]      = "inspect"
)

// apps is a store with one app, "shop", whose clients may send twice at once.
type apps struct{ store.Store }

func (apps) App(context.Context, string) (skein.App, error) {
	return skein.App{ID: "shop", Settings: skein.Settings{SendRate: 1, SendBurst: 2}}, nil
}

// call is what the audit was told of.
type call struct {
	op, client, operator string
	failed               bool
}

// newTable has an op for members, one for the backend and one for operators.
func newTable(t *testing.T) (table *Table, shop *skein.App, audited *[]call) {
	t.Helper()
	gate := access.New(access.Options{Apps: apps{}, Clients: apps{}})
	shop, err := gate.App(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	audited = new([]call)
	return New(gate, func(_ context.Context, by skein.Actor, op string, err error) {
		*audited = append(*audited, call{op, by.Client, operatorOf(by), err != nil})
	}, nil, []*Op{
		Row(sum, Op{Need: skein.NeedMember, Policy: Policy{Messages: 1}}, func(_ context.Context, by skein.Actor, in sumRequest) (sumAnswer, error) {
			if by.Need != skein.NeedMember {
				return sumAnswer{}, errors.New("the use case does not learn the need")
			}
			return sumAnswer{string(in.A) + "+" + string(rune('0'+in.B))}, nil
		}, func() (string, sumAnswer) { return "{}", sumAnswer{} }),
		Row(settle, Op{Need: skein.NeedServer}, func(context.Context, skein.Actor, struct{}) (Done, error) {
			return Done{}, nil
		}, func() (string, Done) { return "{}", Done{} }),
		Row(inspect, Op{Need: skein.NeedOperator}, func(_ context.Context, by skein.Actor, _ struct{}) (string, error) {
			return by.Operator.Account.Name, nil
		}, func() (string, string) { return "{}", "" }),
	}), shop, audited
}

func TestInvokeAnswersAsACallWithJSONDoes(t *testing.T) {
	table, shop, _ := newTable(t)
	by := skein.Actor{App: shop, Client: "Tom"}
	got, err := Invoke(t.Context(), table, by, sum, sumRequest{A: "x", B: 3})
	if err != nil || got.Sum != "x+3" {
		t.Errorf("Invoke: got %+v, %v; want x+3", got, err)
	}
	text, err := table.Call(t.Context(), by, "sum", []byte(`{"a":"x","b":3}`))
	if err != nil || string(text) != `{"sum":"x+3"}` {
		t.Errorf("by socket: got %s, %v", text, err)
	}
}

func TestInvokeIsHeldToRequiredFieldsAndRate(t *testing.T) {
	table, shop, _ := newTable(t)
	by := skein.Actor{App: shop, Client: "Tom"}
	var fault *skein.Fault
	if _, err := Invoke(t.Context(), table, by, sum, sumRequest{B: 1}); !errors.Is(err, skein.ErrMissing) || !errors.As(err, &fault) || fault.Field != "a" {
		t.Errorf("without a: got %v, want %v about a", err, skein.ErrMissing)
	}
	if _, err := Invoke(t.Context(), table, by, sum, sumRequest{A: "x"}); err != nil {
		t.Errorf("the second of a burst of two: got %v", err)
	}
	if _, err := Invoke(t.Context(), table, by, sum, sumRequest{A: "x"}); !errors.Is(err, skein.ErrRateLimited) {
		t.Errorf("the third: got %v, want %v", err, skein.ErrRateLimited)
	}
	for range 5 {
		if _, err := Invoke(t.Context(), table, skein.Actor{App: shop}, sum, sumRequest{A: "x"}); err != nil {
			t.Fatalf("the backend has no send rate: got %v", err)
		}
	}
}

func TestEachKindOfPrincipalMeetsItsOpsAlone(t *testing.T) {
	table, shop, _ := newTable(t)
	principals := map[string]skein.Actor{
		"backend":        {App: shop},
		"client":         {App: shop, Client: "Tom"},
		"limited client": {App: shop, Client: "Tom", Actions: []string{"settle", "inspect"}},
		"operator":       operator("root"),
	}
	for name, may := range map[string][]string{
		"backend":        {"sum", "settle"},
		"client":         {"sum"},
		"limited client": {},
		"operator":       {"inspect"},
	} {
		by := principals[name]
		_, sumErr := Invoke(t.Context(), table, by, sum, sumRequest{A: "x"})
		_, settleErr := Invoke(t.Context(), table, by, settle, struct{}{})
		who, inspectErr := Invoke(t.Context(), table, by, inspect, struct{}{})
		for op, err := range map[string]error{"sum": sumErr, "settle": settleErr, "inspect": inspectErr} {
			if slices.Contains(may, op) != (err == nil) || err != nil && !errors.Is(err, skein.ErrForbidden) {
				t.Errorf("%s calls %s: got %v, may %q", name, op, err, may)
			}
		}
		if inspectErr == nil && who != "root" {
			t.Errorf("%s: the use case learns of %q, want root", name, who)
		}
	}
	if table.Op("settle").Socket() || table.Op("inspect").Socket() || !table.Op("sum").Socket() {
		t.Error("only what clients may call is a socket command")
	}
}

func TestTheAuditIsToldOfEveryCallAndRefusal(t *testing.T) {
	table, shop, audited := newTable(t)
	tom := skein.Actor{App: shop, Client: "Tom"}
	_, _ = Invoke(t.Context(), table, tom, sum, sumRequest{A: "x"})
	_, _ = Invoke(t.Context(), table, tom, settle, struct{}{})
	_, _ = Invoke(t.Context(), table, operator("root"), inspect, struct{}{})
	_, _ = table.Call(t.Context(), tom, "sum", []byte(`{"b":"x"}`))
	want := []call{{"sum", "Tom", "", false}, {"settle", "Tom", "", true}, {"inspect", "", "root", false}, {"sum", "Tom", "", true}}
	if !slices.Equal(*audited, want) {
		t.Errorf("got %+v, want %+v", *audited, want)
	}
}

func TestInvokeOfAnotherTableIsAnError(t *testing.T) {
	table, shop, _ := newTable(t)
	for name, err := range map[string]error{
		"no such op":  second(Invoke(t.Context(), table, skein.Actor{App: shop}, Call[struct{}, Done]("dance"), struct{}{})),
		"other types": second(Invoke(t.Context(), table, skein.Actor{App: shop}, Call[sumRequest, Done]("settle"), sumRequest{})),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// operator is one that may call every op for operators.
func operator(name string) skein.Actor {
	return skein.Actor{Operator: &skein.OperatorCall{Account: skein.OperatorAccount{Name: name, Roles: []skein.OperatorIn{{Role: skein.OperatorReadOnly}}}}}
}

func operatorOf(by skein.Actor) string {
	if by.Operator == nil {
		return ""
	}
	return by.Operator.Account.Name
}

func second[T any](_ T, err error) error { return err }
