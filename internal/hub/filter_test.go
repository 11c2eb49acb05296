package hub

import (
	"testing"

	"github.com/skein-im/skein"
)

func TestTheFilterForgetsWhoLeft(t *testing.T) {
	h := New(Options{})
	defer func() { _ = h.Close(t.Context()) }()
	conn := new(countingConn)
	who := skein.MarkOf("Tom")
	phone, pad := attach(t, h, "phone", 1, conn), attach(t, h, "pad", 2, conn)
	phone.Detach()
	if !h.MayHave(who) {
		t.Error("Tom is not to be found while the pad is here")
	}
	pad.Detach()
	pad.Detach() // twice is once
	for i := range h.filter.counts {
		if n := h.filter.counts[i].Load(); n != 0 {
			t.Fatalf("counter %d is %d with nobody here", i, n)
		}
	}
}
