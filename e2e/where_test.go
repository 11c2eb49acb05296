package e2e

import (
	"encoding/json"
	"net/url"
	"testing"
)

// What the reference says of conditions on conv_extend.
func TestConditionsOnTheExtension(t *testing.T) {
	t.Parallel()
	a := dev(t)
	owner := a.user(t, "owner")
	conv := a.must(t, "POST", "/im/conversations", obj{"client_id": owner, "to_client_ids": []string{owner}, "conv_type": 3, "conv_extend": obj{
		"level": 3, "none": nil, "a": obj{"b": "deep"}, "a.c": "dotted", "list": []int{1},
		"k1": obj{"k2": obj{"k3": obj{"k4": obj{"k5": obj{"k6": obj{"k7": obj{"k8": 8}}}}}}},
	}}).text("conv_id")
	for line, want := range map[string]int{ // how many match; -1: 4406
		`["conv_extend.level","exists",true]`:               1,
		`["conv_extend.level","exists",1]`:                  1,
		`["conv_extend.level","exists",false]`:              0,
		`["conv_extend.none","exists",true]`:                1,
		`["conv_extend.missing","exists",true]`:             0,
		`["conv_extend.missing","exists",false]`:            1,
		`["conv_extend.level","exists","yes"]`:              -1,
		`["ctime","exists",true]`:                           -1,
		`["conv_extend.a.b","=","deep"]`:                    1,
		`["conv_extend.a.c","=","dotted"]`:                  0,
		`["conv_extend.a.c","exists",true]`:                 0,
		`["conv_extend.list.0","=",1]`:                      0,
		`["conv_extend.level","=","3"]`:                     0,
		`["conv_extend.level","=",3]`:                       1,
		`["conv_extend.level","!=","3"]`:                    1,
		`["conv_extend.missing","!=",3]`:                    1,
		`["conv_extend.missing","not in",[3]]`:              1,
		`["conv_extend.level",">",true]`:                    -1,
		`["conv_extend.k1.k2.k3.k4.k5.k6.k7.k8","=",8]`:     1,
		`["conv_extend.k1.k2.k3.k4.k5.k6.k7.k8.k9","=",8]`:  -1,
		`["conv_extend.\"a\"","=",8]`:                       -1,
		`["conv_extend.a..b","=",8]`:                        -1,
		`[["conv_extend.level","=",3],["conv_type","=",3]]`: -1,
	} {
		where, err := json.Marshal([]any{[]any{"conv_id", "=", conv}, json.RawMessage(line)})
		if err != nil {
			t.Fatal(err)
		}
		got := a.call(t, "GET", "/im/conversations?where="+url.QueryEscape(string(where)), nil)
		if want < 0 {
			got.want(t, line, 4406)
		} else if n := got.want(t, line, 0).number("total"); n != int64(want) {
			t.Errorf("%s: %d match, want %d", line, n, want)
		}
	}
}
