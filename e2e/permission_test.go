package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// world is what one cell of the matrix acts on.
type world struct {
	a                              *app
	owner, admin, member, outsider string
	banned, victim                 string
	conv, room, msg                string
	before                         string
	sockets                        map[string]*socket // by role
}

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

type obj = map[string]any

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
		{name: "user.list", want: serverOnly(), keeps: true,
			rest:   func(*world, string) (string, string, any) { return "GET", "/im/users?page=1&size=5", nil },
			socket: func(*world, string) any { return obj{"page": 1, "size": 5} }},
		{name: "user.get", want: everybody(), keeps: true,
			rest:   func(w *world, self string) (string, string, any) { return "GET", userPath(who(w, self)), nil },
			socket: func(w *world, self string) any { return obj{"client_id": who(w, self)} }},
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

var roles = []string{"server", "owner", "admin", "member", "outsider"}

func (w *world) self(role string) string {
	return map[string]string{"owner": w.owner, "admin": w.admin, "member": w.member, "outsider": w.outsider, "banned": w.banned}[role]
}

// renew gives the world a conversation, a room, a message and a victim that no
// cell has touched.
func (w *world) renew(t *testing.T) {
	t.Helper()
	w.victim = w.a.user(t, "victim")
	w.conv = w.a.group(t, w.owner, w.admin, w.member)
	w.room = w.a.conv(t, 4, w.owner)
	w.a.must(t, "PUT", convPath(w.conv, "members", w.admin), obj{"role": "admin"})
	w.msg = w.a.send(t, w.conv, w.owner, "first").text("msg_id")
	w.before = w.state(t)
}

// state is all that the ops of the table could change.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{
		convPath(w.conv), convPath(w.conv, "members?detail=1"), convPath(w.conv, "readers"), convPath(w.conv, "message?size=100"), convPath(w.conv, "changes?limit=200"),
		convPath(w.room, "members"), userPath(w.victim), userPath(w.member),
	} {
		b.Write(w.a.call(t, "GET", path, nil).Raw)
		b.WriteByte('\n')
	}
	return b.String()
}

// ask makes the REST call of a row.
func (row opRow) ask(t *testing.T, w *world, h headers, self string) *answer {
	t.Helper()
	method, path, body := row.rest(w, self)
	if row.name == "file.upload" {
		return w.a.s.upload(t, h, multipartFile{"file", "a.png", realPNG(t)})
	}
	return w.a.s.call(t, method, path, h, body)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	a := strict(t)
	w := &world{a: a, sockets: map[string]*socket{}}
	w.owner, w.admin, w.member = a.user(t, "owner"), a.user(t, "admin"), a.user(t, "member")
	w.outsider, w.banned = a.user(t, "outsider"), a.user(t, "banned")
	a.must(t, "POST", userPath(w.banned, "ban"), obj{"reason": "spam"})
	for _, role := range roles[1:] {
		w.sockets[role] = a.login(t, w.self(role), "d")
	}
	w.renew(t)
	return w
}

// SPEC 5 and 6: each op by each role, by REST and by socket.
func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, row := range permissionTable() {
		t.Run(fmt.Sprintf("%02d %s", i, row.name), func(t *testing.T) {
			for _, role := range roles {
				want, asked := row.want[role]
				if !asked {
					continue
				}
				self := w.self(role)
				h := w.a.server()
				if role != "server" {
					h = w.a.as(t, self)
				}
				rest := row.ask(t, w, h, self)
				w.judge(t, row, role+" by REST", rest, want)
				if row.socket == nil || role == "server" {
					continue
				}
				c := w.sockets[role]
				c.forget()
				ans := c.ask(t, row.name, row.socket(w, self))
				if slices.Equal(want, forbidden) && slices.Equal(row.want["owner"], forbidden) && !slices.Contains(bothWays, row.name) {
					want = []int{4004, 4040, 4050, 4406} // not a command at all, or a forbidden one
				}
				w.judge(t, row, role+" by socket", ans, want)
				if rest.Code == 0 && ans.Code == 0 {
					sameForm(t, row.name, rest.Data, ans.Data)
				}
			}
		})
	}
}

// bothWays are the ops of the table that a client may call in some form.
var bothWays = []string{"user.update", "conv.create", "conv.join", "conv.leave", "msg.send", "msg.react", "msg.ranges"}

