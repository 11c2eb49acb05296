package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// What login.success says are the limits of the app.
func TestLoginTellsTheLimitsOfTheApp(t *testing.T) {
	t.Parallel()
	a := newApp(t, strictServer.get(t), unique("limits"), "--edit-window=7", "--recall-window=-1", "--file-types=png,pdf", "--max-file-bytes=1234",
		"--max-members=5", "--max-conversations=6", "--send-rate=8", "--send-burst=9")
	eventually(t, "the app is known", func() bool { return a.s.once(t, "GET", "/im/users", a.server(), nil).Code == 0 })
	limits := func(a *app) map[string]any {
		user := a.user(t, "user")
		c := a.s.socket(t)
		data := a.loginData(user, "d")
		data["token"] = a.token(t, user)
		got, ok := c.ask(t, "login", data).want(t, "login", 0).field("limits").(map[string]any)
		if !ok {
			t.Fatal("login.success has no limits")
		}
		return got
	}
	usual := limits(strict(t))
	if got := fmt.Sprint(usual["edit_window_s"], usual["recall_window_s"], usual["max_text_bytes"], usual["max_frame_bytes"]); got != "86400 120 16384 262144" {
		t.Errorf("limits of an app without settings: got %v", usual)
	}
	if types, _ := usual["file_types"].([]any); !slices.Contains(types, any("mp4")) {
		t.Errorf("file_types of an app without settings: got %v", types)
	}
	got := limits(a)
	want := map[string]any{"edit_window_s": 7.0, "recall_window_s": nil, "max_file_bytes": 1234.0, "file_types": []any{"png", "pdf"}, "max_members": 5.0,
		"max_conversations": 6.0, "send_rate": 8.0, "send_burst": 9.0}
	for name, v := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(v) {
			t.Errorf("%s: got %v, want %v", name, got[name], v)
		}
	}
}

// Each right of a view says what the call answers: 1 where it is done, 0 where it is not.
func TestRightsSayWhatIsAllowed(t *testing.T) {
	t.Parallel()
	usual := strict(t)
	other := newApp(t, strictServer.get(t), unique("rights"), "--members-may-invite=on", "--members-may-mention-all=off")
	eventually(t, "the app is known", func() bool { return other.s.once(t, "GET", "/im/users", other.server(), nil).Code == 0 })
	for name, tt := range map[string]struct {
		a     *app
		typ   int
		role  string
		muted bool
		act   []string // of the token; nil: all
	}{
		"the owner of a group":          {usual, 3, "owner", false, nil},
		"an admin":                      {usual, 3, "admin", false, nil},
		"a member":                      {usual, 3, "member", false, nil},
		"a muted member":                {usual, 3, "member", true, nil},
		"a member of a chat room":       {usual, 4, "member", false, nil},
		"the owner of a temporary one":  {usual, 2, "owner", false, nil},
		"one of a pair":                 {usual, 1, "member", false, nil},
		"a member where members invite": {other, 3, "member", false, nil},
		"an admin there":                {other, 3, "admin", false, nil},
		"one of a pair there":           {other, 1, "member", false, nil},
		"an owner with a small token":   {usual, 3, "owner", false, []string{"conv.list", "msg.send", "conv.members.add"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := tt.a
			for right, call := range map[string]func(conv, below, fresh string) (method, path string, body any){
				"send": func(c, _, _ string) (string, string, any) {
					return "POST", convPath(c, "message"), obj{"type": -1, "text": "x"}
				},
				"mention_all": func(c, _, _ string) (string, string, any) {
					return "POST", convPath(c, "message"), obj{"type": -1, "text": "x", "mention_all": 1}
				},
				"add": func(c, _, fresh string) (string, string, any) {
					return "POST", convPath(c, "members"), obj{"client_ids": []string{fresh}}
				},
				"remove": func(c, below, _ string) (string, string, any) {
					return "DELETE", convPath(c, "members"), obj{"client_ids": []string{below}}
				},
				"set_role": func(c, below, _ string) (string, string, any) {
					return "PUT", convPath(c, "members", below), obj{"role": "admin"}
				},
				"leave": func(c, _, _ string) (string, string, any) { return "POST", convPath(c, "leave"), obj{} },
				"edit_info": func(c, _, _ string) (string, string, any) {
					return "PUT", "/im/conversations", obj{"where": [][]any{{"conv_id", "=", c}}, "update": obj{"conv_extend": 1}}
				},
				"delete":   func(c, _, _ string) (string, string, any) { return "DELETE", convPath(c), nil },
				"mute_all": func(c, _, _ string) (string, string, any) { return "POST", convPath(c, "mute"), obj{"on": 1} },
			} {
				me, boss, below, fresh := a.user(t, "me"), a.user(t, "boss"), a.user(t, "below"), a.user(t, "fresh")
				var conv string
				switch {
				case tt.typ == 1:
					conv = a.conv(t, 1, me, below)
				case tt.role == "owner":
					conv = a.conv(t, tt.typ, me, below)
				default:
					conv = a.conv(t, tt.typ, boss, me, below)
					a.must(t, "PUT", convPath(conv, "members", me), obj{"role": tt.role})
				}
				if tt.muted {
					a.must(t, "PUT", convPath(conv, "members", me), obj{"mute_until": 9007199254740990})
				}
				h := a.bearer(a.token(t, me, func(c jwt.MapClaims) {
					if tt.act != nil {
						c["act"] = tt.act
					}
				}))
				var page struct {
					Data []struct {
						Rights map[string]int `json:"rights"`
					} `json:"data"`
				}
				a.s.call(t, "GET", userPath(me, "conversations"), h, nil).want(t, "conv.list", 0).into(t, &page)
				may, told := page.Data[0].Rights[right]
				method, path, body := call(conv, below, fresh)
				got := a.s.call(t, method, path, h, body)
				if !told || (may == 1) != (got.Code == 0) {
					t.Errorf("%s: rights %v, and the call answers %s", right, page.Data[0].Rights, got)
				}
			}
		})
	}
}
