package e2e

import (
	"maps"
	"testing"
)

// strictWith is a new app with these settings on the shared strict server.
func strictWith(t *testing.T, args ...string) *app {
	t.Helper()
	s := strictServer.get(t)
	a := newApp(t, s, unique("shop"), args...)
	eventually(t, "the server follows `skein app create`", func() bool {
		return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0
	})
	return a
}

// change edits the app by the command line; the server follows within 2 s.
func (a *app) change(t *testing.T, args ...string) {
	t.Helper()
	out, errs, exit := skein(t, append([]string{"app", "update", "--id", a.ID, "--data", a.s.Data}, args...)...)
	if exit != 0 {
		t.Fatalf("skein app update: exit %d\n%s%s", exit, out, errs)
	}
}

// on is the data of a login from a device, with a good token where one is asked for.
func (a *app) on(t *testing.T, client, device string, more obj) obj {
	t.Helper()
	data := a.loginData(client, device)
	if a.Secret != "" {
		data["token"] = a.token(t, client)
	}
	maps.Copy(data, more)
	return data
}

// enter opens a socket and logs in with data.
func (a *app) enter(t *testing.T, data obj) (*socket, *answer) {
	t.Helper()
	c := a.s.socket(t)
	return c, c.ask(t, "login", data)
}

// kicked wants the socket to be closed with this reason.
func (c *socket) kicked(t *testing.T, reason string) {
	t.Helper()
	var kick struct {
		Reason string `json:"reason"`
	}
	c.expect(t, "logout.kick").into(t, &kick)
	if kick.Reason != reason {
		t.Errorf("kicked for %q, want %q", kick.Reason, reason)
	}
	c.closed(t, 4401)
}

func resume(generation string) obj { return obj{"resume": 1, "generation": generation} }

func TestResumeAfterACutConnection(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	c, first := a.enter(t, a.on(t, one, "phone", nil))
	generation := first.want(t, "login", 0).text("generation")
	if !isHexID(generation) {
		t.Fatalf("login.success: got %s, want a generation of 32 hexadecimal digits", first)
	}
	c.Drop()
	c, again := a.enter(t, a.on(t, one, "phone", resume(generation)))
	if again.want(t, "resume", 0).text("generation") != generation || again.text("session_id") == first.text("session_id") {
		t.Errorf("resumed: got %s, want the generation %s and another session_id", again, generation)
	}
	// The connection that looks open to the server is no obstacle, however often.
	for range 3 {
		next, got := a.enter(t, a.on(t, one, "phone", resume(generation)))
		got.want(t, "resume beside a half-open socket", 0)
		c.kicked(t, "replaced")
		c = next
	}
	c.open(t)
}

// When an app asks for tokens from now on, the sessions that came without go.
func TestTokenAuthTurnedOnEndsSessionsWithoutAToken(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	one := a.user(t, "one")
	open := a.login(t, one, "open")
	token := a.must(t, "POST", userPath(one, "token"), obj{"ttl": 600}).text("token")
	proven := a.loginWith(t, token, one, "proven")
	a.change(t, "--token-auth", "on")
	open.closed(t, 4401)
	proven.open(t)
	_, got := a.enter(t, a.on(t, one, "open", nil))
	got.want(t, "a login without a token", 4003)
}
