package socket

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
)

func TestALoginIsAnsweredWithTheSession(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.NodeName = "n2" })
	p := f.dial(t)
	p.send(text(`{"type":"login","data":` + loginData("Tom", "phone") + `,"id":"a1"}`))
	a := p.wantType("login.success")
	var data struct {
		Time       int64  `json:"time"`
		SessionID  string `json:"session_id"`
		HeartbeatS int    `json:"heartbeat_s"`
		Node       string `json:"node"`
	}
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	if data.Time != f.clock.Now().UnixMilli() || len(data.SessionID) != 32 || data.HeartbeatS != 25 || data.Node != "n2" || a.ID == nil || *a.ID != "a1" {
		t.Errorf("got %+v id %v", data, a.ID)
	}
	if !f.hub.Online("shop", "Tom") {
		t.Error("Tom is not online")
	}
}

func TestFramesThatCameWithTheHandshakeAreRead(t *testing.T) {
	p := start(t, nil).dial(t, text(`{"type":"login","data":`+loginData("Tom", "phone")+`}`), pingOf("x"))
	p.wantType("login.success")
	p.want("pong x")
}

func TestWhatALoginIsRefusedWith(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		code int
	}{
		"a wrong token":              {`{"app_id":"shop","client_id":"Tom","device_id":"d","token":"bad"}`, 4003},
		"no token":                   {`{"app_id":"shop","client_id":"Tom","device_id":"d"}`, 4003},
		"no client":                  {`{"app_id":"shop","device_id":"d","token":"good"}`, 4001},
		"no data":                    {`null`, 4001},
		"a made-up device type":      {`{"app_id":"shop","client_id":"Tom","device_id":"d","device_type":"toaster"}`, 4406},
		"a client nobody knows":      {`{"app_id":"shop","client_id":"Nobody","device_id":"d","token":"good"}`, 211},
		"data that is not an object": {`[]`, 4406},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, nil).dial(t)
			p.say("login", tt.data)
			p.wantError("login.error", tt.code)
			p.say("login", loginData("Tom", "phone"))
			p.wantType("login.success")
		})
	}
}

func TestTheThirdFailedLoginClosesTheSocket(t *testing.T) {
	p := start(t, nil).dial(t)
	for range 3 {
		p.say("login", `{"app_id":"shop","client_id":"Tom","device_id":"d","token":"bad"}`)
		p.wantError("login.error", 4003)
	}
	p.wantEnd(4401)
}

func TestASocketWithoutALoginIsClosed(t *testing.T) {
	t.Run("when it is quiet", func(t *testing.T) {
		f := start(t, func(o *Options, _ *hub.Options) { o.LoginWait = 50 * time.Millisecond })
		f.dial(t).wantEnd(4408)
	})
	t.Run("when it never pauses", func(t *testing.T) {
		f := start(t, func(o *Options, _ *hub.Options) { o.LoginWait = time.Hour })
		p := f.dial(t)
		p.send(pingOf("1"))
		p.want("pong 1")
		f.clock.advance(time.Hour + time.Second)
		p.send(pingOf("2"))
		p.wantEnd(4408)
	})
	t.Run("but not once it is logged in", func(t *testing.T) {
		f := start(t, func(o *Options, _ *hub.Options) { o.LoginWait = time.Hour })
		p, nc := f.pipe(t)
		p.say("login", loginData("Tom", "phone"))
		p.wantType("login.success")
		f.clock.advance(time.Hour + time.Second)
		p.send(pingOf("x"))
		p.want("pong x")
		if by := nc.deadline(); !by.IsZero() {
			t.Errorf("after the login its read deadline is %v, want none", by)
		}
	})
}

func TestASecondLoginOnASocketChangesNothing(t *testing.T) {
	f := start(t, nil)
	p := f.login(t, "Tom", "phone")
	for range 5 { // no third failure either
		p.say("login", loginData("Jerry", "phone"))
		p.wantError("login.error", 4013)
	}
	f.hub.Deliver("shop", "Tom", []byte(`{"type":"msg.new"}`), hub.Except{})
	p.wantType("msg.new")
	if f.hub.Online("shop", "Jerry") {
		t.Error("Jerry is online")
	}
}

