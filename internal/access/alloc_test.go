package access

import (
	"testing"

	"github.com/skein-im/skein"
)

// Budgets: how often it may allocate to tell who is calling.
const (
	appBudget   = 0
	sendBudget  = 0  // to count a message against the sender's rate
	keyBudget   = 4  // the context with its deadline and timer
	tokenBudget = 47 // the context, and a JWT that is parsed and whose signature is made anew
)

func TestAllocsOfTellingWhoCalls(t *testing.T) {
	f := newFixture(t, skein.Settings{RESTRate: -1, SendRate: -1})
	key, bearer := credentials("shop", appKeyText, ""), credentials("shop", "", "Bearer "+tokenOf(start, nil).String())
	by, err := f.Caller(t.Context(), key)
	f.must(err)
	by.Client = "Tom"
	for name, tt := range map[string]struct {
		budget float64
		work   func() error
	}{
		"an app at hand":       {appBudget, func() error { _, err := f.App(t.Context(), "shop"); return err }},
		"a message's rate":     {sendBudget, func() error { return f.Charge(by, 1) }},
		"a call with a key":    {keyBudget, func() error { _, err := f.Caller(t.Context(), key); return err }},
		"a call with a bearer": {tokenBudget, func() error { _, err := f.Caller(t.Context(), bearer); return err }},
	} {
		got := testing.AllocsPerRun(200, func() { f.must(tt.work()) })
		if got > tt.budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, got, tt.budget)
		}
	}
}
