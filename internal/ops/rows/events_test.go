package ops

import (
	"slices"
	"testing"

	"github.com/skein-im/skein"
)

func TestALimitedTokenHearsOnlyWhatItMayRead(t *testing.T) {
	all := func(names ...string) (deaf []string) {
		for _, e := range Events {
			if e.Name != skein.EventResync && !slices.Contains(names, e.Name) { // everyone is told to sync
				deaf = append(deaf, e.Name)
			}
		}
		return deaf
	}
	conv := []string{skein.EventConvCreated, skein.EventConvUpdated, skein.EventConvDeleted, skein.EventMembersAdded, skein.EventMembersRemoved, skein.EventRead, skein.EventKick}
	for name, tt := range map[string]struct {
		actions []string
		deaf    []string
	}{
		"not limited":    {nil, nil},
		"to nothing":     {[]string{}, all(skein.EventKick)},
		"to sending":     {[]string{"msg.send"}, all(skein.EventKick)},
		"to the history": {[]string{"msg.send", "msg.list"}, all(skein.EventMessage, skein.EventMessageUpdated, skein.EventKick)},
		"to the inbox":   {[]string{"conv.list"}, all(conv...)},
		"to typing":      {[]string{"typing"}, all(skein.EventTyping, skein.EventKick)},
		"to reading":     {[]string{"conv.read"}, all(skein.EventRead, skein.EventKick)},
	} {
		if got, want := Deaf(tt.actions), skein.EventSetOf(tt.deaf...); got != want {
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
