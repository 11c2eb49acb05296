package socket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/hub"
)

func TestASocketThatTalksAndDoesNotLogInIsClosed(t *testing.T) {
	for name, frame := range map[string][]byte{
		"garbage":         text("garbage"),
		"half a JSON":     text(`{"type":"login","data":{`),
		"commands":        text(`{"type":"msg.send","data":{}}`),
		"pings":           pingOf("x"),
		"pongs":           pongOf("x"),
		"empty messages":  text(""),
		"empty fragments": append(append(opening(""), more("")...), last("")...),
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, nil).dial(t)
			for range maxEarly {
				p.send(frame)
			}
			p.send(frame) // the server may have closed it
			got := p.read()
			for ; strings.HasPrefix(got, "text ") || strings.HasPrefix(got, "pong "); got = p.read() {
			}
			if got != "close 4429" {
				t.Errorf("%d times %q: ended with %s, want close 4429", maxEarly+1, frame, brief(got))
			}
		})
	}
}

func TestLongFramesBeforeTheLoginCostMore(t *testing.T) {
	p := start(t, nil).dial(t)
	for range 3 {
		p.send(text(strings.Repeat("x", 250_000)))
		p.wantError("error", 4406)
	}
	p.send(text(strings.Repeat("x", 250_000)))
	p.wantEnd(4429)
}

func TestAFloodAtTheSpeedOfTheWireEndsBeforeTenSeconds(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 10
	for name, tt := range map[string]struct {
		frame []byte
		most  int // frames before the end
	}{
		"of small frames":    {text("garbage"), 10 + 10*mostRefused + 1},
		"of long frames":     {text(strings.Repeat("x", 64<<10)), 1 + mostRefused*10/9 + 2},
		"of pongs":           {pongOf(""), 10 + 10*mostRefused + 1},
		"of tiny fragments":  {append(append(opening("x"), more("y")...), last("z")...), 10 + 10*mostRefused + 1},
		"of empty fragments": {append(append(opening(""), more("")...), last("")...), 10 + 10*mostRefused + 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			go func() {
				for range tt.most {
					if _, err := p.nc.Write(tt.frame); err != nil {
						return
					}
				}
			}()
			got := p.read() // the clock stands still
			for ; strings.HasPrefix(got, "text "); got = p.read() {
			}
			if got != "close 4429" {
				t.Errorf("ended with %s, want close 4429", brief(got))
			}
		})
	}
}

func TestALongFrameCostsMoreOfThePaceThanAShortOne(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 10
	p := f.login(t, "Tom", "phone")
	long, answer := echo(strings.Repeat("x", 6*tokenBytes))
	short, shortAnswer := echo("x")
	p.send(text(long)) // 7 of 10
	p.want(answer)
	for range 3 {
		p.send(text(short))
		p.want(shortAnswer)
	}
	p.send(text(short))
	p.wantError("echo.error", 4290)
	f.clock.advance(time.Second)
	huge, answer := echo(strings.Repeat("x", 25*tokenBytes)) // more than a full bucket
	p.send(text(huge))
	p.want(answer)
}

func TestHandshakesOfAnAddressHaveAPace(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.HandshakeRate = 2 })
	for range 40 { // 20 s' worth
		_ = f.dial(t).nc.Close()
	}
	if status, code := f.request(t, handshake); status != 429 || code != 4290 {
		t.Errorf("the 41st: %d and code %d, want 429 and 4290", status, code)
	}
	f.clock.advance(time.Second)
	f.dial(t)
	f.clock.advance(-time.Hour) // setting the clock back must not refuse anybody
	f.dial(t)
}

