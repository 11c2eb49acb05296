package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// position is how far a member has come.
type position struct {
	ClientID    string `json:"client_id"`
	ReadSeq     int64  `json:"read_seq"`
	ReceivedSeq int64  `json:"received_seq"`
	HasRead     bool   `json:"has_read"`
	HasReceived bool   `json:"has_received"`
}

// reads is the next conv.read.
func (c *socket) reads(t *testing.T, conv string) []position {
	t.Helper()
	var e struct {
		ConvID string     `json:"conv_id"`
		Time   int64      `json:"time"`
		Reads  []position `json:"reads"`
	}
	f := c.expect(t, "conv.read")
	f.into(t, &e)
	if e.ConvID != conv || e.Time == 0 || len(e.Reads) == 0 {
		t.Errorf("got %s, want conv.read of %s", f, conv)
	}
	return e.Reads
}

func (c *socket) wantReads(t *testing.T, what, conv string, want ...position) {
	t.Helper()
	if got := c.reads(t, conv); !slices.Equal(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestPositionsAreToldLiveAndMoveForwardOnly(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	for _, typ := range []int{1, 3} {
		conv := a.conv(t, typ, tom, jerry)
		for range 5 {
			a.send(t, conv, tom, "hi")
		}
		d := fmt.Sprint("d", typ)
		phone, pad, other := a.login(t, jerry, "phone"+d), a.login(t, jerry, "pad"+d), a.login(t, tom, "web"+d)
		for _, step := range []struct {
			op        string
			seq       any
			want      string
			told      bool
			read, got int64
		}{
			{"conv.received", 4, "0 4 5", true, 0, 4},
			{"conv.read", 2, "2 4 3", true, 2, 4},
			{"conv.read", 1, "2 4 3", false, 0, 0},
			{"conv.received", 3, "2 4 3", false, 0, 0},
			{"conv.read", 0, "2 4 3", false, 0, 0},
			{"conv.read", nil, "5 5 0", true, 5, 5},
			{"conv.read", int64(1) << 60, "5 5 0", false, 0, 0},
		} {
			what := fmt.Sprint("type ", typ, ": ", step.op, " ", step.seq)
			got := phone.ask(t, step.op, obj{"conv_id": conv, "seq": step.seq}).want(t, what, 0)
			if s := fmt.Sprint(got.number("read_seq"), " ", got.number("received_seq"), " ", got.number("unread")); s != step.want {
				t.Errorf("%s: got %s, want %s", what, s, step.want)
			}
			for device, c := range map[string]*socket{"own device": pad, "the other": other} {
				if step.told {
					c.wantReads(t, what+": "+device, conv, position{ClientID: jerry, ReadSeq: step.read, ReceivedSeq: step.got})
				}
				c.nothing(t, "conv.read")
			}
			phone.nothing(t, "conv.read") // it said so itself
		}
	}
}
