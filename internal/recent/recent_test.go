package recent

import (
	"sync"
	"testing"
)

func TestKeepsTheLimitMostRecentlyUsedAndForgetsTheRest(t *testing.T) {
	m := New[int, int](10)
	for i := range 1000 {
		m.Put(i, i)
		if v, ok := m.Get(0); !ok || v != 0 {
			t.Fatalf("after %d puts: entry 0, used every time, is gone", i+1)
		}
	}
	for i := 991; i < 1000; i++ {
		if v, ok := m.Get(i); !ok || v != i {
			t.Errorf("entry %d = %d, %v; it is among the ten used last", i, v, ok)
		}
	}
	if n := len(m.young) + len(m.old); n > 20 {
		t.Errorf("holds %d entries; at most twice the limit of 10", n)
	}
	if _, ok := m.Get(500); ok {
		t.Error("entry 500 is still there, 499 entries later")
	}
}

func TestDeletedIsGoneFromBothGenerations(t *testing.T) {
	m := New[string, int](1)
	m.Put("a", 1)
	m.Put("b", 2) // a is old now
	m.Delete("a")
	m.Delete("b")
	for _, k := range []string{"a", "b"} {
		if v, ok := m.Get(k); ok {
			t.Errorf("%s = %d after Delete", k, v)
		}
	}
}

func TestSharedKeepsAboutTheLimit(t *testing.T) {
	const limit = 1000
	m := NewShared[int, int](limit)
	for i := range 100 * limit {
		m.Put(i, i)
		if v, ok := m.Get(0); !ok || v != 0 {
			t.Fatalf("after %d puts: entry 0, used every time, is gone", i+1)
		}
	}
	n := 0
	for i := range m.parts {
		n += len(m.parts[i].all.young) + len(m.parts[i].all.old)
	}
	if n < limit || n > 2*(limit+parts) {
		t.Errorf("holds %d entries, want at least the limit of %d and at most about twice", n, limit)
	}
	m.Delete(0)
	if v, ok := m.Get(0); ok {
		t.Errorf("entry 0 = %d after Delete", v)
	}
}

func TestManyRenewASharedEntryOneAfterTheOther(t *testing.T) {
	m := NewShared[string, int](10)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				m.Renew("count", func(before int, _ bool) int { return before + 1 })
				m.Get("count")
			}
		})
	}
	all.Wait()
	if v, ok := m.Get("count"); !ok || v != 8000 {
		t.Errorf("got %d, %v; want 8000", v, ok)
	}
	if v := m.Renew("none", func(_ int, there bool) int { return map[bool]int{false: 7}[there] }); v != 7 {
		t.Errorf("of an entry that is not there: got %d, want 7", v)
	}
}
