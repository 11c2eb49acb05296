package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"strings"
)

// bad is one call that must be refused. In path and body, $A and $B are members
// of the group $C, $P is their private conversation, $M a message of $C, $N one
// of another conversation, $K a client_msg_id that $A has used in $C.
type bad struct {
	name         string
	method, path string
	headers      headers
	body         any // string: JSON as it stands
	codes        []int
	names        string // what the message has to name
	op           string // also as this socket command, with the same answer
}

func is(codes ...int) []int { return codes }

func long(n int) string { return strings.Repeat("x", n) }

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func listOf(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

func numberedIDs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"u%d",`, i)
	}
	return "[" + strings.TrimSuffix(b.String(), ",") + "]"
}

// badJSON is how JSON is read, by the example of POST /im/users.
func badJSON() []bad {
	var all []bad
	for _, c := range []bad{
		{name: "a key twice", body: `{"client_id":"new1","client_id":"new2"}`, codes: is(4406), names: "client_id"},
		{name: "a key twice, deep down", body: `{"client_id":"new1","ext":{"a":{"b":1,"b":2}}}`, codes: is(4406)},
		{name: "a key twice, one escaped", body: `{"client_id":"new1","client\u005fid":"new2"}`, codes: is(4406)},
		{name: "wrong key case", body: `{"Client_ID":"new1"}`, codes: is(4001, 4406), names: "client_id"},
		{name: "invalid UTF-8", body: "{\"client_id\":\"new1\",\"ext\":\"\xff\"}", codes: is(4406)},
		{name: "invalid UTF-8 in a field nobody reads", body: "{\"client_id\":\"new1\",\"other\":\"\xc3\x28\"}", codes: is(4406)},
		{name: "a lone surrogate", body: `{"client_id":"new1","ext":"\ud800"}`, codes: is(4406)},
		{name: "33 levels", body: `{"client_id":"new1","ext":` + nested(32) + `}`, codes: is(4406)},
		{name: "33 levels in a field nobody reads", body: `{"client_id":"new1","other":` + nested(32) + `}`, codes: is(4406)},
		{name: "100,000 levels", body: `{"client_id":"new1","ext":` + nested(100_000) + `}`, codes: is(4406)},
		{name: "two values", body: `{"client_id":"new1"}{"client_id":"new2"}`, codes: is(4406)},
		{name: "something behind the value", body: `{"client_id":"new1"} x`, codes: is(4406)},
		{name: "no body", body: ``, codes: is(4001)},
		{name: "blanks for a body", body: " \n", codes: is(4001, 4406)},
		{name: "null", body: `null`, codes: is(4001, 4406)},
		{name: "a list", body: `[{"client_id":"new1"}]`, codes: is(4406)},
		{name: "a string", body: `"new1"`, codes: is(4406)},
		{name: "cut short", body: `{"client_id":"new1"`, codes: is(4406)},
		{name: "single quotes", body: `{'client_id':'new1'}`, codes: is(4406)},
		{name: "a trailing comma", body: `{"client_id":"new1",}`, codes: is(4406)},
		{name: "a comment", body: `{"client_id":"new1"/*c*/}`, codes: is(4406)},
		{name: "a byte order mark", body: "\ufeff" + `{"client_id":"new1"}`, codes: is(4406)},
		{name: "NaN", body: `{"client_id":"new1","ext":NaN}`, codes: is(4406)},
		{name: "a leading zero", body: `{"client_id":01}`, codes: is(4406)},
		{name: "a control character", body: "{\"client_id\":\"new1\",\"ext\":\"a\nb\"}", codes: is(4406)},
		{name: "a body of 256 KiB and one", body: `{"client_id":"new1","pad":"` + long(256<<10) + `"}`, codes: is(4130)},

		{name: "no client_id", body: `{"ext":1}`, codes: is(4001), names: "client_id"},
		{name: "client_id null", body: `{"client_id":null}`, codes: is(4001, 4406), names: "client_id"},
		{name: "client_id negative", body: `{"client_id":-5}`, codes: is(212, 4406)},
		{name: "client_id of 65 digits", body: `{"client_id":1` + strings.Repeat("0", 64) + `}`, codes: is(212, 4406)},
		{name: "client_id empty", body: `{"client_id":""}`, codes: is(212, 4001)},
		{name: "client_id with a hyphen", body: `{"client_id":"a-b"}`, codes: is(212), names: "client_id"},
		{name: "client_id with a blank", body: `{"client_id":"a b"}`, codes: is(212)},
		{name: "client_id with a dot", body: `{"client_id":"a.b"}`, codes: is(212)},
		{name: "client_id with a slash", body: `{"client_id":"../a"}`, codes: is(212)},
		{name: "client_id not ASCII", body: `{"client_id":"é"}`, codes: is(212)},
		{name: "client_id with a full-width letter", body: `{"client_id":"Ａ"}`, codes: is(212)},
		{name: "client_id with a NUL", body: `{"client_id":"a\u0000"}`, codes: is(212, 4406)},
		{name: "client_id with a line end", body: `{"client_id":"a\n"}`, codes: is(212)},
		{name: "client_id of 65", body: `{"client_id":"` + long(65) + `"}`, codes: is(212)},
		{name: "ext of more than 16 KiB", body: `{"client_id":"new1","ext":"` + long(16<<10) + `"}`, codes: is(4406), names: "ext"},
		{name: "a client that is there, with another ext", body: `{"client_id":"$A","ext":{"other":1}}`, codes: is(4013), names: "client_id"},
	} {
		c.method, c.path = "POST", "/im/users"
		all = append(all, c)
	}
	return all
}

// badHTTP is about requests.
func badHTTP() []bad {
	good := `{"client_id":"new1"}`
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(good))
	_ = z.Close()
	cases := []bad{
		{name: "text/plain", method: "POST", path: "/im/users", headers: headers{"Content-Type": "text/plain"}, body: good, codes: is(4406), names: "Content-Type"},
		{name: "no Content-Type", method: "POST", path: "/im/users", headers: headers{"Content-Type": ""}, body: good, codes: is(4406), names: "Content-Type"},
		{name: "a form", method: "POST", path: "/im/users", headers: headers{"Content-Type": "application/x-www-form-urlencoded"}, body: "client_id=new1", codes: is(4406), names: "Content-Type"},
		{name: "application/jsonx", method: "POST", path: "/im/users", headers: headers{"Content-Type": "application/jsonx"}, body: good, codes: is(4406)},
		{name: "PUT with text/plain", method: "PUT", path: "/im/users/$A", headers: headers{"Content-Type": "text/plain"}, body: `{"ext":1}`, codes: is(4406)},
		{name: "gzip", method: "POST", path: "/im/users", headers: headers{"Content-Encoding": "gzip"}, body: zipped.Bytes(), codes: is(4406), names: "Content-Encoding"},
		{name: "said to be gzip", method: "POST", path: "/im/users", headers: headers{"Content-Encoding": "gzip"}, body: good, codes: is(4406)},
		{name: "br", method: "PUT", path: "/im/users/$A", headers: headers{"Content-Encoding": "br"}, body: `{"ext":1}`, codes: is(4406)},
		{name: "no app header", method: "GET", path: "/im/users", headers: headers{"IM-APP-ID": ""}, codes: is(4002), names: "app"},
		{name: "another app header that differs", method: "GET", path: "/im/users", headers: headers{"app-id": "other"}, codes: is(4406), names: "app"},
		{name: "an unknown app", method: "GET", path: "/im/users", headers: headers{"IM-APP-ID": "nosuch"}, codes: is(4003)},
		{name: "an app id with a quote", method: "GET", path: "/im/users", headers: headers{"IM-APP-ID": "666666'--"}, codes: is(4003)},
		{name: "an app id of 4 KiB", method: "GET", path: "/im/users", headers: headers{"IM-APP-ID": long(4096)}, codes: is(4003)},
	}
	for _, p := range []string{
		"/im", "/im/", "/im/nothing", "/im/users/", "/im/conversations/", "/im/conversations/$C/", "/im/conversations/$C/message/",
		"/im/conversations/$C/members/", "/im/users/$A/", "/IM/users", "/im/Users", "//im/users", "/im//users", "/im/users/$A/nothing",
		"/im/file", "/im/file/", "/.git/config", "/nothing.php",
	} {
		cases = append(cases, bad{name: "path " + p, method: "GET", path: p, codes: is(4040)})
	}
	cases = append(cases, bad{name: "a user named ..", method: "GET", path: "/im/users/%2e%2e", codes: is(4040, 211, 212)})
	for _, m := range []struct{ method, path string }{
		{"PATCH", "/im/users"}, {"DELETE", "/im/users"}, {"PUT", "/im/users"}, {"POST", "/im/users/$A"}, {"DELETE", "/im/conversations"},
		{"PATCH", "/im/conversations"}, {"POST", "/im/conversations/$C"}, {"PUT", "/im/conversations/$C/members"}, {"PUT", "/im/conversations/$C/message"},
		{"DELETE", "/im/conversations/$C/message"}, {"GET", "/im/file/upload"}, {"PUT", "/im/file/upload"}, {"PROPFIND", "/im/users"}, {"get", "/im/users"},
	} {
		cases = append(cases, bad{name: m.method + " " + m.path, method: m.method, path: m.path, codes: is(4050)})
	}
	return cases
}

// badPages is about page and size.
func badPages() []bad {
	var all []bad
	for _, list := range []string{"/im/conversations?where=%5B%5D&", "/im/conversations/$C/message?", "/im/users?", "/im/conversations/$C/members?"} {
		for _, page := range []string{"0", "-1"} {
			all = append(all, bad{name: list + "page=" + page, method: "GET", path: list + "page=" + page, codes: is(4406), names: "page"})
		}
		for _, size := range []string{"0", "101"} {
			all = append(all, bad{name: list + "size=" + size, method: "GET", path: list + "page=1&size=" + size, codes: is(4406), names: "size"})
		}
	}
	for _, q := range []struct {
		query, names string
	}{
		{"after_seq=-1", "after_seq"}, {"before_seq=-1", "before_seq"}, {"after_seq=0&limit=0", "limit"}, {"after_seq=0&limit=201", "limit"}, {"after_seq=0&before_seq=5", "seq"},
	} {
		all = append(all, bad{name: "history " + q.query, method: "GET", path: "/im/conversations/$C/message?" + q.query, codes: is(4406), names: q.names})
	}
	for _, data := range []struct{ body, names string }{
		{`{"page":0}`, "page"}, {`{"size":101}`, "size"}, {`{"after_seq":-1}`, "after_seq"}, {`{"after_seq":0,"before_seq":3}`, "seq"}, {`{"page":1,"page":2}`, "page"},
	} {
		all = append(all, bad{name: "history by body " + data.body, method: "GET", path: "/im/conversations/$C/message", body: data.body, codes: is(4406), names: data.names, op: "msg.list"})
	}
	return all
}

// badWhere is about conditions, on GET and on PUT.
func badWhere() []bad {
	all := []bad{
		{name: "no where", method: "GET", path: "/im/conversations", codes: is(4001), names: "where"},
		{name: "where empty", method: "GET", path: "/im/conversations?where=", codes: is(4001, 4406), names: "where"},
		{name: "where cut short", method: "GET", path: "/im/conversations?where=" + url.QueryEscape(`[["conv_id","="`), codes: is(4406), names: "where"},
		{name: "PUT without where", method: "PUT", path: "/im/conversations", body: `{"update":{"conv_extend":{}}}`, codes: is(4001), names: "where"},
		{name: "PUT without update", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]]}`, codes: is(4001), names: "update"},
		{name: "PUT with an empty update", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]],"update":{}}`, codes: is(4001, 4406), names: "conv_extend"},
		{name: "PUT with another field", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]],"update":{"conv_type":1}}`, codes: is(4406), names: "update"},
		{name: "PUT with conv_extend and another field", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]],"update":{"conv_extend":{"x":1},"conv_creater_id":"x"}}`, codes: is(4406), names: "update"},
		{name: "PUT with a list for update", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]],"update":[]}`, codes: is(4406), names: "update"},
		{name: "PUT with an empty where", method: "PUT", path: "/im/conversations", body: `{"where":[],"update":{"conv_extend":{}}}`, codes: is(4406), names: "where"},
		{name: "PUT that matches nothing", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","` + strings.Repeat("0", 32) + `"]],"update":{"conv_extend":{}}}`, codes: is(4011)},
		{name: "PUT with 16 KiB and more", method: "PUT", path: "/im/conversations", body: `{"where":[["conv_id","=","$C"]],"update":{"conv_extend":"` + long(16<<10) + `"}}`, codes: is(4406), names: "conv_extend"},
	}
	for _, w := range []struct{ where, names string }{
		{`{}`, "where"}, {`"x"`, "where"}, {`1`, "where"}, {`["conv_id","=","x"]`, "where"}, {`[[]]`, "where"}, {`[["conv_id"]]`, "where"},
		{`[["conv_id","=","x","y"]]`, "where"}, {`[[1,"=","x"]]`, "where"}, {`[["conv_id",1,"x"]]`, "where"}, {`[{"conv_id":"x"}]`, "where"},
		{`[[["conv_id"],"=","x"]]`, "where"}, {`[["conv_id","=","x"]] x`, "where"},
		{`[["nope","=","x"]]`, "nope"}, {`[["app_id","=","666666"]]`, "app_id"}, {`[["CONV_ID","=","x"]]`, "CONV_ID"}, {`[["","=","x"]]`, "where"},
		{`[["conv_id = conv_id OR 1","=","1"]]`, "conv_id = conv_id OR 1"}, {`[["1=1) --","=",1]]`, "1=1"}, {`[["c.conv_id","=","x"]]`, "c.conv_id"},
		{`[["conv_id","like","%"]]`, "like"}, {`[["conv_id","= '' OR ''","x"]]`, "= '' OR ''"}, {`[["conv_id","IN",["x"]]]`, "IN"}, {`[["conv_id","","x"]]`, "where"},
		{`[["conv_id","==","x"]]`, "=="}, {`[["conv_id","<=>","x"]]`, "<=>"}, {`[["conv_id","or","x"]]`, "or"},
		{`[["conv_type","=","abc"]]`, "where.0"}, {`[["conv_type","=",1.5]]`, "where.0"}, {`[["conv_type","=",{}]]`, "where.0"}, {`[["client_num",">","many"]]`, "where.0"},
		{`[["client_num","=",[1]]]`, "where.0"}, {`[["conv_id","=",["x"]]]`, "where.0"}, {`[["conv_id","in","x"]]`, "where.0"}, {`[["conv_id","in",[["x"]]]]`, "where.0"},
		{`[["conv_id","in",[{}]]]`, "where.0"}, {`[["conv_id","=",{"$ne":1}]]`, "where.0"}, {`[["conv_extend.","=",1]]`, "where.0"}, {`[["conv_extend.a..b","=",1]]`, "where.0"},
		{`[["conv_extend.a\"b","=",1]]`, "where.0"}, {`[["conv_extend.a","=",{}]]`, "where.0"}, {`[["conv_extend.a","=",[1]]]`, "where.0"},
		{`[["conv_type","in",` + listOf(201, "3") + `]]`, "200"}, {listOf(21, `["conv_type","=",3]`), "20"},
		{`[["conv_id","in",` + numberedIDs(201) + `]]`, "200"}, {`[["conv_type",">","x"]]`, "where.0"},
	} {
		all = append(all,
			bad{name: "where " + cut(w.where), method: "GET", path: "/im/conversations?where=" + url.QueryEscape(w.where), codes: is(4406), names: w.names},
			bad{name: "PUT where " + cut(w.where), method: "PUT", path: "/im/conversations", body: `{"where":` + w.where + `,"update":{"conv_extend":{"changed":1}}}`, codes: is(4406), names: w.names, op: "conv.update"})
	}
	for i := range all { // not JSON as a body: the reader says so first
		if all[i].method == "PUT" && strings.Contains(all[i].name, "] x") {
			all[i].names, all[i].op = "", ""
		}
	}
	return all
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// badConversations is about creating conversations and on members.
func badConversations() []bad {
	var all []bad
	for _, c := range []bad{
		{name: "no client_id", body: `{"to_client_ids":["$B"],"conv_type":3}`, codes: is(4001), names: "client_id"},
		{name: "no to_client_ids", body: `{"client_id":"$A","conv_type":3}`, codes: is(4001), names: "to_client_ids", op: "conv.create"},
		{name: "no conv_type", body: `{"client_id":"$A","to_client_ids":["$B"]}`, codes: is(4001), names: "conv_type", op: "conv.create"},
		{name: "conv_type 5", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":5}`, codes: is(4405), op: "conv.create"},
		{name: "conv_type 0", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":0}`, codes: is(4405), op: "conv.create"},
		{name: "conv_type -1", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":-1}`, codes: is(4405), op: "conv.create"},
		{name: "conv_type 257", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":257}`, codes: is(4405), op: "conv.create"},
		{name: "conv_type null", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":null}`, codes: is(4001, 4406), names: "conv_type", op: "conv.create"},
		{name: "conv_type 1.5", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":1.5}`, codes: is(4406), names: "conv_type", op: "conv.create"},
		{name: "conv_type true", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":true}`, codes: is(4406), names: "conv_type", op: "conv.create"},
		{name: "to_client_ids a string", body: `{"client_id":"$A","to_client_ids":"$B","conv_type":3}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "to_client_ids an object", body: `{"client_id":"$A","to_client_ids":{"0":"$B"},"conv_type":3}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "to_client_ids of objects", body: `{"client_id":"$A","to_client_ids":[{"id":"$B"}],"conv_type":3}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "to_client_ids of floats", body: `{"client_id":"$A","to_client_ids":[1.5],"conv_type":3}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "to_client_ids of null", body: `{"client_id":"$A","to_client_ids":[null],"conv_type":3}`, codes: is(4406, 212), names: "to_client_ids", op: "conv.create"},
		{name: "to_client_ids negative", body: `{"client_id":"$A","to_client_ids":[-1],"conv_type":3}`, codes: is(211, 212, 4406), op: "conv.create"},
		{name: "to_client_ids empty string", body: `{"client_id":"$A","to_client_ids":[""],"conv_type":3}`, codes: is(211, 212, 4406), op: "conv.create"},
		{name: "an unknown client", body: `{"client_id":"$A","to_client_ids":["$B","nobody9","nobody8"],"conv_type":3}`, codes: is(211), names: "nobody9", op: "conv.create"},
		{name: "an unknown creator", body: `{"client_id":"nobody9","to_client_ids":["$B"],"conv_type":3}`, codes: is(211), names: "nobody9"},
		{name: "a client_id float", body: `{"client_id":1.5,"to_client_ids":["$B"],"conv_type":3}`, codes: is(4406), names: "client_id"},
		{name: "private with oneself", body: `{"client_id":"$A","to_client_ids":["$A"],"conv_type":1}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "private with two", body: `{"client_id":"$A","to_client_ids":["$B","Tom"],"conv_type":1}`, codes: is(4406), names: "to_client_ids", op: "conv.create"},
		{name: "private with nobody", body: `{"client_id":"$A","to_client_ids":[],"conv_type":1}`, codes: is(4001, 4406), names: "to_client_ids", op: "conv.create"},
		{name: "conv_extend of more than 16 KiB", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":3,"conv_extend":"` + long(16<<10) + `"}`, codes: is(4406), names: "conv_extend", op: "conv.create"},
		{name: "ttl negative", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":2,"ttl":-1}`, codes: is(4406), names: "ttl", op: "conv.create"},
		{name: "ttl huge", body: `{"client_id":"$A","to_client_ids":["$B"],"conv_type":2,"ttl":9223372036854775807}`, codes: is(4406), names: "ttl", op: "conv.create"},
		{name: "10,001 clients", body: `{"client_id":"$A","to_client_ids":` + numberedIDs(10001) + `,"conv_type":3}`, codes: is(4406, 211), op: "conv.create"},
	} {
		c.method, c.path = "POST", "/im/conversations"
		all = append(all, c)
	}
	for _, method := range []string{"POST", "DELETE"} {
		op := map[string]string{"POST": "conv.members.add", "DELETE": "conv.members.remove"}[method]
		for _, c := range []bad{
			{name: "no client_ids", body: `{}`, codes: is(4001), names: "client_ids"},
			{name: "client_ids empty", body: `{"client_ids":[]}`, codes: is(4001, 4406), names: "client_ids"},
			{name: "client_ids in lists", body: `{"client_ids":[["Tom"]]}`, codes: is(4406), names: "client_ids"},
			{name: "client_ids with a float", body: `{"client_ids":["Tom",2.5]}`, codes: is(4406), names: "client_ids"},
			{name: "501 client_ids", body: `{"client_ids":` + numberedIDs(501) + `}`, codes: is(4406), names: "client_ids"},
		} {
			c.name, c.method, c.path, c.op = method+" members: "+c.name, method, "/im/conversations/$C/members", op
			all = append(all, c)
		}
		all = append(all,
			bad{name: method + " members: unknown conversation", method: method, path: "/im/conversations/" + strings.Repeat("0", 32) + "/members", body: `{"client_ids":["Tom"]}`, codes: is(4011)},
			bad{name: method + " members: a conv_id that is none", method: method, path: "/im/conversations/x/members", body: `{"client_ids":["Tom"]}`, codes: is(4011, 4406)},
			bad{name: method + " members of a private conversation", method: method, path: "/im/conversations/$P/members", body: `{"client_ids":["Tom"]}`, codes: is(4405)})
	}
	return append(all,
		bad{name: "add: an unknown client among known ones", method: "POST", path: "/im/conversations/$C/members", body: `{"client_ids":["Tom","nobody9","Jerry"]}`, codes: is(211), names: "nobody9", op: "conv.members.add"},
		bad{name: "members of an unknown conversation", method: "GET", path: "/im/conversations/" + strings.Repeat("0", 32) + "/members", codes: is(4011)},
		bad{name: "an unknown conversation", method: "GET", path: "/im/conversations/" + strings.Repeat("f", 32), codes: is(4011)},
		bad{name: "a conv_id in capitals", method: "GET", path: "/im/conversations/" + strings.Repeat("F", 32), codes: is(4011, 4406)},
		bad{name: "a conv_id of 33", method: "GET", path: "/im/conversations/" + strings.Repeat("0", 33), codes: is(4011, 4406)},
		bad{name: "a conv_id with a quote", method: "GET", path: "/im/conversations/%27%20OR%201=1--", codes: is(4011, 4406)},
		bad{name: "a conv_id with a NUL", method: "GET", path: "/im/conversations/%00", codes: is(4011, 4406)},
		bad{name: "delete an unknown conversation", method: "DELETE", path: "/im/conversations/" + strings.Repeat("0", 32), codes: is(4011)},
		bad{name: "leave of an unknown conversation", method: "POST", path: "/im/conversations/" + strings.Repeat("0", 32) + "/leave", body: `{"client_id":"$A"}`, codes: is(4011)},
	)
}

// badMessages is about sending.
func badMessages() []bad {
	var all []bad
	add := func(name, body string, codes []int, names string, socket bool) {
		c := bad{name: "send: " + name, method: "POST", path: "/im/conversations/$C/message", body: body, codes: codes, names: names}
		if socket {
			c.op = "msg.send"
		}
		all = append(all, c)
	}
	with := func(fields string) string { return `{"from_client":"$A",` + fields + `}` }
	text := func(field string) string { return with(`"type":-1,"text":"x",` + field) }

	add("no from_client", `{"type":-1,"text":"x"}`, is(4001), "from_client", false)
	add("from_client unknown", `{"from_client":"nobody9","type":-1,"text":"x"}`, is(211), "nobody9", false)
	add("no type", with(`"text":"x"`), is(4001), "type", true)
	for _, v := range []string{`0`, `-7`, `"-1"`, `9223372036854775808`, `-9999999999`, `1e400`} {
		add("type "+v, with(`"type":`+v+`,"text":"x"`), is(4406), "type", true)
	}
	add("type null", with(`"type":null,"text":"x"`), is(4001, 4406), "type", true)
	add("no text", with(`"type":-1`), is(4001), "text", true)
	for _, v := range []string{`null`, `""`, `"   "`, `"\n\t "`, `"\u3000"`, `"\u00a0"`} {
		add("text "+v, with(`"type":-1,"text":`+v), is(4001, 4406), "text", true)
	}
	add("text of 16 KiB and one", with(`"type":-1,"text":"`+long(16<<10+1)+`"`), is(4406), "text", true)
	add("text of 16 KiB and one in bytes", with(`"type":-1,"text":"`+strings.Repeat("语", 5462)+`"`), is(4406), "text", true)
	for _, typ := range []string{"-2", "-3", "-4", "-6"} {
		add("type "+typ+" without url", with(`"type":`+typ+`,"text":"x"`), is(4001), "url", true)
		add("type "+typ+" with an empty url", with(`"type":`+typ+`,"url":""`), is(4001, 4406), "url", true)
	}
	add("url too long", with(`"type":-2,"url":"http://x/`+long(20<<10)+`"`), is(4406), "url", true)
	add("attr of more than 16 KiB", text(`"attr":"`+long(16<<10)+`"`), is(4406), "attr", true)
	add("mention_client_ids with a float", text(`"mention_client_ids":[1.5]`), is(4406), "mention_client_ids", true)
	add("101 mentions", text(`"mention_client_ids":`+numberedIDs(101)), is(4406), "mention_client_ids", true)
	for _, flag := range []string{"transient", "no_sync", "mention_all"} {
		for _, v := range []string{`2`, `-1`, `"2"`} {
			add(flag+" "+v, text(fmt.Sprintf("%q:%s", flag, v)), is(4406), flag, true)
		}
	}
	add("client_msg_id of 65", text(`"client_msg_id":"`+long(65)+`"`), is(4406), "client_msg_id", true)
	add("client_msg_id again, another text", text(`"client_msg_id":"$K"`), is(4013), "client_msg_id", true)
	add("client_msg_id again, another type", with(`"type":7,"client_msg_id":"$K"`), is(4013), "client_msg_id", true)
	add("reply_to unknown", text(`"reply_to":"`+strings.Repeat("0", 31)+`1"`), is(4012), "", true)
	add("reply_to no id", text(`"reply_to":"x"`), is(4406, 4012), "", true)
	add("reply_to in another conversation", text(`"reply_to":"$N"`), is(4012), "", true)
	add("device_id of 65", text(`"device_id":"`+long(65)+`"`), is(4406), "device_id", true)
	add("a key twice", text(`"text":"y"`), is(4406), "text", true)
	add("invalid UTF-8", "{\"from_client\":\"$A\",\"type\":-1,\"text\":\"\xff\"}", is(4406), "", false)
	add("cut short", `{"from_client":"$A","type":-1,"text":"x`, is(4406), "", false)
	add("no body", ``, is(4001), "", false)
	return append(all,
		bad{name: "send: unknown conversation", method: "POST", path: "/im/conversations/" + strings.Repeat("0", 32) + "/message", body: `{"from_client":"$A","type":-1,"text":"x"}`, codes: is(4011)},
		bad{name: "send: conv_id no id", method: "POST", path: "/im/conversations/x/message", body: `{"from_client":"$A","type":-1,"text":"x"}`, codes: is(4011, 4406)},
		bad{name: "history of an unknown conversation", method: "GET", path: "/im/conversations/" + strings.Repeat("0", 32) + "/message", codes: is(4011)},
		bad{name: "an unknown message", method: "GET", path: "/im/conversations/$C/message/" + strings.Repeat("0", 31) + "1", codes: is(4012)},
		bad{name: "a msg_id that is none", method: "GET", path: "/im/conversations/$C/message/x", codes: is(4012, 4406)},
		bad{name: "a message of another conversation", method: "GET", path: "/im/conversations/$C/message/$N", codes: is(4012)},
	)
}

// badUsers is the rest of the user ops.
func badUsers() []bad {
	all := []bad{
		{name: "an unknown user", method: "GET", path: "/im/users/nobody9", codes: is(211), names: "nobody9"},
		{name: "update of an unknown user", method: "PUT", path: "/im/users/nobody9", body: `{"ext":1}`, codes: is(211), names: "nobody9"},
		{name: "delete of an unknown user", method: "DELETE", path: "/im/users/nobody9", codes: is(211), names: "nobody9"},
		{name: "ban of an unknown user", method: "POST", path: "/im/users/nobody9/ban", body: `{}`, codes: is(211), names: "nobody9"},
		{name: "unban of an unknown user", method: "DELETE", path: "/im/users/nobody9/ban", codes: is(211), names: "nobody9"},
		{name: "logout of an unknown user", method: "POST", path: "/im/users/nobody9/logout", body: `{}`, codes: is(211), names: "nobody9"},
		{name: "update without ext", method: "PUT", path: "/im/users/$A", body: `{}`, codes: is(4001), names: "ext"},
		{name: "update with 16 KiB and more", method: "PUT", path: "/im/users/$A", body: `{"ext":"` + long(16<<10) + `"}`, codes: is(4406), names: "ext"},
		{name: "delete with unknown messages=", method: "DELETE", path: "/im/users/$A?messages=maybe", codes: is(4406), names: "messages"},
		{name: "act of numbers", method: "POST", path: "/im/users/$A/token", body: `{"ttl":60,"act":[1]}`, codes: is(4406), names: "act"},
	}
	for _, v := range []string{`"x"`, `-1`, `1.5`, `{}`, `true`} {
		all = append(all, bad{name: "ban until " + v, method: "POST", path: "/im/users/$A/ban", body: `{"until":` + v + `}`, codes: is(4406), names: "until"})
	}
	for _, v := range []string{`"x"`, `0`, `-1`, `1.5`, `9223372036854775807`, `[]`} {
		all = append(all, bad{name: "token ttl " + v, method: "POST", path: "/im/users/$A/token", body: `{"ttl":` + v + `}`, codes: is(4406), names: "ttl"})
	}
	return all
}
