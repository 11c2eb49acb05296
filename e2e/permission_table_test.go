package e2e

import (
	"fmt"
	"slices"
)

// opRow is one op as REST and as socket command. want maps a role to the codes
// that are right; a role that is not there is not asked.
type opRow struct {
	name   string
	rest   func(w *world, self string) (method, path string, body any)
	socket func(w *world, self string) any // nil: REST only
	want   map[string][]int
	// keeps: a success changes nothing that a later cell could notice.
	keeps bool
}

var (
	yes       = []int{0}
	forbidden = []int{4004}
)

// serverOnly is the row of ops that no client may call.
func serverOnly() map[string][]int {
	return map[string][]int{"server": yes, "owner": forbidden, "admin": forbidden, "member": forbidden, "outsider": forbidden}
}

// managers is the row of ops for owner and admin.
func managers() map[string][]int {
	return map[string][]int{"server": yes, "owner": yes, "admin": yes, "member": forbidden, "outsider": forbidden}
}

// membersAll is the row of ops for members.
func membersAll() map[string][]int {
	return map[string][]int{"server": yes, "owner": yes, "admin": yes, "member": yes, "outsider": forbidden}
}

// everybody is the row of ops for any client.
func everybody() map[string][]int {
	return map[string][]int{"server": yes, "owner": yes, "admin": yes, "member": yes, "outsider": yes}
}

