package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
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

type obj = map[string]any

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

// Each op by each role, by REST and by socket.
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

// Every call of a banned client is refused with 213, also with a token made after the ban.
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
	t.Cleanup(c.Drop)
	ans.want(t, "login of a banned client", 213)
	w.a.call(t, "POST", convPath(w.conv, "message"), obj{"from_client": w.banned, "type": -1, "text": "x"}).
		want(t, "send in the name of a banned client by the server role", 213)
	w.a.must(t, "DELETE", userPath(w.banned, "ban"), nil)
	w.a.s.call(t, "GET", userPath(w.banned), w.a.as(t, w.banned), nil).want(t, "user.get after unban", 0)
}

// The same ids in two apps have nothing to do with each other.
func TestAppsShareNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := createApp(t, w.a.s)
	for _, id := range []string{w.owner, w.member, w.outsider} {
		other.must(t, "POST", "/im/users", obj{"client_id": id})
	}
	for _, row := range permissionTable() {
		if !strings.HasPrefix(row.name, "conv.") && !strings.HasPrefix(row.name, "msg.") || slices.Contains([]string{"conv.create", "conv.list", "conv.unread", "conv.read_all", "conv.received_many", "msg.ranges"}, row.name) {
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
