package access

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// staff is the store as far as Operators reads it.
type staff struct {
	store.Admin

	mu    sync.Mutex
	all   []skein.OperatorAccount // guarded by mu
	reads int                     // guarded by mu
	away  error                   // guarded by mu
	pause func()                  // called between a read and its answer; nil: nothing. Set before any call
}

func (s *staff) Operators(context.Context) ([]skein.OperatorAccount, error) {
	s.mu.Lock()
	s.reads++
	all, err := s.all, s.away
	s.mu.Unlock()
	if s.pause != nil {
		s.pause()
	}
	return all, err
}

func (s *staff) set(all ...skein.OperatorAccount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = all
}

// desk is Operators over a staff, and its clock.
type desk struct {
	*testing.T
	*Operators
	*staff

	now time.Time
}

func newDesk(t *testing.T, all ...skein.OperatorAccount) *desk {
	d := &desk{T: t, staff: &staff{all: all}, now: start.Time()}
	d.Operators = NewOperators(OperatorOptions{Store: d.staff, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)})
	return d
}

// account is an operator with the token "sko_" and its name, good for a minute.
func account(name string, roles ...skein.OperatorIn) skein.OperatorAccount {
	token := skein.OperatorToken{Name: "laptop", Hash: HashKey("sko_" + name), Created: start, Expires: start.Add(time.Minute)}
	return skein.OperatorAccount{Name: name, Roles: roles, Tokens: []skein.OperatorToken{token}}
}

// call shows a header, and wants an error or the name of an operator.
func (d *desk) call(what, header string, want error, name string) skein.OperatorCall {
	d.Helper()
	by, err := d.Caller(d.Context(), &header)
	if err != want || by.Account.Name != name { //nolint:errorlint // one answer for all
		d.Errorf("%s: got operator %q and error %v, want %q and %v", what, by.Account.Name, err, name, want)
	}
	return by
}

func TestATokenTellsItsOperatorAlone(t *testing.T) {
	ann := account("ann", skein.OperatorIn{App: "shop", Role: skein.OperatorAdmin}, skein.OperatorIn{Role: skein.OperatorReadOnly})
	ann.Tokens = append(ann.Tokens, skein.OperatorToken{Name: "old", Hash: HashKey("sko_old"), Expires: start})
	for header, want := range map[string]string{
		"Bearer sko_ann": "ann", "bearer sko_ann": "ann", "Bearer  sko_ann ": "ann", "Bearer sko_bob": "bob",
		"": "", "Bearer": "", "Bearer ": "", "sko_ann": "", "Basic sko_ann": "", "Bearer sko_an": "", "Bearer SKO_ANN": "", "Bearer sko_ann sko_bob": "", "Bearer laptop": "", "Bearer ann": "",
		"Bearer sko_old": "", "Bearer " + strings.Repeat("x", maxTokenLength): "", "Bearer " + strings.Repeat(" ", maxTokenLength) + "sko_ann": "",
	} {
		d := newDesk(t, ann, account("bob"))
		var wanted error
		if want == "" {
			wanted = skein.ErrUnauthenticated
		}
		d.call(header[:min(len(header), 40)], header, wanted, want)
	}
	d := newDesk(t, ann)
	if _, err := d.Caller(t.Context(), nil); err != skein.ErrUnauthenticated || d.reads != 0 { //nolint:errorlint // as it is
		t.Errorf("no header: got error %v after %d reads, want %v after none", err, d.reads, skein.ErrUnauthenticated)
	}
	by := d.call("a token", "Bearer sko_ann", nil, "ann")
	if by.Token != "laptop" {
		t.Errorf("got the token %q, want laptop", by.Token)
	}
	for app, want := range map[string]skein.OperatorRole{"": skein.OperatorReadOnly, "shop": skein.OperatorAdmin, "other": skein.OperatorReadOnly, "Shop": skein.OperatorReadOnly} {
		if got := by.Account.RoleIn(app); got != want {
			t.Errorf("in the app %q: got the role %v, want %v", app, got, want)
		}
	}
}