// judge holds an answer against the row, and an unchanged world against a
// refusal.
func (w *world) judge(t *testing.T, row opRow, who string, got *answer, want []int) {
	t.Helper()
	if !slices.Contains(want, got.Code) {
		t.Errorf("%s by %s: got %s, want code %v", row.name, who, got, want)
	}
	if got.Code == 0 {
		if !row.keeps || !slices.Contains(want, 0) {
			w.renew(t)
		}
		return
	}
	if after := w.state(t); after != w.before {
		t.Errorf("%s by %s was refused and changed the state\nbefore %s\n after %s", row.name, who, w.before, after)
		w.renew(t)
	}
}

// sameForm asserts that REST and socket answer with the same keys and types.
func sameForm(t *testing.T, op string, rest, socket []byte) {
	t.Helper()
	if a, b := form(decode(t, rest)), form(decode(t, socket)); a != b {
		t.Errorf("%s answers two forms:\n  REST %s\nsocket %s", op, a, b)
	}
}

// form is the shape of a JSON value: keys and types.
func form(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+":"+form(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		return "[" + form(v[0]) + "]"
	default:
		return kind(v)
	}
}

// A banned client is refused with 213 whatever it asks, also by a token that was
// made after the ban.
func TestBannedClientMayNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range permissionTable() {
		got := row.ask(t, w, w.a.as(t, w.banned), w.banned)
		w.judge(t, row, "a banned client", got, []int{213})
	}
	c, ans, err := w.a.tryLogin(w.a.token(t, w.banned), w.banned, "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.drop)
	ans.want(t, "login of a banned client", 213)
	w.a.call(t, "POST", convPath(w.conv, "message"), obj{"from_client": w.banned, "type": -1, "text": "x"}).
		want(t, "send in the name of a banned client by the server role", 213)
	w.a.must(t, "DELETE", userPath(w.banned, "ban"), nil)
	w.a.s.call(t, "GET", userPath(w.banned), w.a.as(t, w.banned), nil).want(t, "user.get after unban", 0)
}

// A ban with an end is over at its end.
func TestBanEndsByItself(t *testing.T) {
	t.Parallel()
	a := strict(t)
	u := a.user(t, "shortly")
	until := time.Now().Add(1500 * time.Millisecond).UnixMilli()
	a.must(t, "POST", userPath(u, "ban"), obj{"until": until})
	a.s.call(t, "GET", userPath(u), a.as(t, u), nil).want(t, "user.get while banned", 213)
	eventually(t, "the ban's end", func() bool {
		return a.s.call(t, "GET", userPath(u), a.as(t, u), nil).Code == 0
	})
	if now := time.Now().UnixMilli(); now < until {
		t.Errorf("the ban was over at %d, want not before %d", now, until)
	}
}

// credentials are ways to be refused with 4003 on every op.
func (w *world) badCredentials(t *testing.T, other *app) map[string]headers {
	t.Helper()
	a := w.a
	edit := func(e func(jwt.MapClaims)) headers { return a.bearer(a.token(t, w.owner, e)) }
	now := time.Now()
	good := jwt.MapClaims{"sub": w.owner, "app": a.ID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	parts := strings.Split(a.token(t, w.owner), ".")
	return map[string]headers{
		"no credential":          a.bare(),
		"a wrong key":            a.bare().with(headers{"app-key": "wrong"}),
		"the key of another app": a.bare().with(headers{"app-key": other.Key}),
		"a right key and more":   a.bare().with(headers{"app-key": a.Key + "x"}),
		"garbage for a token":    a.bearer("garbage"),
		"an empty token":         a.bare().with(headers{"Authorization": "Bearer "}),
		"another scheme":         a.bare().with(headers{"Authorization": "Basic " + a.Key}),
		"an expired token": edit(func(c jwt.MapClaims) {
			c["iat"] = now.Add(-2 * time.Hour).Unix()
			c["exp"] = now.Add(-2 * time.Minute).Unix()
		}),
		"a token without exp":      edit(func(c jwt.MapClaims) { delete(c, "exp") }),
		"a token of 91 days":       edit(func(c jwt.MapClaims) { c["exp"] = now.Add(91 * 24 * time.Hour).Unix() }),
		"a token not valid yet":    edit(func(c jwt.MapClaims) { c["nbf"] = now.Add(5 * time.Minute).Unix() }),
		"a token without sub":      edit(func(c jwt.MapClaims) { delete(c, "sub") }),
		"a token without app":      edit(func(c jwt.MapClaims) { delete(c, "app") }),
		"a token for another app":  edit(func(c jwt.MapClaims) { c["app"] = other.ID }),
		"a token of another app":   a.bearer(other.token(t, w.owner)),
		"another app's secret":     a.bearer(sign(t, jwt.SigningMethodHS256, []byte(other.Secret), good)),
		"an empty secret":          a.bearer(sign(t, jwt.SigningMethodHS256, []byte{}, good)),
		"alg none":                 a.bearer(sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good)),
		"alg none, signature kept": a.bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "." + parts[2]),
		"alg HS384":                a.bearer(sign(t, jwt.SigningMethodHS384, []byte(a.Secret), good)),
		"alg HS512":                a.bearer(sign(t, jwt.SigningMethodHS512, []byte(a.Secret), good)),
		"no signature":             a.bearer(parts[0] + "." + parts[1] + "."),
		"a changed payload":        a.bearer(parts[0] + "." + strings.Split(a.token(t, w.admin), ".")[1] + "." + parts[2]),
		"a good key, a bad token":  a.server().with(headers{"Authorization": "Bearer garbage"}),
		"a good token, a bad key":  a.as(t, w.owner).with(headers{"app-key": "wrong"}),
		"an app that is not":       {"IM-APP-ID": "nosuchapp", "app-key": a.Key},
	}
}

