package rows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// Whoever makes others work pays with messages it may send: a group of 40 costs five,
// each ten members that are added or removed one more.
func TestACallThatCostsMuchCountsAsManyMessages(t *testing.T) {
	named := make([]string, 40)
	for i := range named {
		named[i] = fmt.Sprintf("Guest%d", i)
	}
	many := `["` + strings.Join(named, `","`) + `"]`
	for name, tt := range map[string]struct {
		op, body string // CONV is a group of the caller's
		want     int    // messages
	}{
		"a small group":       {"conv.create", `{"to_client_ids":["Member"],"conv_type":3}`, 1},
		"a large group":       {"conv.create", `{"to_client_ids":` + many + `,"conv_type":3}`, 5},
		"a few members":       {"conv.members.add", `{"conv_id":"CONV","client_ids":["Guest1"]}`, 1},
		"many members":        {"conv.members.add", `{"conv_id":"CONV","client_ids":` + many + `}`, 5},
		"many removed":        {"conv.members.remove", `{"conv_id":"CONV","client_ids":` + many + `}`, 5},
		"a nickname":          {"conv.members.update", `{"conv_id":"CONV","client_id":"Owner","nickname":"O"}`, 1},
		"an update of one":    {"conv.update", `{"where":[["conv_id","=","CONV"]],"update":{"conv_extend":null}}`, 1},
		"an update of twelve": {"conv.update", `{"where":[["conv_type","=",3]],"update":{"conv_extend":null}}`, 7},
		"a few members read":  {"conv.members", `{"conv_id":"CONV"}`, 0},
		"what is malformed":   {"conv.create", `{"to_client_ids":["?"],"conv_type":3}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, id := range named {
				f.client(id)
			}
			var conv string
			for range 12 {
				conv = f.conv(skein.Group)
			}
			by := f.actor("shop", "Owner")
			if _, _, err := f.do(by, tt.op, strings.ReplaceAll(tt.body, "CONV", conv)); err != nil && name != "what is malformed" {
				t.Fatal(err)
			}
			left := 0
			for f.gate.Charge(by, 1) == nil {
				left++
			}
			if got := skein.DefaultSendBurst - left; got != tt.want {
				t.Errorf("%s %s: cost %d messages, want %d", tt.op, tt.body, got, tt.want)
			}
		})
	}
}