func TestAnAddressPaysForSocketsThatFlood(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.HandshakeRate = 2 })
	flood := []byte(strings.Repeat(string(text("garbage")), maxEarly+1))
	for range 2 { // of 40 handshakes each socket costs one, and 20 more for how it ends
		p := f.dial(t)
		p.send(flood)
		got := p.read()
		for ; strings.HasPrefix(got, "text "); got = p.read() {
		}
		if got != "close 4429" {
			t.Fatalf("got %s, want close 4429", got)
		}
		_ = p.nc.Close()
		waitFor(t, func() bool { return f.socket.open.size() == 0 })
	}
	if status, code := f.request(t, handshake); status != 429 || code != 4290 {
		t.Errorf("the next: %d and code %d, want 429 and 4290", status, code)
	}
}

func TestUnfinishedMessagesAreSharedByApp(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MaxUnfinished = 1 << 20 })
	part := opening(strings.Repeat("x", 150_000))
	closed := false
	for range 8 {
		p := f.login(t, "Tom", fmt.Sprint("phone", f.hub.Sessions()))
		p.send(part, pingOf("there"))
		if got := p.read(); got == "close 1013" {
			closed = true
			break
		} else if got != "pong there" {
			t.Fatalf("got %s", got)
		}
	}
	if !closed {
		t.Fatalf("%d bytes are held by one app, of %d in all", f.socket.unfinished.Taken(), 1<<20)
	}
	other := f.dial(t)
	other.say("login", strings.Replace(loginData("Tom", "phone"), "shop", "other", 1))
	other.wantType("login.success")
	command, answer := echo(strings.Repeat("x", 150_000))
	other.send(text(command)[:140_000], nil)
	other.send(text(command)[140_000:])
	other.want(answer)
}

func TestUnfinishedMessagesBeforeTheLoginAreSharedByAddress(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MaxEarlyUnfinished = 600_000 })
	part := opening(strings.Repeat("x", 150_000))
	for range 3 {
		p := f.dial(t)
		p.send(part, pingOf("there"))
		if got := p.read(); got == "close 1013" {
			return
		}
	}
	t.Errorf("%d bytes are held by one address, of 600,000 in all", f.socket.earlyUnfinished.Taken())
}

func TestWhatUnfinishedMessagesTookIsGivenBack(t *testing.T) {
	f := start(t, nil)
	command, answer := echo(strings.Repeat("x", 150_000))
	whole := text(command)
	for name, end := range map[string]func(*peer){
		"finished": func(p *peer) { p.send(whole[140_000:]); p.want(answer) },
		"finished, and another begun and finished": func(p *peer) {
			p.send(whole[140_000:], whole[:70_000])
			p.want(answer)
			p.send(whole[70_000:])
			p.want(answer)
		},
		"left":   func(p *peer) { _ = p.nc.Close() },
		"closed": func(p *peer) { p.send(unmasked(0x81, "x")) },
	} {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			p.send(whole[:140_000])
			waitFor(t, func() bool { return f.socket.unfinished.Taken() >= 140_000-readSize })
			end(p)
			_ = p.nc.Close()
			waitFor(t, func() bool { return f.socket.unfinished.Taken() == 0 && f.socket.open.size() == 0 })
		})
	}
	p := f.dial(t) // of a message around the login, before it and after it
	login := text(`{"type":"login","data":` + loginData("Tom", "phone") + `}`)
	p.send(login[:20])
	waitFor(t, func() bool { return f.socket.earlyUnfinished.Taken() > 0 })
	p.send(login[20:], whole[:140_000])
	p.wantType("login.success")
	p.send(whole[140_000:])
	p.want(answer)
	_ = p.nc.Close()
	waitFor(t, func() bool { return f.socket.unfinished.Taken()+f.socket.earlyUnfinished.Taken() == 0 })
}