// Every credential fault gives one and the same answer, on every op.
func TestNoCredentialNoEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := createApp(t, w.a.s)
	same := ""
	table := permissionTable()
	for name, h := range w.badCredentials(t, other) {
		for i, row := range table {
			if i%4 != 0 && name != "no credential" && name != "a wrong key" && name != "alg none" {
				continue // each of them on some ops, these three on all
			}
			got := row.ask(t, w, h, w.owner)
			w.judge(t, row, name, got, []int{4003})
			if got.Code == 4003 {
				if same == "" {
					same = got.Message
				}
				if got.Message != same {
					t.Errorf("%s with %s: got message %q, want one answer for all: %q", row.name, name, got.Message, same)
				}
			}
		}
	}
	got := w.a.s.call(t, "GET", "/im/users", headers{"app-key": w.a.Key}, nil)
	got.want(t, "no app header", 4002)
	got = w.a.s.call(t, "GET", "/im/users", w.a.server().with(headers{"app-id": other.ID}), nil)
	got.want(t, "two app headers that differ", 4406)
	got = w.a.s.call(t, "GET", "/im/users", w.a.server().with(headers{"app-id": w.a.ID}), nil)
	got.want(t, "two app headers that agree", 0)
}

// SPEC 5: a wrong credential is refused even where none is needed.
func TestOpenAppRefusesAWrongCredential(t *testing.T) {
	t.Parallel()
	a := dev(t)
	a.s.call(t, "GET", "/im/users", a.bare(), nil).want(t, "no credential on an open app", 0)
	a.s.call(t, "GET", "/im/users", a.bare().with(headers{"app-key": "wrong"}), nil).want(t, "a wrong key", 4003)
	a.s.call(t, "GET", "/im/users", a.bearer("garbage"), nil).want(t, "a wrong token", 4003)
	c := a.s.socket(t)
	data := a.loginData(a.user(t, "u"), "d")
	data["token"] = "garbage"
	c.ask(t, "login", data).want(t, "login with a wrong token", 4003)
}

// act limits a token to what it lists, by REST and by socket.
func TestActLimitsAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	limited := w.a.token(t, w.owner, func(c jwt.MapClaims) { c["act"] = []string{"user.get", "msg.list"} })
	c := w.a.loginWith(t, limited, w.owner, "limited")
	for _, row := range permissionTable() {
		want := forbidden
		if row.name == "user.get" || row.name == "msg.list" {
			want = yes
		}
		w.judge(t, row, "a token limited by act", row.ask(t, w, w.a.bearer(limited), w.owner), want)
		if row.socket == nil || slices.Equal(row.want["owner"], forbidden) {
			continue
		}
		w.judge(t, row, "a session limited by act", c.ask(t, row.name, row.socket(w, w.owner)), want)
	}
	none := w.a.token(t, w.owner, func(c jwt.MapClaims) { c["act"] = []string{} })
	w.a.s.call(t, "GET", userPath(w.owner), w.a.bearer(none), nil).want(t, "act: []", 4004)
}

