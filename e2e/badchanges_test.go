package e2e

import (
	"fmt"
	"strings"
)

// badChanges is what becomes of messages asked wrongly: nothing becomes of them.
func badChanges() []bad {
	var all []bad
	const path = "/im/conversations/$C/message/$M"
	add := func(op, name, body string, codes []int, names string) {
		o := changeOps[op]
		c := bad{name: op + ": " + name, method: o.method, path: path + strings.TrimPrefix(o.path, "/im/conversations/%s/message/%s"), codes: codes, names: names, op: op}
		c.body = `{"msg_id":"$M",` + strings.TrimPrefix(body, "{")
		if body == `{}` {
			c.body = `{"msg_id":"$M"}`
		}
		all = append(all, c)
	}
	wrongTypes := func(op, field, before string, values ...string) {
		for _, v := range values {
			add(op, field+" "+v, fmt.Sprintf(`{%s%q:%s}`, before, field, v), is(4406), field)
		}
	}

	add("msg.edit", "nothing to edit", `{}`, is(4001), "text")
	add("msg.edit", "a version alone", `{"expected_version":1}`, is(4001), "text")
	add("msg.edit", "text null", `{"text":null}`, is(4001), "text")
	for _, v := range []string{`""`, `"  "`, `"\n"`, `"\u3000"`} {
		add("msg.edit", "text "+v, `{"text":`+v+`}`, is(4001), "text")
	}
	add("msg.edit", "text of 16 KiB and one", `{"text":"`+long(16<<10+1)+`"}`, is(4406), "text")
	add("msg.edit", "attr of more than 16 KiB", `{"attr":"`+long(16<<10)+`"}`, is(4406), "attr")
	add("msg.edit", "101 mentions", `{"mention_client_ids":[`+strings.Repeat(`"a",`, 100)+`"a"]}`, is(4406), "mention_client_ids")
	add("msg.edit", "a mention of no id", `{"mention_client_ids":["a","a b"]}`, is(212), "mention_client_ids.1")
	add("msg.edit", "another version", `{"text":"x","expected_version":2}`, is(4013), "expected_version")
	add("msg.edit", "text twice", `{"text":"x","text":"y"}`, is(4406), "text")
	wrongTypes("msg.edit", "text", "", `1`, `{}`, `["x"]`, `true`)
	wrongTypes("msg.edit", "mention_all", "", `2`, `"yes"`, `{}`, `[]`)
	wrongTypes("msg.edit", "mention_client_ids", "", `"a"`, `1`, `{}`, `true`)
	wrongTypes("msg.edit", "expected_version", `"text":"x",`, `0`, `-1`, `"1"`, `1.5`, `true`, `[]`, `99999999999999999999`)

	for _, op := range []string{"msg.react", "msg.pin"} {
		wrongTypes(op, "on", `"emoji":"x","client_id":"$A",`, `2`, `-1`, `"yes"`, `[]`, `{}`, `1.5`)
	}
	add("msg.react", "no emoji", `{"client_id":"$A"}`, is(4001), "emoji")
	add("msg.react", "emoji null", `{"client_id":"$A","emoji":null}`, is(4001), "emoji")
	add("msg.react", "emoji empty", `{"client_id":"$A","emoji":""}`, is(4001), "emoji")
	wrongTypes("msg.react", "emoji", `"client_id":"$A",`, `1`, `{}`, `["x"]`, `" "`, `"a b"`, `"a\n"`, `"\u0000"`, `"\u00a0"`, `"`+long(33)+`"`, `"`+strings.Repeat("👍", 9)+`"`)
	for _, op := range []string{"msg.react", "msg.delete"} {
		wrongTypes(op, "client_id", `"emoji":"x",`, `{}`, `["$A"]`, `1.5`, `true`)
		all = append(all,
			bad{name: op + ": for nobody", method: changeOps[op].method, path: pathOf(op), body: `{"emoji":"x"}`, codes: is(4001), names: "client_id"},
			bad{name: op + ": for one who is not there", method: changeOps[op].method, path: pathOf(op), body: `{"emoji":"x","client_id":"nobody9"}`, codes: is(211), names: "nobody9"},
			bad{name: op + ": for no member", method: changeOps[op].method, path: pathOf(op), body: `{"emoji":"x","client_id":"Tom"}`, codes: is(4004)},
			bad{name: op + ": for no id", method: changeOps[op].method, path: pathOf(op), body: `{"emoji":"x","client_id":"a-b"}`, codes: is(212), names: "client_id"})
	}
	for op, fields := range map[string]string{"msg.edit": `"text":"x"`, "msg.recall": `"x":1`, "msg.delete": `"client_id":"$A"`, "msg.react": `"emoji":"x","client_id":"$A"`, "msg.pin": `"on":1`} {
		for name, id := range map[string]string{
			"another conversation's": "$N", "one that is not there": strings.Repeat("0", 32), "no id": "x", "one in capitals": strings.Repeat("F", 32),
		} {
			all = append(all, bad{name: op + " of " + name, method: changeOps[op].method, path: strings.Replace(pathOf(op), "$M", id, 1), body: `{"msg_id":"` + id + `",` + fields + `}`, codes: is(4012), names: "msg_id", op: op})
		}
		all = append(all, bad{name: op + " in no conversation", method: changeOps[op].method, path: strings.Replace(pathOf(op), "$C", strings.Repeat("0", 32), 1), body: `{` + fields + `}`, codes: is(4011)})
	}
	return append(all, badLogs()...)
}