func TestAMessageThatIsNotFinishedInTimeEndsItsSocket(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MessageWait = 100 * time.Millisecond })
	for name, tt := range map[string]struct{ first, drip []byte }{
		"a fragmented one":              {opening("x"), more(strings.Repeat("y", 100))},
		"one with pings in between":     {opening("x"), pingOf("x")},
		"one frame that comes in bytes": {[]byte{0x81, 0x80 | 125, 0, 0, 0, 0, 'x'}, []byte("x")},
		"a header":                      {text("x")[:1], nil},
		"nothing more":                  {opening("x"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			p.send(tt.first)
			ended := make(chan struct{})
			defer close(ended)
			go func() {
				for tt.drip != nil {
					select {
					case <-ended:
						return
					case <-time.After(5 * time.Millisecond):
						_, _ = p.nc.Write(tt.drip) // it may be closed
					}
				}
			}()
			got := p.read()
			for strings.HasPrefix(got, "pong ") {
				got = p.read()
			}
			if got != "close 4504" {
				t.Errorf("ended with %s, want close 4504", brief(got))
			}
		})
	}
}

// The deadline of a complete message must not end a later one.
func TestASocketLivesOnBehindAMessageThatCameInPieces(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MessageWait = time.Hour })
	p := f.login(t, "Tom", "phone")
	command, answer := echo("x")
	head, rest := text(command)[:9], text(command)[9:]
	p.send(head)
	waitFor(t, func() bool { return f.socket.unfinished.Taken() > 0 })
	p.send(rest)
	p.want(answer)
	f.expireReads() // the next read fails, although the message is complete
	p.send(head)
	waitFor(t, func() bool { return f.socket.unfinished.Taken() > 0 })
	f.expireReads() // of the message before: this one has an hour
	p.send(rest)
	p.want(answer)
}

// expireReads lets the read deadline of every socket pass.
func (f *fixture) expireReads() {
	f.socket.open.each(func(c *conn) {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // the test sees whether the socket goes on
	})
}

func TestOneAppLeavesSocketsToAnother(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MaxSockets = 10 })
	login := func(app, device string) *peer {
		p := f.dial(t)
		p.say("login", strings.Replace(loginData("Tom", device), "shop", app, 1))
		return p
	}
	for i := range 8 { // all but the reserve
		login("shop", fmt.Sprint("d", i)).wantType("login.success")
	}
	p := login("shop", "d9")
	p.wantError("login.error", 5030)
	p.wantEnd(1013)
	_ = p.nc.Close()
	waitFor(t, func() bool { return f.socket.open.size() == 8 })
	other := login("other", "d")
	other.wantType("login.success")
	_ = other.nc.Close()
	waitFor(t, func() bool { return f.socket.open.size() == 8 && f.socket.admission.LoggedIn() == 8 })
	f.dial(t)
	f.dial(t)
	if status, code := f.request(t, handshake); status != 503 || code != 5030 {
		t.Errorf("the eleventh socket: %d and code %d, want 503 and 5030", status, code)
	}
}

func TestAnAppMayHaveFewerSocketsByItsSetting(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.MaxSockets = 1
	first := f.login(t, "Tom", "phone")
	p := f.dial(t)
	p.say("login", loginData("Jerry", "phone"))
	p.wantError("login.error", 5030)
	p.wantEnd(1013)
	first.send(closeCode(1000))
	first.wantEnd(1000)
	_ = first.nc.Close()
	waitFor(t, func() bool { return f.socket.admission.LoggedIn() == 0 })
	f.login(t, "Jerry", "phone")
}

func TestSocketsThatDoNotLogInLeaveRoomForOtherAddresses(t *testing.T) {
	f := start(t, func(o *Options, _ *hub.Options) { o.MaxUnauthenticated = 4 })
	f.dial(t)
	p := f.dial(t)
	if status, code := f.request(t, handshake); status != 503 || code != 5030 {
		t.Errorf("a third of the address: %d and code %d, want 503 and 5030", status, code)
	}
	p.say("login", loginData("Tom", "phone")) // which makes room
	p.wantType("login.success")
	f.dial(t)
	if err := f.socket.reserve("another address"); err != nil {
		t.Errorf("another address: got %v", err)
	}
}
