package recent

import "testing"

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