func TestATokenIsGoodUntilItsLastMillisecond(t *testing.T) {
	d := newDesk(t, account("ann"))
	d.now = d.now.Add(time.Minute - time.Millisecond)
	d.call("before its end", "Bearer sko_ann", nil, "ann")
	d.now = d.now.Add(time.Millisecond)
	d.call("at its end, from memory", "Bearer sko_ann", skein.ErrUnauthenticated, "")
	d.now = d.now.Add(appLife)
	d.call("after its end", "Bearer sko_ann", skein.ErrUnauthenticated, "")
}

func TestWhatAnotherNodeChangedIsInForceWithinASecond(t *testing.T) {
	shop := func(role skein.OperatorRole) skein.OperatorAccount {
		return account("ann", skein.OperatorIn{App: "shop", Role: role})
	}
	d := newDesk(t, shop(skein.OperatorAdmin))
	role := func(what string, want skein.OperatorRole) {
		t.Helper()
		if by := d.call(what, "Bearer sko_ann", nil, "ann"); by.Account.RoleIn("shop") != want {
			t.Errorf("%s: got the role %v, want %v", what, by.Account.RoleIn("shop"), want)
		}
	}
	role("at first", skein.OperatorAdmin)
	d.set(shop(skein.OperatorSupport))
	d.now = d.now.Add(appLife - time.Millisecond)
	role("within the second", skein.OperatorAdmin)
	if d.reads != 1 {
		t.Errorf("within the second: got %d reads of the store, want 1", d.reads)
	}
	d.now = d.now.Add(time.Millisecond)
	role("a second later", skein.OperatorSupport)
	d.set()
	d.now = d.now.Add(appLife)
	d.call("a second after the operator was removed", "Bearer sko_ann", skein.ErrUnauthenticated, "")
	d.set(account("bob"))
	d.call("a token that another node made a moment ago", "Bearer sko_bob", nil, "bob")
	d.set()
	d.now = d.now.Add(-time.Hour)
	d.call("a clock that was put back trusts nothing", "Bearer sko_bob", skein.ErrUnauthenticated, "")
}

func TestWhatThisNodeChangedIsInForceAtOnce(t *testing.T) {
	d := newDesk(t, account("ann"))
	d.call("at first", "Bearer sko_ann", nil, "ann")
	d.set()
	d.Forget()
	d.call("after the operator was removed", "Bearer sko_ann", skein.ErrUnauthenticated, "")

	d = newDesk(t, account("ann"))
	d.pause = func() {
		d.pause = nil
		d.set()
		d.Forget()
	}
	d.call("a read that a change overtakes", "Bearer sko_ann", nil, "ann")
	d.call("after it", "Bearer sko_ann", skein.ErrUnauthenticated, "")
}

func TestGuessedTokensDoNotReadTheStoreEachTime(t *testing.T) {
	d := newDesk(t, account("ann"))
	d.call("at first", "Bearer sko_ann", nil, "ann")
	for range 100 {
		d.call("a guess", "Bearer sko_guess", skein.ErrUnauthenticated, "")
	}
	if d.reads > 11 {
		t.Errorf("100 guesses: got %d reads of the store, want 11 at most", d.reads)
	}
	reads := d.reads
	d.call("a good token beside them", "Bearer sko_ann", nil, "ann")
	if d.reads != reads {
		t.Errorf("a good token beside them: got %d reads more, want none", d.reads-reads)
	}
}

func TestAStoreThatIsAwayIsNoBadToken(t *testing.T) {
	d := newDesk(t, account("ann"))
	d.call("at first", "Bearer sko_ann", nil, "ann")
	d.staff.mu.Lock()
	d.away = skein.ErrUnavailable
	d.staff.mu.Unlock()
	d.call("from memory", "Bearer sko_ann", nil, "ann")
	d.now = d.now.Add(appLife)
	d.call("a second later", "Bearer sko_ann", skein.ErrUnavailable, "")
}

// With -race this fails where anything is shared without its lock.
func TestOperatorsCallAllAtOnce(t *testing.T) {
	d := newDesk(t, account("ann"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				d.Forget()
				d.call("a token", "Bearer sko_ann", nil, "ann")
				d.call("a guess", "Bearer sko_guess", skein.ErrUnauthenticated, "")
			}
		})
	}
	all.Wait()
}
