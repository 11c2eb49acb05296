package e2e

import "strings"

// badInbox is SPEC 6 on the inbox, positions, roles and sync.
func badInbox() []bad {
	const restOnly = "-" // the backend's mistake, which a client does not make
	nowhere := strings.Repeat("0", 31) + "1"
	var all []bad
	add := func(what, method, path, op string, cases ...bad) {
		for _, c := range cases {
			c.name, c.method, c.path = what+": "+c.name, method, path
			if c.op == restOnly {
				c.op = ""
			} else {
				c.op = op
			}
			all = append(all, c)
		}
	}
	mark := func(fields string) string { return `{"conv_id":"$C",` + fields + `}` }
	add("mark", "PUT", "/im/users/$A/conversations/$C", "conv.mark",
		bad{name: "nothing", body: `{"conv_id":"$C"}`, codes: is(4001), names: "pin"},
		bad{name: "nothing but null", body: mark(`"pin":null,"clear_to_seq":null`), codes: is(4001), names: "pin"},
		bad{name: "pin 2", body: mark(`"pin":2`), codes: is(4406), names: "pin"},
		bad{name: "mute a text", body: mark(`"mute":"yes"`), codes: is(4406), names: "mute"},
		bad{name: "unread_mark a text", body: mark(`"unread_mark":"yes"`), codes: is(4406), names: "unread_mark"},
		bad{name: "archive a list", body: mark(`"archive":[1]`), codes: is(4406), names: "archive"},
		bad{name: "draft a number", body: mark(`"draft":1`), codes: is(4406), names: "draft"},
		bad{name: "draft an object", body: mark(`"draft":{}`), codes: is(4406), names: "draft"},
		bad{name: "draft true", body: mark(`"draft":true`), codes: is(4406), names: "draft"},
		bad{name: "draft of 4 KiB and one", body: mark(`"draft":"` + long(4<<10+1) + `"`), codes: is(4406), names: "draft"},
		bad{name: "clear_to_seq below 0", body: mark(`"clear_to_seq":-1`), codes: is(4406), names: "clear_to_seq"},
		bad{name: "clear_to_seq 1.5", body: mark(`"clear_to_seq":1.5`), codes: is(4406), names: "clear_to_seq"},
		bad{name: "clear_to_seq a text", body: mark(`"clear_to_seq":"1"`), codes: is(4406), names: "clear_to_seq"},
		bad{name: "clear_to_seq too large", body: mark(`"clear_to_seq":9223372036854775808`), codes: is(4406), names: "clear_to_seq"},
		bad{name: "good and bad", body: mark(`"pin":1,"draft":2`), codes: is(4406), names: "draft"},
	)
	add("mark of nothing", "PUT", "/im/users/$A/conversations/"+nowhere, "", bad{name: "unknown", body: `{"pin":1}`, codes: is(4011)})
	add("mark of nothing", "PUT", "/im/users/$A/conversations/x", "", bad{name: "no id", body: `{"pin":1}`, codes: is(4011)})
	add("mark by nobody", "PUT", "/im/users/nobody9/conversations/$C", "", bad{name: "unknown", body: `{"pin":1}`, codes: is(211), names: "nobody9"})
	add("mark by nobody", "PUT", "/im/users/a b/conversations/$C", "", bad{name: "no id", body: `{"pin":1}`, codes: is(212)})

	for _, op := range []string{"read", "received"} {
		add(op, "POST", "/im/conversations/$C/"+op, "conv."+op,
			bad{name: "seq below 0", body: `{"conv_id":"$C","client_id":"$A","seq":-1}`, codes: is(4406), names: "seq"},
			bad{name: "seq 1.5", body: `{"conv_id":"$C","client_id":"$A","seq":1.5}`, codes: is(4406), names: "seq"},
			bad{name: "seq a text", body: `{"conv_id":"$C","client_id":"$A","seq":"1"}`, codes: is(4406), names: "seq"},
			bad{name: "seq too large", body: `{"conv_id":"$C","client_id":"$A","seq":9223372036854775808}`, codes: is(4406), names: "seq"},
			bad{name: "seq an object", body: `{"conv_id":"$C","client_id":"$A","seq":{}}`, codes: is(4406), names: "seq"},
			bad{name: "client_id an object", body: `{"conv_id":"$C","client_id":{}}`, codes: is(4406), names: "client_id"},
			bad{name: "no client_id", body: `{}`, codes: is(4001), names: "client_id", op: restOnly},
			bad{name: "a client nobody knows", body: `{"client_id":"nobody9"}`, codes: is(211), names: "nobody9", op: restOnly},
		)
		add(op, "POST", "/im/conversations/"+nowhere+"/"+op, "", bad{name: "unknown conversation", body: `{"client_id":"$A"}`, codes: is(4011)})
	}

	receipts := func(list string) string { return `{"client_id":"$A","receipts":` + list + `}` }
	add("received_many", "POST", "/im/users/$A/received", "conv.received_many",
		bad{name: "none", body: `{"client_id":"$A"}`, codes: is(4001), names: "receipts"},
		bad{name: "an empty list", body: receipts(`[]`), codes: is(4001), names: "receipts"},
		bad{name: "an object", body: receipts(`{}`), codes: is(4406), names: "receipts"},
		bad{name: "101 of them", body: receipts(`[` + strings.Repeat(`{"conv_id":"$C"},`, 100) + `{"conv_id":"$C"}]`), codes: is(4406), names: "receipts"},
		bad{name: "no conv_id", body: receipts(`[{"conv_id":"$C"},{"seq":1}]`), codes: is(4001), names: "receipts.1.conv_id"},
		bad{name: "conv_id an object", body: receipts(`[{"conv_id":{}}]`), codes: is(4406), names: "conv_id"},
		bad{name: "seq below 0", body: receipts(`[{"conv_id":"$C","seq":-1}]`), codes: is(4406), names: "receipts.0.seq"},
		bad{name: "seq 1.5", body: receipts(`[{"conv_id":"$C","seq":1.5}]`), codes: is(4406), names: "seq"},
		bad{name: "a number", body: receipts(`[1]`), codes: is(4406), names: "receipts"},
	)
	for path, op := range map[string]string{"received": `{"receipts":[{"conv_id":"$C"}]}`, "read": `{}`} {
		add(path+" by nobody", "POST", "/im/users/nobody9/"+path, "", bad{name: "unknown", body: op, codes: is(211), names: "nobody9"})
		add(path+" by nobody", "POST", "/im/users/a b/"+path, "", bad{name: "no id", body: op, codes: is(212)})
	}
	add("unread", "GET", "/im/users/$A/unread", "conv.unread", bad{name: "muted a text", body: `{"client_id":"$A","muted":"yes"}`, codes: is(4406), names: "muted"})
	add("unread of nobody", "GET", "/im/users/nobody9/unread", "", bad{name: "unknown", codes: is(211), names: "nobody9"})

	member := "/im/conversations/$C/members/$B"
	add("update a member", "PUT", member, "conv.members.update",
		bad{name: "nothing", body: `{"client_id":"$B"}`, codes: is(4001), names: "role"},
		bad{name: "role king", body: `{"client_id":"$B","role":"king"}`, codes: is(4406), names: "role"},
		bad{name: "role empty", body: `{"client_id":"$B","role":""}`, codes: is(4406), names: "role"},
		bad{name: "role a number", body: `{"client_id":"$B","role":1}`, codes: is(4406), names: "role"},
		bad{name: "mute_until below 0", body: `{"client_id":"$B","mute_until":-1}`, codes: is(4406), names: "mute_until"},
		bad{name: "mute_until 1.5", body: `{"client_id":"$B","mute_until":1.5}`, codes: is(4406), names: "mute_until"},
		bad{name: "mute_until a text", body: `{"client_id":"$B","mute_until":"soon"}`, codes: is(4406), names: "mute_until"},
		bad{name: "mute_until after all time", body: `{"client_id":"$B","mute_until":9223372036854775807}`, codes: is(4406), names: "mute_until"},
		bad{name: "nickname a number", body: `{"client_id":"$B","nickname":1}`, codes: is(4406), names: "nickname"},
		bad{name: "nickname of 129 bytes", body: `{"client_id":"$B","nickname":"` + long(129) + `"}`, codes: is(4406), names: "nickname"},
		bad{name: "nickname of 129 bytes in 43 characters", body: `{"client_id":"$B","nickname":"` + strings.Repeat("语", 43) + `"}`, codes: is(4406), names: "nickname"},
		bad{name: "a good role and a bad name", body: `{"client_id":"$B","role":"admin","nickname":[]}`, codes: is(4406), names: "nickname"},
	)
	for path, c := range map[string]bad{
		"/im/conversations/$C/members/nobody9":           {name: "a client nobody knows", body: `{"nickname":"N"}`, codes: is(211), names: "nobody9"},
		"/im/conversations/$C/members/Tom":               {name: "who is no member", body: `{"nickname":"N"}`, codes: is(211), names: "Tom"},
		"/im/conversations/$C/members/a!b":               {name: "no id", body: `{"nickname":"N"}`, codes: is(212), names: "client_id"},
		"/im/conversations/$P/members/$B":                {name: "a role in a pair", body: `{"role":"admin"}`, codes: is(4405)},
		"/im/conversations/" + nowhere + "/members/$B":   {name: "unknown conversation", body: `{"nickname":"N"}`, codes: is(4011)},
		"/im/conversations/$C/members/$B?role=owner&x=1": {name: "said in the query", body: `{}`, codes: is(4001), names: "role"},
	} {
		add("update a member", "PUT", path, "", c)
	}
	add("mute all", "POST", "/im/conversations/$C/mute", "conv.mute_all",
		bad{name: "on 2", body: `{"conv_id":"$C","on":2}`, codes: is(4406), names: "on"},
		bad{name: "on a text", body: `{"conv_id":"$C","on":"yes"}`, codes: is(4406), names: "on"})
	add("mute all", "POST", "/im/conversations/$P/mute", "", bad{name: "a pair", body: `{}`, codes: is(4405)})
	add("mute all", "POST", "/im/conversations/"+nowhere+"/mute", "", bad{name: "unknown conversation", body: `{}`, codes: is(4011)})
	return append(all, badInboxQueries(nowhere)...)
}

