package e2e

// inboxRows are the rows of the matrix about the inbox, positions and roles.
func inboxRows() []opRow {
	own := func(w *world, self string) string { // whom the server role names
		if self == "" {
			return w.member
		}
		return self
	}
	nobody := map[string][]int{"server": forbidden, "owner": forbidden, "admin": forbidden, "member": forbidden, "outsider": forbidden}
	var rows []opRow
	for _, list := range []struct{ name, path string }{{"conv.list", "conversations"}, {"conv.unread", "unread"}, {"sync", "sync"}} {
		rows = append(rows,
			opRow{name: list.name, want: everybody(), keeps: true,
				rest: func(w *world, self string) (string, string, any) {
					return "GET", userPath(own(w, self), list.path), nil
				},
				socket: func(*world, string) any { return obj{} }},
			opRow{name: list.name, want: serverOnly(), keeps: true, // of another
				rest:   func(w *world, _ string) (string, string, any) { return "GET", userPath(w.victim, list.path), nil },
				socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		)
	}
	for _, move := range []string{"read", "received"} {
		rows = append(rows,
			opRow{name: "conv." + move, want: membersAll(),
				rest: func(w *world, self string) (string, string, any) {
					return "POST", convPath(w.conv, move), obj{"client_id": own(w, self), "seq": 1}
				},
				socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "seq": 1} }},
			opRow{name: "conv." + move, want: nobody, // of another, who is no member
				rest: func(w *world, _ string) (string, string, any) {
					return "POST", convPath(w.conv, move), obj{"client_id": w.victim}
				},
				socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_id": w.victim} }},
		)
	}
	receipts := func(w *world) []obj { return []obj{{"conv_id": w.conv, "seq": 1}} }
	return append(rows,
		opRow{name: "conv.read_all", want: everybody(),
			rest: func(w *world, self string) (string, string, any) {
				return "POST", userPath(own(w, self), "read"), obj{}
			},
			socket: func(*world, string) any { return obj{} }},
		opRow{name: "conv.read_all", want: serverOnly(), // of another
			rest:   func(w *world, _ string) (string, string, any) { return "POST", userPath(w.victim, "read"), obj{} },
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim} }},
		opRow{name: "conv.received_many", want: everybody(),
			rest: func(w *world, self string) (string, string, any) {
				return "POST", userPath(own(w, self), "received"), obj{"receipts": receipts(w)}
			},
			socket: func(w *world, _ string) any { return obj{"receipts": receipts(w)} }},
		opRow{name: "conv.received_many", want: serverOnly(), // of another
			rest: func(w *world, _ string) (string, string, any) {
				return "POST", userPath(w.victim, "received"), obj{"receipts": receipts(w)}
			},
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim, "receipts": receipts(w)} }},
		opRow{name: "conv.mark", want: membersAll(),
			rest: func(w *world, self string) (string, string, any) {
				return "PUT", userPath(own(w, self), "conversations", w.conv), obj{"pin": 1}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "pin": 1} }},
		opRow{name: "conv.mark", want: nobody, // of another, who is no member
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", userPath(w.victim, "conversations", w.conv), obj{"pin": 1}
			},
			socket: func(w *world, _ string) any { return obj{"client_id": w.victim, "conv_id": w.conv, "pin": 1} }},
		opRow{name: "conv.readers", want: membersAll(), keeps: true,
			rest:   func(w *world, _ string) (string, string, any) { return "GET", convPath(w.conv, "readers"), nil },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
		opRow{name: "conv.members.update", want: membersAll(), // one's own name
			rest: func(w *world, self string) (string, string, any) {
				return "PUT", convPath(w.conv, "members", own(w, self)), obj{"nickname": "N"}
			},
			socket: func(w *world, self string) any { return obj{"conv_id": w.conv, "client_id": self, "nickname": "N"} }},
		opRow{name: "conv.members.update", want: managers(), // a member's mute
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", convPath(w.conv, "members", w.member), obj{"mute_until": int64(1) << 42}
			},
			socket: func(w *world, _ string) any {
				return obj{"conv_id": w.conv, "client_id": w.member, "mute_until": int64(1) << 42}
			}},
		opRow{name: "conv.members.update", // an admin's role
			want: map[string][]int{"server": yes, "owner": yes, "admin": forbidden, "member": forbidden, "outsider": forbidden},
			rest: func(w *world, _ string) (string, string, any) {
				return "PUT", convPath(w.conv, "members", w.admin), obj{"role": "member"}
			},
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv, "client_id": w.admin, "role": "member"} }},
		opRow{name: "conv.mute_all", want: managers(),
			rest:   func(w *world, _ string) (string, string, any) { return "POST", convPath(w.conv, "mute"), obj{} },
			socket: func(w *world, _ string) any { return obj{"conv_id": w.conv} }},
	)
}