func TestTheNewerSocketOfADeviceKicksTheOlder(t *testing.T) {
	f := start(t, nil)
	older, desk := f.login(t, "Tom", "phone"), f.login(t, "Tom", "desk")
	newer := f.login(t, "Tom", "phone")
	older.want(`text {"type":"logout.kick","data":{"time":1,"reason":"replaced"}}`)
	older.wantEnd(4401)
	for _, p := range []*peer{newer, desk} {
		p.send(pingOf("here"))
		p.want("pong here")
	}
}

func TestTheEleventhDeviceKicksTheFirst(t *testing.T) {
	f := start(t, nil)
	first := f.login(t, "Tom", "d0")
	for i := range 10 {
		f.login(t, "Tom", fmt.Sprint("d", i+1))
	}
	if a := first.wantType("logout.kick"); !strings.Contains(string(a.Data), "device_limit") {
		t.Errorf("got %s", a.Data)
	}
	first.wantEnd(4401)
	waitFor(t, func() bool { return f.hub.Sessions() == 10 })
}

func TestOfTwoLoginsUnderWayTheLaterAskedWins(t *testing.T) {
	f := start(t, nil)
	started, release := make(chan struct{}), make(chan struct{})
	var waited bool
	f.gate.during = func() {
		if !waited {
			waited = true
			close(started)
			<-release
		}
	}
	slow := f.dial(t)
	slow.say("login", loginData("Tom", "phone"))
	<-started
	winner := f.login(t, "Tom", "phone")
	close(release)
	if a := slow.wantType("logout.kick"); !strings.Contains(string(a.Data), "replaced") {
		t.Errorf("got %s", a.Data)
	}
	slow.wantEnd(4401)
	winner.send(pingOf("x"))
	winner.want("pong x")
}

func TestAClientBannedWhileItLogsInDoesNotGetIn(t *testing.T) {
	f := start(t, nil)
	f.gate.after = func() {
		rev := f.gate.rev.Add(1)
		f.gate.banned = true
		f.hub.Kick(hub.Target{App: "shop", Client: "Tom", Rev: rev}, "banned")
	}
	p := f.dial(t)
	p.say("login", loginData("Tom", "phone"))
	p.wantError("login.error", 213)
	if f.hub.Online("shop", "Tom") {
		t.Error("Tom is online")
	}
	p.say("login", loginData("Tom", "phone"))
	p.wantError("login.error", 213)
}

func TestAClientThatChangesWhileItLogsInIsJudgedAnew(t *testing.T) {
	f := start(t, nil)
	f.gate.after = func() {
		f.gate.after = nil
		f.gate.rev.Add(1)
	}
	p := f.login(t, "Tom", "phone")
	f.hub.Kick(hub.Target{App: "shop", Client: "Tom", Rev: f.gate.rev.Load()}, "banned") // the cut it was judged by
	p.wantAlive()
	f.hub.Kick(hub.Target{App: "shop", Client: "Tom", Rev: f.gate.rev.Load() + 1}, "banned")
	p.wantKick("banned")
}

func TestAKickWhileALoginEntersEndsItsSocket(t *testing.T) {
	f := start(t, nil)
	entering := f.socket.opts.Node
	f.socket.opts.Node = enters(func(ctx context.Context, s *hub.Session, in node.Login) error {
		f.hub.Kick(hub.Target{App: "shop", Client: "Tom"}, "banned")
		return entering.Enter(ctx, s, in)
	})
	p := f.dial(t)
	p.say("login", loginData("Tom", "phone"))
	p.wantKick("banned")
}

// enters is a node that records the sessions that enter.
type enters func(context.Context, *hub.Session, node.Login) error

func (e enters) Enter(ctx context.Context, s *hub.Session, in node.Login) error { return e(ctx, s, in) }

func TestATokenThatRunsOutEndsItsSession(t *testing.T) {
	f := start(t, nil)
	f.gate.expires = skein.MillisOf(time.Now().Add(time.Millisecond))
	p := f.login(t, "Tom", "phone")
	if a := p.wantType("logout.kick"); !strings.Contains(string(a.Data), skein.KickTokenExpired) {
		t.Errorf("got %s", a.Data)
	}
	p.wantEnd(4401)
	if early := time.Until(f.gate.expires.Time()); early > 0 {
		t.Errorf("ended %v before the token", early)
	}
}

func TestABannedClientIsKicked(t *testing.T) {
	f := start(t, nil)
	p := f.login(t, "Tom", "phone")
	f.hub.Kick(hub.Target{App: "shop", Client: "Tom"}, "banned")
	p.want(`text {"type":"logout.kick","data":{"time":1,"reason":"banned"}}`)
	p.wantEnd(4401)
}