// badInboxQueries are those that ask.
func badInboxQueries(nowhere string) (all []bad) {
	get := func(what, path string, queries ...[2]string) {
		for _, q := range queries {
			all = append(all, bad{name: what + " " + q[0], method: "GET", path: path + "?" + q[0], codes: is(4406), names: q[1]})
		}
	}
	get("sync", "/im/users/$A/sync",
		[2]string{"limit=0", "limit"}, [2]string{"limit=201", "limit"}, [2]string{"limit=-1", "limit"}, [2]string{"limit=x", "limit"},
		[2]string{"cursor=x", "cursor"}, [2]string{"cursor=AAAAAAAAAAAAAAAAAAAAAA", "cursor"}, [2]string{"cursor=a&cursor=b", "cursor"})
	get("readers", "/im/conversations/$C/readers",
		[2]string{"seq=0", "seq"}, [2]string{"seq=-1", "seq"}, [2]string{"seq=x", "seq"}, [2]string{"seq=1.5", "seq"},
		[2]string{"page=0", "page"}, [2]string{"size=101", "size"}, [2]string{"cursor=x", "cursor"})
	get("list", "/im/users/$A/conversations",
		[2]string{"archived=2", "archived"}, [2]string{"archived=yes", "archived"}, [2]string{"page=0", "page"}, [2]string{"size=101", "size"}, [2]string{"cursor=x", "cursor"})
	return append(all,
		bad{name: "sync limit a text", method: "GET", path: "/im/users/$A/sync", body: `{"limit":"1"}`, codes: is(4406), names: "limit", op: "sync"},
		bad{name: "sync cursor a number", method: "GET", path: "/im/users/$A/sync", body: `{"cursor":1}`, codes: is(4406), names: "cursor", op: "sync"},
		bad{name: "sync cursor of nobody's", method: "GET", path: "/im/users/$A/sync", body: `{"cursor":"AAAA"}`, codes: is(4406), names: "cursor", op: "sync"},
		bad{name: "list size a text", method: "GET", path: "/im/users/$A/conversations", body: `{"size":"1"}`, codes: is(4406), names: "size", op: "conv.list"},
		bad{name: "list archived 2", method: "GET", path: "/im/users/$A/conversations", body: `{"archived":2}`, codes: is(4406), names: "archived", op: "conv.list"},
		bad{name: "readers seq 0", method: "GET", path: "/im/conversations/$C/readers", body: `{"conv_id":"$C","seq":0}`, codes: is(4406), names: "seq", op: "conv.readers"},
		bad{name: "readers of what is not said", method: "GET", path: "/im/conversations/$C/readers", body: `{"conv_id":"$C","seq":2}`, codes: is(4012), names: "seq", op: "conv.readers"},
		bad{name: "readers of nothing", method: "GET", path: "/im/conversations/" + nowhere + "/readers", codes: is(4011)},
		bad{name: "sync of a client nobody knows", method: "GET", path: "/im/users/nobody9/sync", codes: is(211), names: "nobody9"},
		bad{name: "list of a client nobody knows", method: "GET", path: "/im/users/nobody9/conversations", codes: is(211), names: "nobody9"},
		bad{name: "sync of no id", method: "GET", path: "/im/users/a!b/sync", codes: is(212), names: "client_id"},
	)
}