// user.token mints what the server takes, limited as asked.
func TestMintedToken(t *testing.T) {
	t.Parallel()
	a := strict(t)
	u := a.user(t, "u")
	conv := a.group(t, u)
	token := a.must(t, "POST", userPath(u, "token"), obj{"ttl": 600, "act": []string{"msg.list"}, "device_id": "d1"}).text("token")
	if token == "" {
		t.Fatal("user.token: no token in the data")
	}
	a.s.call(t, "GET", convPath(conv, "message"), a.bearer(token), nil).want(t, "msg.list by the minted token", 0)
	a.s.call(t, "GET", userPath(u), a.bearer(token), nil).want(t, "user.get by a token for msg.list", 4004)
	a.call(t, "POST", userPath("nobody", "token"), obj{"ttl": 600}).want(t, "token for nobody", 211)
	a.call(t, "POST", userPath(u, "token"), obj{"ttl": 91 * 24 * 3600}).want(t, "token of 91 days", 4406)
	a.call(t, "POST", userPath(u, "token"), obj{"ttl": -1}).want(t, "token of -1 s", 4406)
	c, ans, err := a.tryLogin(token, u, "d2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.drop)
	ans.want(t, "login from another device than the token's", 4003, 4004)
	a.loginWith(t, token, u, "d1")
}

// SPEC 1 and 8.7: the same ids in two apps have nothing to do with each other.
func TestAppsShareNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := createApp(t, w.a.s)
	for _, id := range []string{w.owner, w.member, w.outsider} {
		other.must(t, "POST", "/im/users", obj{"client_id": id})
	}
	for _, row := range permissionTable() {
		if !strings.HasPrefix(row.name, "conv.") && !strings.HasPrefix(row.name, "msg.") || slices.Contains([]string{"conv.create", "conv.list", "msg.ranges"}, row.name) {
			continue
		}
		for who, h := range map[string]headers{
			"another app's owner with the same id": other.as(t, w.owner),
			"another app's server":                 other.server(),
		} {
			got := row.ask(t, w, h, w.owner)
			if row.name == "conv.query" {
				if got.Code != 0 || got.number("total") != 0 {
					t.Errorf("conv.query by %s: got %s, want nothing found", who, got)
				}
				continue
			}
			// What the body says of a client may be looked at first: the victim is
			// not a client of the other app; nor may its owner act for another.
			want := []int{4011}
			if who == "another app's server" {
				want = append(want, 211)
			} else {
				want = append(want, 4004)
			}
			if said := saidBy(row.rest(w, w.owner)); got.Code == 4004 && !strings.Contains(said, w.victim) && !strings.Contains(said, w.member) {
				want = []int{4011}
			}
			w.judge(t, row, who, got, want)
		}
	}
	other.call(t, "GET", userPath(w.victim), nil).want(t, "another app's user", 211)
	other.call(t, "POST", "/im/conversations", obj{"client_id": w.owner, "to_client_ids": []string{w.victim}, "conv_type": 3}).
		want(t, "a conversation with another app's user", 211)

	// The same client and device in the other app neither kicks nor listens.
	theirs := other.login(t, w.member, "d")
	w.a.send(t, w.conv, w.owner, "not for them")
	w.sockets["member"].expectText(t, "not for them")
	theirs.nothing(t, "msg.new")
	w.sockets["member"].open(t)
}

// saidBy is where a call goes and what it says.
func saidBy(_, path string, body any) string { return path + jsonOf(body) }

// A client's query sees its own conversations alone, with or without a where.
func TestClientQueriesItsOwn(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	mine := []string{a.group(t, one), a.group(t, two, one)}
	a.group(t, two)
	for _, path := range []string{"/im/conversations", where("[]"), where(`[["client_num",">=",0]]`), where(`[["client_id","in",["` + two + `","` + one + `"]]]`)} {
		got := a.s.call(t, "GET", path, a.as(t, one), nil).want(t, path, 0)
		if got.number("total") != 2 || !strings.Contains(string(got.Raw), mine[0]) || !strings.Contains(string(got.Raw), mine[1]) {
			t.Errorf("GET %s by a client: got %s, want %v", path, got, mine)
		}
	}
	if got := a.s.call(t, "GET", where(`[["client_id","=","`+two+`"]]`), a.as(t, one), nil); got.number("total") != 1 || !strings.Contains(string(got.Raw), mine[1]) {
		t.Errorf("conversations with another client: got %s, want %s alone", got, mine[1])
	}
	a.call(t, "GET", "/im/conversations", nil).want(t, "no where from the server role", 4001)
	got := a.must(t, "GET", where("[]"), nil)
	if got.number("total") != 3 {
		t.Errorf("an empty where: got %s, want all 3", got)
	}
	a.call(t, "PUT", "/im/conversations", obj{"where": []any{}, "update": obj{"conv_extend": obj{}}}).want(t, "PUT with an empty where", 4406)
}