// pathOf is the path of an op on the message $M.
func pathOf(op string) string { return fmt.Sprintf(changeOps[op].path, "$C", "$M") }

// badLogs is changes, pins and ranges asked wrongly.
func badLogs() []bad {
	var all []bad
	for field, values := range map[string][]string{
		"after_change": {"-1", "x", "1.5", "99999999999999999999"}, "limit": {"0", "-1", "201", "x", "1.5"},
	} {
		for _, v := range values {
			all = append(all, bad{name: "changes " + field + "=" + v, method: "GET", path: "/im/conversations/$C/changes?" + field + "=" + v, codes: is(4406), names: field})
		}
		for _, v := range []string{`-1`, `"x"`, `1.5`, `[]`, `{}`, `true`} {
			all = append(all, bad{name: "changes by body " + field + " " + v, method: "GET", path: "/im/conversations/$C/changes", body: `{"conv_id":"$C","` + field + `":` + v + `}`, codes: is(4406), names: field, op: "changes"})
			all = append(all, badRange(field+" "+v, `[{"conv_id":"$C","`+field+`":`+v+`}]`, 4406, "ranges.0."+field))
		}
	}
	for _, path := range []string{"changes", "pins"} {
		all = append(all, bad{name: path + " of no conversation", method: "GET", path: "/im/conversations/" + strings.Repeat("0", 32) + "/" + path, codes: is(4011)})
	}
	return append(all,
		badRange("none", `[]`, 4001, "ranges"),
		badRange("null", `null`, 4001, "ranges"),
		badRange("201", listOf(201, `{"conv_id":"$C"}`), 4406, "ranges"),
		badRange("an object", `{"conv_id":"$C"}`, 4406, "ranges"),
		badRange("a text", `"$C"`, 4406, "ranges"),
		badRange("of texts", `["$C"]`, 4406, "ranges.0"),
		badRange("without a conv_id", `[{"conv_id":"$C"},{"after_seq":0}]`, 4001, "ranges.1.conv_id"),
		badRange("with a conv_id that is a list", `[{"conv_id":["$C"]}]`, 4406, "ranges.0.conv_id"),
		badRange("after_seq below zero", `[{"conv_id":"$C","after_seq":-1}]`, 4406, "ranges.0.after_seq"),
		badRange("after_seq a text", `[{"conv_id":"$C","after_seq":"1"}]`, 4406, "ranges.0.after_seq"),
		badRange("limit 201", `[{"conv_id":"$C","limit":201}]`, 4406, "ranges.0.limit"),
		badRange("limit 0", `[{"conv_id":"$C","limit":0}]`, 4406, "ranges.0.limit"),
		badRange("a key twice", `[{"conv_id":"$C","limit":1,"limit":2}]`, 4406, "limit"),
		bad{name: "ranges: nobody's", method: "POST", path: "/im/messages/ranges", body: `{"ranges":[{"conv_id":"$C"}]}`, codes: is(4001), names: "client_id"},
		bad{name: "ranges: bare, nobody's", method: "POST", path: "/im/messages/ranges", body: `[{"conv_id":"$C"}]`, codes: is(4001), names: "client_id"},
		bad{name: "ranges: of one who is not there", method: "POST", path: "/im/messages/ranges", body: `{"client_id":"nobody9","ranges":[{"conv_id":"$C"}]}`, codes: is(211), names: "nobody9"},
		bad{name: "ranges: bare, and more behind it", method: "POST", path: "/im/messages/ranges", body: `[{"conv_id":"$C"}],"client_id":"$A"`, codes: is(4406)},
		bad{name: "ranges: a bare list cut short", method: "POST", path: "/im/messages/ranges", body: `[{"conv_id":"$C"}`, codes: is(4406)},
	)
}

func badRange(name, ranges string, code int, names string) bad {
	return bad{name: "ranges: " + name, method: "POST", path: "/im/messages/ranges", body: `{"client_id":"$A","ranges":` + ranges + `}`, codes: is(code), names: names, op: "msg.ranges"}
}
