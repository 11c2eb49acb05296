package socket

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

const (
	here  = "01020300000000000000000000000001"
	there = "01020300000000000000000000000002"
)

func sendTo(conv, id string) wire.Frame {
	return wire.Frame{Type: "msg.send", Data: fmt.Appendf(nil, `{"conv_id":%q,"client_msg_id":%s,"text":"x"}`, conv, id)}
}

func TestBehindARefusedSendThoseOnTheirWayAreRefused(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	for name, tt := range map[string]struct {
		refused, next string // client_msg_id
		conv          string // of the next
		after         time.Duration
		want          bool
	}{
		"the next":                      {`"a"`, `"b"`, here, 0, false},
		"the refused one again":         {`"a"`, `"a"`, here, 0, true},
		"one without an id":             {`"a"`, `null`, here, 0, false},
		"behind one without an id":      {`null`, `null`, here, 0, false},
		"within a second":               {`"a"`, `"b"`, here, 999 * time.Millisecond, false},
		"after a second":                {`"a"`, `"b"`, here, time.Second, true},
		"when the clock is put back":    {`"a"`, `"b"`, here, -time.Hour, true},
		"in another conversation":       {`"a"`, `"b"`, there, 0, true},
		"the same id elsewhere":         {`"a"`, `"a"`, there, 0, true},
		"what no call would be able to": {`"a"`, `"b"`, "nowhere", 0, true},
	} {
		var o order
		o.answered(sendTo(here, tt.refused), skein.Later(skein.ErrRateLimited, time.Millisecond), now)
		o.answered(sendTo(here, `"later"`), skein.ErrRateLimited, now.Add(time.Millisecond))
		if got := o.admit(sendTo(tt.conv, tt.next), now.Add(tt.after)) == nil; got != tt.want {
			t.Errorf("%s: admitted %v, want %v", name, got, tt.want)
		}
		if tt.want && tt.conv == here && o.admit(sendTo(here, `"z"`), now.Add(tt.after)) != nil {
			t.Errorf("%s: it is not open behind it", name)
		}
		if tt.conv == there && o.admit(sendTo(here, `"z"`), now) == nil {
			t.Errorf("%s: it opened the first conversation", name)
		}
	}
}

func TestWhatIsHeldOfASocketIsBounded(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	var o order
	for i := range 1000 {
		o.answered(sendTo(fmt.Sprintf("%032x", i+1), `"a"`), skein.ErrRateLimited, now)
		o.answered(sendTo(fmt.Sprintf("no conversation %d", i), `"a"`), skein.ErrRateLimited, now)
	}
	if len(o.held) > maxHeld+1 {
		t.Errorf("%d conversations are held, want at most %d", len(o.held), maxHeld+1)
	}
	for i := range 1000 {
		if o.admit(sendTo(fmt.Sprintf("%032x", i+1), `"b"`), now) == nil {
			t.Fatalf("conversation %d is open", i)
		}
	}
	if o.admit(sendTo(here, `"b"`), now.Add(orderWait)) != nil || o.held != nil {
		t.Errorf("after a second %d are held still", len(o.held))
	}
}
