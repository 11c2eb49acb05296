package e2e

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// While one app makes the most expensive calls, some of which are refused, no call of another app
// is refused or fails.
func TestOneAppsCostlyCallsRefuseNobodyElses(t *testing.T) {
	s := start(t, withoutDev())
	busy := newApp(t, s, unique("busy"), "--rest-rate=-1", "--send-rate=-1")
	quiet := newApp(t, s, unique("quiet"), "--rest-rate=-1", "--send-rate=-1")
	eventually(t, "both apps are there", func() bool {
		return busy.call(t, "GET", "/im/users", nil).Code == 0 && quiet.call(t, "GET", "/im/users", nil).Code == 0
	})
	crowd, pair := busy.users(t, 60), quiet.users(t, 2)
	conv := quiet.group(t, pair[0], pair[1])
	busy.group(t, crowd[0], crowd[1])
	where := strings.Repeat(`["conv_extend.n",">",0],`, 19) + `["conv_extend.n",">",0]`
	extend := map[string]any{"n": 1, "pad": strings.Repeat("x", 4000)}
	attacks := []func(i int) *answer{
		func(i int) *answer {
			return busy.call(t, "POST", "/im/conversations", obj{"client_id": crowd[i%60], "to_client_ids": crowd, "conv_type": 3, "conv_extend": extend})
		},
		func(int) *answer {
			return busy.call(t, "GET", "/im/conversations?size=100&where="+url.QueryEscape("["+where+"]"), nil)
		},
		func(int) *answer {
			return busy.call(t, "PUT", "/im/conversations", obj{"where": []any{[]any{"client_num", ">", 1}}, "update": obj{"conv_extend": extend}})
		},
	}
	var all sync.WaitGroup
	for n, attack := range attacks {
		for range 8 {
			all.Go(func() {
				for i := range 8 {
					switch got := attack(i); got.Code {
					case 0, 4290, 5030: // done, or too much of it
					default:
						t.Errorf("attack %d: got code %d, %s", n, got.Code, got.Message)
					}
				}
			})
		}
	}
	for i := range 60 {
		quiet.send(t, conv, pair[i%2], strconv.Itoa(i))
		if i%10 == 0 {
			quiet.must(t, "GET", "/im/conversations?where="+url.QueryEscape(`[["conv_id","=","`+conv+`"]]`), nil)
			quiet.must(t, "GET", convPath(conv, "message"), nil)
			quiet.user(t, "new")
		}
	}
	all.Wait()
	if got := quiet.history(t, conv); len(got) != 60 {
		t.Errorf("got %d messages, want 60", len(got))
	}
}
