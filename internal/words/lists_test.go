package words

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store of one list.
type shelf struct {
	list  atomic.Pointer[skein.WordList]
	reads atomic.Int64
	err   error
}

func (s *shelf) WordList(context.Context, string) (skein.WordList, error) {
	s.reads.Add(1)
	if l := s.list.Load(); l != nil {
		return *l, s.err
	}
	return skein.WordList{}, s.err
}

func listsOver(t *testing.T, s Store, bytes int64) *Lists {
	t.Helper()
	l := New(Options{Store: s, Bytes: bytes})
	t.Cleanup(l.Close)
	return l
}

func appWith(id string, revision int64) *skein.App {
	return &skein.App{ID: id, Settings: skein.Settings{WordList: revision}}
}

func screened(t *testing.T, l *Lists, app *skein.App, text string) string {
	t.Helper()
	got, err := l.Screen(t.Context(), app, "text", text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheListOfTheRevisionIsInForce(t *testing.T) {
	s := &shelf{}
	l := listsOver(t, s, 0)
	if got := screened(t, l, appWith("shop", 0), "one two"); got != "one two" || s.reads.Load() != 0 {
		t.Fatalf("without a list: got %q and %d reads", got, s.reads.Load())
	}
	s.list.Store(&skein.WordList{Revision: 5, Replace: []string{"one"}})
	for range 3 {
		if got := screened(t, l, appWith("shop", 5), "one two"); got != "*** two" {
			t.Fatalf("got %q", got)
		}
	}
	s.list.Store(&skein.WordList{Revision: 9, Replace: []string{"two"}, Reject: []string{"three"}})
	if got := screened(t, l, appWith("shop", 9), "one two"); got != "one ***" {
		t.Fatalf("after a change: got %q", got)
	}
	for range 4 { // a node's settings are a second old: calls with both revisions run side by side
		screened(t, l, appWith("shop", 5), "one two")
		screened(t, l, appWith("shop", 9), "one two")
	}
	if n := s.reads.Load(); n > 3 {
		t.Fatalf("got %d reads of the store, want at most 3", n)
	}
	_, err := l.Screen(t.Context(), appWith("shop", 9), "nickname", "three")
	var f *skein.Fault
	if !errors.Is(err, skein.ErrRefused) || !errors.As(err, &f) || f.Field != "nickname" {
		t.Fatalf("got error %v", err)
	}
	s.list.Store(nil)
	if got := screened(t, l, appWith("shop", 10), "two"); got != "two" {
		t.Fatalf("after the list was removed: got %q", got)
	}
}

func TestAListThatCannotBeReadRefusesTextsAndIsReadAgain(t *testing.T) {
	s := &shelf{err: errors.New("away")}
	l := listsOver(t, s, 0)
	if _, err := l.Screen(t.Context(), appWith("shop", 5), "text", "one"); !errors.Is(err, skein.ErrUnavailable) {
		t.Fatalf("got error %v, want %v", err, skein.ErrUnavailable)
	}
	l.loads.Wait() // the failed list is forgotten
	s.err = nil
	s.list.Store(&skein.WordList{Revision: 5, Replace: []string{"one"}})
	if got := screened(t, l, appWith("shop", 5), "one"); got != "***" {
		t.Fatalf("got %q", got)
	}
}

// stuck is a store that answers when its caller gives up.
type stuck struct{}

func (stuck) WordList(ctx context.Context, _ string) (skein.WordList, error) {
	<-ctx.Done()
	return skein.WordList{}, ctx.Err()
}

func TestACallerDoesNotWaitLongerThanItsContext(t *testing.T) {
	l := listsOver(t, stuck{}, 0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := l.Screen(ctx, appWith("shop", 1), "text", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got error %v", err)
	}
}

func TestListsThatAreNotUsedLeaveMemory(t *testing.T) {
	s := &shelf{}
	s.list.Store(&skein.WordList{Revision: 1, Replace: []string{"one"}})
	one, err := Compile(*s.list.Load())
	if err != nil {
		t.Fatal(err)
	}
	l := listsOver(t, s, 3*one.Size())
	for i := range 10 {
		screened(t, l, appWith(fmt.Sprint("app", i), 1), "one")
	}
	l.loads.Wait()
	if got := l.bytes(); got > 3*one.Size() {
		t.Fatalf("got %d bytes, want at most %d", got, 3*one.Size())
	}
	reads := s.reads.Load()
	screened(t, l, appWith("app9", 1), "one")
	if s.reads.Load() != reads {
		t.Fatal("the list that was used last was forgotten")
	}
}
