package rows

import (
	"slices"
	"testing"

	"github.com/skein-im/skein"
)

func TestALimitedTokenHearsOnlyWhatItMayRead(t *testing.T) {
	all := func(names ...string) (withheld []string) {
		names = append(names, skein.EventKick, skein.EventResync)
		for _, e := range Events {
			if e.Name != skein.EventResync && !slices.Contains(names, e.Name) { // everyone is told to sync
				withheld = append(withheld, e.Name)
			}
		}
		return withheld
	}
	conv := []string{skein.EventConvCreated, skein.EventConvUpdated, skein.EventConvDeleted, skein.EventMembersAdded, skein.EventMembersRemoved, skein.EventRead}
	for name, tt := range map[string]struct {
		actions  []string
		withheld []string
	}{
		"not limited":    {nil, nil},
		"to nothing":     {[]string{}, all()},
		"to sending":     {[]string{"msg.send"}, all()},
		"to the history": {[]string{"msg.send", "msg.list"}, all(skein.EventMessage, skein.EventMessageUpdated)},
		"to the inbox":   {[]string{"conv.list"}, all(conv...)},
		"to typing":      {[]string{"typing"}, all(skein.EventTyping)},
		"to reading":     {[]string{"conv.read"}, all(skein.EventRead)},
	} {
		if got, want := Withheld(tt.actions), skein.EventSetOf(tt.withheld...); got != want {
			t.Errorf("%s: got %b, want %b", name, got, want)
		}
	}
	f := newFixture(t)
	for _, e := range Events {
		for _, op := range e.For {
			f.op(op)
		}
	}
}
