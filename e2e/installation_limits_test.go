package e2e

import (
	"strings"
	"testing"
	"time"
)

// Each limit is a flag of the installation, which an app's own setting beats.
func TestLimitsOfTheInstallation(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev(), withArgs("--max-body-kib", "4", "--max-members", "3", "--max-conversations", "2",
		"--send-rate", "1", "--send-burst", "2", "--rest-rate", "30"))
	a := createApp(t, s)
	own := newApp(t, s, unique("own"), "--max-members", "4", "--send-burst", "5", "--max-conversations", "100")
	eventually(t, "the server follows `skein app create`", func() bool { return s.once(t, "GET", "/im/users?size=1", own.server(), nil).Code == 0 })

	body := func(n int) string {
		return `{"client_id":"` + unique("big") + `","ext":{"x":"` + strings.Repeat("x", n) + `"}}`
	}
	a.call(t, "POST", "/im/users", body(3000)).want(t, "a body of 3 KB", 0)
	a.call(t, "POST", "/im/users", body(4500)).want(t, "a body of 4.5 KB", 4130)
	alice := a.user(t, "alice")
	c := a.login(t, alice, "d")
	c.ask(t, "user.update", obj{"ext": obj{"x": strings.Repeat("x", 3000)}}).want(t, "a frame of 3 KB", 0)
	if err := c.sendText(`{"type":"user.update","data":{"ext":{"x":"` + strings.Repeat("x", 4500) + `"}}}`); err != nil {
		t.Fatal(err)
	}
	c.closed(t, 1009)

	for _, tt := range []struct {
		a    *app
		most int
	}{{a, 3}, {own, 4}} {
		users := tt.a.users(t, tt.most+1)
		create := func(n int) *answer {
			return tt.a.call(t, "POST", "/im/conversations", obj{"client_id": users[0], "to_client_ids": users[1:n], "conv_type": 3})
		}
		create(tt.most).want(t, "a group of as many as may be", 0)
		create(tt.most+1).want(t, "one more", 4130)
	}

	bob := a.user(t, "bob")
	group := func(of *app, client string) *answer {
		return of.call(t, "POST", "/im/conversations", obj{"client_id": client, "to_client_ids": []string{client}, "conv_type": 3})
	}
	conv := group(a, bob).want(t, "the first conversation", 0).text("conv_id")
	group(a, bob).want(t, "the second", 0)
	if got := group(a, bob); got.Code == 0 {
		t.Errorf("a third conversation of 2: got %s, want it refused", got)
	}
	carl := own.user(t, "carl")
	convs := map[*app]string{a: conv, own: group(own, carl).text("conv_id")}
	for of, want := range map[*app]int{a: 2, own: 5} {
		client := map[*app]string{a: bob, own: carl}[of]
		h, sent, began := of.as(t, client), 0, time.Now()
		for range 8 {
			if s.once(t, "POST", convPath(convs[of], "message"), h, obj{"type": -1, "text": "x"}).Code == 0 {
				sent++
			}
		}
		if most := want + 1 + int(time.Since(began).Seconds()); sent < want || sent > most { // one more each second
			t.Errorf("8 sends at once: %d went, want %d to %d", sent, want, most)
		}
	}

	if !refusesSome(400, 4290, func() int { return s.once(t, "GET", "/im/users?size=1", a.server(), nil).Code }) {
		t.Error("400 calls at 30 a second: none was refused")
	}
}