func permissionTable() []opRow {
	who := func(w *world, self string) string { // the client that the server role names
		if self == "" {
			return w.member
		}
		return self
	}
	return slices.Concat(inboxRows(), []opRow{
		{name: "user.create", want: serverOnly(),
			rest: func(*world, string) (string, string, any) {
				return "POST", "/im/users", obj{"client_id": unique("made")}
			},
			socket: func(*world, string) any { return obj{"client_id": unique("made")} }},
		{name: "user.import", want: serverOnly(),
			rest: func(*world, string) (string, string, any) {
				return "POST", "/im/users/import", obj{"users": []obj{{"client_id": unique("made")}}}
			},
			socket: func(*world, string) any { return obj{"users": []obj{{"client_id": unique("made")}}} }},
		{name: "app.usage", want: serverOnly(), keeps: true,
			rest: func(*world, string) (string, string, any) { return "GET", "/im/app/usage", nil }},
		{name: "user.list", want: serverOnly(), keeps: true,
			rest:   func(*world, string) (string, string, any) { return "GET", "/im/users?page=1&size=5", nil },
			socket: func(*world, string) any { return obj{"page": 1, "size": 5} }},
		{name: "user.get", want: everybody(), keeps: true,
			rest:   func(w *world, self string) (string, string, any) { return "GET", userPath(who(w, self)), nil },
			socket: func(w *world, self string) any { return obj{"client_id": who(w, self)} }},
		{name: "user.get_many", want: everybody(), keeps: true,
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", "/im/users/get_many", obj{"client_ids": []string{w.victim}}
			},
			socket: func(w *world, _ string) any { return obj{"client_ids": []string{w.victim}} }},
		{name: "user.update", want: everybody(),
			rest: func(w *world, self string) (string, string, any) {
				return "PUT", userPath(who(w, self)), obj{"ext": obj{"a": 1}}
			},
			socket: func(w *world, self string) any { return obj{"client_id": who(w, self), "ext": obj{"a": 1}} }},
		{name: "user.update", want: serverOnly(), // of another
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", userPath(w.victim), obj{"ext": obj{"a": 2}}
			},
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim, "ext": obj{"a": 2}} }},
		{name: "user.delete", want: serverOnly(),
			rest:   func(w *world, _ string) (string, string, any) { return "DELETE", userPath(w.victim), nil },
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		{name: "user.ban", want: serverOnly(),
			rest:   func(w *world, _ string) (string, string, any) { return "POST", userPath(w.victim, "ban"), obj{} },
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		{name: "user.unban", want: serverOnly(),
			rest:   func(w *world, _ string) (string, string, any) { return "DELETE", userPath(w.victim, "ban"), nil },
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		{name: "user.logout", want: serverOnly(),
			rest:   func(w *world, _ string) (string, string, any) { return "POST", userPath(w.victim, "logout"), obj{} },
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		{name: "user.token", want: serverOnly(), keeps: true,
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", userPath(w.victim, "token"), obj{"ttl": 3600}
			},
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim, "ttl": 3600} }},

		{name: "conv.create", want: everybody(), keeps: true,
			rest: func(w *world, self string) (string, string, any) {
				return "POST", "/im/conversations", obj{"client_id": who(w, self), "to_client_ids": []string{w.victim}, "conv_type": 3}
			},
			socket: func(w *world, self string) any {
				return obj{"client_id": who(w, self), "to_client_ids": []string{w.victim}, "conv_type": 3}
			}},
		{name: "conv.create", want: serverOnly(), keeps: true, // for another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", "/im/conversations", obj{"client_id": w.victim, "to_client_ids": []string{w.member}, "conv_type": 3}
			},
			socket: func(w *world, _ string) any {
				return obj{"client_id": w.victim, "to_client_ids": []string{w.member}, "conv_type": 3}
			}},
		{name: "conv.query", want: everybody(), keeps: true,
			rest: func(w *world, _ string) (string, string, any) {
				return "GET", where(fmt.Sprintf(`[["conv_id","=",%q]]`, w.conv)), nil
			},
			socket: func(w *world, _ string) any { return obj{"where": [][]any{{"conv_id", "=", w.conv}}} }},
		{name: "conv.update",
			want: map[string][]int{"server": yes, "owner": yes, "admin": yes, "member": forbidden, "outsider": {4004, 4011}},
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", "/im/conversations", obj{"where": [][]any{{"conv_id", "=", w.conv}}, "update": obj{"conv_extend": obj{"b": 1}}}
			},
			socket: func(w *world, _ string) any {
				return obj{"where": [][]any{{"conv_id", "=", w.conv}}, "update": obj{"conv_extend": obj{"b": 1}}}
			}},
		{name: "conv.delete", want: managers(),
			rest:   func(w *world, _ string) (string, string, any) { return "DELETE", convPath(w.conv), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "conv.get", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "conv.members", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "members"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "conv.members.list", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "memberships"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "conv.members.add", want: managers(),
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "members"), obj{"client_ids": []string{w.victim}}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_ids": []string{w.victim}} }},
		{name: "conv.members.remove", want: map[string][]int{"server": yes, "owner": yes, "admin": yes, "outsider": forbidden},
			rest: func(w *world, _ string) (string, string, any) {
				return "DELETE", convPath(w.conv, "members"), obj{"client_ids": []string{w.member}}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_ids": []string{w.member}} }},
		{name: "conv.members.remove", want: map[string][]int{"member": forbidden}, // of another, by a member
			rest: func(w *world, _ string) (string, string, any) {
				return "DELETE", convPath(w.conv, "members"), obj{"client_ids": []string{w.owner}}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_ids": []string{w.owner}} }},
		{name: "conv.join", want: everybody(), // a chat room
			rest: func(w *world, self string) (string, string, any) {
				return "POST", convPath(w.room, "join"), obj{"client_id": who(w, self)}
			},
			socket: func(w *world, self string) any { return obj{"conv_id": w.room, "client_id": who(w, self)} }},
		{name: "conv.join", want: map[string][]int{"outsider": {4004, 4405}}, // a group
			rest: func(w *world, self string) (string, string, any) {
				return "POST", convPath(w.conv, "join"), obj{"client_id": who(w, self)}
			},
			socket: func(w *world, self string) any { return obj{"conv_id": w.conv, "client_id": self} }},
		{name: "conv.join", want: serverOnly(), // for another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.room, "join"), obj{"client_id": w.victim}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.room, "client_id": w.victim} }},
		{name: "conv.leave", want: map[string][]int{"server": yes, "member": yes, "admin": yes, "owner": yes, "outsider": {0, 4004}},
			rest: func(w *world, self string) (string, string, any) {
				return "POST", convPath(w.conv, "leave"), obj{"client_id": who(w, self)}
			},
			socket: func(w *world, self string) any { return obj{"conv_id": w.conv, "client_id": who(w, self)} }},
		{name: "conv.leave", want: map[string][]int{"outsider": forbidden}, // for another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "leave"), obj{"client_id": w.member}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_id": w.member} }},
		{name: "msg.send", want: membersAll(),
			rest: func(w *world, self string) (string, string, any) {
				return "POST", convPath(w.conv, "message"), obj{"from_client": who(w, self), "type": -1, "text": "hi"}
			},
			socket: func(w *world, self string) any {
				return obj{"conv_id": w.conv, "from_client": who(w, self), "type": -1, "text": "hi"}
			}},
		{name: "msg.send", want: serverOnly(), // as another, and for one who is no member
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "message"), obj{"from_client": w.victim, "type": -1, "text": "hi"}
			},
			socket: func(w *world, _ string) any {
				return obj{"conv_id": w.conv, "from_client": w.victim, "type": -1, "text": "hi"}
			}},
		{name: "msg.list", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "message"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "msg.list", want: membersAll(), keeps: true, // by cursor
			rest: func(w *world, _ string) (string, string, any) {
				return "GET", convPath(w.conv, "message?after_seq=0&limit=5"), nil
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "after_seq": 0, "limit": 5} }},
		{name: "msg.find", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "search?limit=5"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "limit": 5} }},
		{name: "msg.get", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "message", w.msg), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "msg_id": w.msg} }},
		{name: "presence.get", want: everybody(), keeps: true,
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", "/im/presence", obj{"client_ids": []string{w.victim}}
			},
			socket: func(w *world, _ string) any { return obj{"client_ids": []string{w.victim}} }},
		{name: "msg.edit", want: map[string][]int{"server": yes, "owner": yes, "admin": forbidden, "member": forbidden, "outsider": forbidden}, // of the owner's
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", convPath(w.conv, "message", w.msg), obj{"text": "edited"}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "msg_id": w.msg, "text": "edited"} }},
		{name: "msg.recall", want: managers(), // of the owner's
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "message", w.msg, "recall"), obj{}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "msg_id": w.msg} }},
		{name: "msg.delete", want: membersAll(),
			rest: func(w *world, self string) (string, string, any) {
				return "DELETE", convPath(w.conv, "message", w.msg), obj{"client_id": who(w, self)}
			},
			socket: func(w *world, self string) any {
				return obj{"conv_id": w.conv, "msg_id": w.msg, "client_id": who(w, self)}
			}},
		{name: "msg.react", want: membersAll(),
			rest: func(w *world, self string) (string, string, any) {
				return "POST", convPath(w.conv, "message", w.msg, "reactions"), obj{"emoji": "👍", "client_id": who(w, self)}
			},
			socket: func(w *world, self string) any {
				return obj{"conv_id": w.conv, "msg_id": w.msg, "emoji": "👍", "client_id": who(w, self)}
			}},
		{name: "msg.react", want: map[string][]int{"owner": forbidden, "admin": forbidden, "outsider": forbidden}, // as another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "message", w.msg, "reactions"), obj{"emoji": "👍", "client_id": w.member}
			},
			socket: func(w *world, _ string) any {
				return obj{"conv_id": w.conv, "msg_id": w.msg, "emoji": "👍", "client_id": w.member}
			}},
		{name: "msg.pin", want: managers(),
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", convPath(w.conv, "message", w.msg, "pin"), obj{}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "msg_id": w.msg} }},
		{name: "msg.pins", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "pins"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "changes", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "changes"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		{name: "msg.ranges", want: everybody(), keeps: true, // a refusal is an item of the answer
			rest: func(w *world, self string) (string, string, any) {
				return "POST", "/im/messages/ranges", obj{"client_id": who(w, self), "ranges": []obj{{"conv_id": w.conv}}}
			},
			socket: func(w *world, self string) any {
				return obj{"client_id": who(w, self), "ranges": []obj{{"conv_id": w.conv}}}
			}},
		{name: "msg.ranges", want: map[string][]int{"owner": forbidden, "admin": forbidden, "outsider": forbidden}, keeps: true, // as another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", "/im/messages/ranges", obj{"client_id": w.member, "ranges": []obj{{"conv_id": w.conv}}}
			},
			socket: func(w *world, _ string) any {
				return obj{"client_id": w.member, "ranges": []obj{{"conv_id": w.conv}}}
			}},
		{name: "file.upload", want: everybody(), keeps: true,
			rest: func(*world, string) (string, string, any) { return "POST", "/im/file/upload", nil }},
	})
}
