package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
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

func TestResumeWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	c, first := a.enter(t, a.on(t, one, "phone", nil))
	generation := first.want(t, "login", 0).text("generation")
	c.Drop()
	for range 5 {
		lost := a.s.socket(t)
		if _, err := lost.Post("login", a.on(t, one, "phone", resume(generation))); err != nil {
			t.Fatal(err)
		}
		go lost.Drop() // before, while or after it is answered
		c, got := a.enter(t, a.on(t, one, "phone", resume(generation)))
		got.want(t, "resume again", 0)
		c.Drop()
	}
}

func TestResumeAgainstANewerLoginLoses(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	_, first := a.enter(t, a.on(t, one, "phone", nil))
	generation := first.want(t, "login", 0).text("generation")
	newer := a.login(t, one, "phone")
	c, got := a.enter(t, a.on(t, one, "phone", resume(generation)))
	if got.want(t, "resume of what was replaced", 4013); !strings.Contains(got.Message, "generation") {
		t.Errorf("resume: got %s, want it to name generation", got)
	}
	c.ask(t, "login", a.on(t, one, "phone", obj{"resume": 1})).want(t, "resume of nothing", 4013)
	newer.open(t)
	c.ask(t, "login", a.on(t, one, "phone", nil)).want(t, "login on the same socket", 0)
	newer.kicked(t, "replaced")
}

func TestGenerationsOfNobody(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	for _, bad := range []any{"", "x", strings.Repeat("A", 32), strings.Repeat("0", 31), 7, obj{}} {
		_, got := a.enter(t, a.on(t, one, "phone", obj{"resume": 1, "generation": bad}))
		if bad == "" { // absent
			got.want(t, "an empty generation", 0, 4406)
			continue
		}
		got.want(t, fmt.Sprintf("generation %v", bad), 4406)
	}
	_, got := a.enter(t, a.on(t, one, "pad", obj{"resume": "maybe"}))
	got.want(t, "resume maybe", 4406)
	future, got := a.enter(t, a.on(t, one, "desk", resume(strings.Repeat("f", 32))))
	now := got.want(t, "a generation from the future", 0).text("generation")
	_, got = a.enter(t, a.on(t, one, "desk", nil))
	if later := got.want(t, "a login behind it", 0).text("generation"); now >= later {
		t.Errorf("a generation from the future: got %s, want one of now, which is smaller than %s", now, later)
	}
	future.kicked(t, "replaced")
}

func TestOneDevicePerType(t *testing.T) {
	t.Parallel()
	a := strictWith(t, "--one-per-device-type", "on")
	one, two := a.user(t, "one"), a.user(t, "two")
	kind := func(kind string) obj { return obj{"device_type": kind} }
	old, first := a.enter(t, a.on(t, one, "old", kind("ios")))
	desk, _ := a.enter(t, a.on(t, one, "desk", kind("desktop")))
	silent := a.login(t, one, "silent")
	theirs, _ := a.enter(t, a.on(t, two, "old", kind("ios")))
	phone, got := a.enter(t, a.on(t, one, "phone", kind("ios")))
	got.want(t, "another phone", 0)
	old.kicked(t, "device_type")
	a.enter(t, a.on(t, one, "odd", kind("other")))
	silent.kicked(t, "device_type")
	for _, c := range []*socket{desk, theirs, phone} {
		c.open(t)
	}
	again := resume(first.text("generation"))
	again["device_type"] = "ios"
	_, got = a.enter(t, a.on(t, one, "old", again))
	got.want(t, "the old phone resumes", 4013)
	phone.open(t)

	a.change(t, "--one-per-device-type", "off")
	eventually(t, "phones side by side", func() bool {
		next, _ := a.enter(t, a.on(t, one, unique("p"), kind("ios")))
		next.open(t)
		_, ended := phone.isClosed()
		if ended {
			phone = next
		}
		return !ended
	})
}

func TestResumeOfTheOldestOfTooMany(t *testing.T) {
	t.Parallel()
	a := strictWith(t, "--max-devices", "2")
	one := a.user(t, "one")
	c, first := a.enter(t, a.on(t, one, "a", nil))
	c.Drop()
	b, second := a.login(t, one, "b"), a.login(t, one, "c")
	_, got := a.enter(t, a.on(t, one, "a", resume(first.text("generation"))))
	got.want(t, "resume of the oldest", 4013)
	b.open(t)
	second.open(t)
	third := a.login(t, one, "a")
	b.kicked(t, "device_limit")
	second.open(t)
	third.open(t)
}

// Whatever the order in which they come to the lock, a logout leaves no session of a
// token that it refuses.
func TestKickWhileLoggingIn(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one := a.user(t, "one")
	token := a.token(t, one)
	const logins = 30
	results := make([]*socket, logins)
	codes := make([]int, logins)
	var all sync.WaitGroup
	for i := range logins {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond) // some before the cut, some after
			c, got, err := a.tryLogin(token, one, fmt.Sprint("d", i%5))
			if results[i] = c; err == nil {
				codes[i] = got.Code
			}
		})
	}
	time.Sleep(logins / 2 * time.Millisecond)
	a.must(t, "POST", userPath(one, "logout"), obj{})
	all.Wait()
	for i, c := range results {
		if c == nil {
			continue
		}
		t.Cleanup(c.Drop)
		if codes[i] == 0 { // let in, or kicked before the answer
			c.closedWithin(t, soon, 4401)
		}
	}
	if !slices.ContainsFunc(codes, func(code int) bool { return code != 0 }) {
		t.Log("no login was late enough to be refused")
	}
	eventually(t, "a new token is taken", func() bool {
		c, got, err := a.tryLogin(a.token(t, one), one, "new")
		if c != nil {
			t.Cleanup(c.Drop)
		}
		return err == nil && got.Code == 0
	})
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
	open.closedWithin(t, 5*time.Second, 4401)
	proven.open(t)
	_, got := a.enter(t, a.on(t, one, "open", nil))
	got.want(t, "a login without a token", 4003)
}
