package socket

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

func TestBehindARefusedSendThoseOnTheirWayAreRefused(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	for name, tt := range map[string]struct {
		refused, next string // client_msg_id
		after         time.Duration
		want          bool
	}{
		"the next":                   {`"a"`, `"b"`, 0, false},
		"the refused one again":      {`"a"`, `"a"`, 0, true},
		"one without an id":          {`"a"`, `null`, 0, false},
		"behind one without an id":   {`null`, `null`, 0, false},
		"within a second":            {`"a"`, `"b"`, 999 * time.Millisecond, false},
		"after a second":             {`"a"`, `"b"`, time.Second, true},
		"when the clock is put back": {`"a"`, `"b"`, -time.Hour, true},
	} {
		send := func(id string) wire.Frame {
			return wire.Frame{Type: "msg.send", Data: fmt.Appendf(nil, `{"client_msg_id":%s,"text":"x"}`, id)}
		}
		var o order
		o.answered(send(tt.refused), skein.Later(skein.ErrRateLimited, time.Millisecond), now)
		o.answered(send(`"later"`), skein.ErrRateLimited, now.Add(time.Millisecond))
		if got := o.admit(send(tt.next), now.Add(tt.after)) == nil; got != tt.want {
			t.Errorf("%s: admitted %v, want %v", name, got, tt.want)
		}
		if tt.want && o.admit(send(`"z"`), now.Add(tt.after)) != nil {
			t.Errorf("%s: it is not open behind it", name)
		}
	}
}
