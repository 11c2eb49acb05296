package socket

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
)

func TestCommandsAreAnsweredAsDocumented(t *testing.T) {
	f := start(t, nil)
	now := f.clock.Now().UnixMilli()
	for name, tt := range map[string]struct{ send, want string }{
		"an op":                {`{"type":"echo","data":{"a":1}}`, `{"type":"echo.success","msg":"success","data":{"a":1}}`},
		"an op without data":   {`{"type":"echo"}`, `{"type":"echo.success","msg":"success","data":null}`},
		"an id comes back":     {`{"type":"echo","data":{},"id":"7"}`, `{"type":"echo.success","msg":"success","data":{},"id":"7"}`},
		"ping":                 {`{"type":"ping"}`, fmt.Sprintf(`{"type":"pong","data":{"time":%d}}`, now)},
		"ping with an id":      {`{"type":"ping","id":"p"}`, fmt.Sprintf(`{"type":"pong","data":{"time":%d},"id":"p"}`, now)},
		"an unknown type":      {`{"type":"dance","id":"7"}`, `{"type":"dance.error","msg":"malformed parameter: type: is unknown","code":4406,"data":null,"id":"7"}`},
		"an id that is none":   {`{"type":"echo","id":7}`, `{"type":"echo.error","msg":"malformed parameter: id: must be a string of at most 254 bytes","code":4406,"data":null,"id":"7"}`},
		"a frame without type": {`{"data":{},"id":"7"}`, `{"type":"error","msg":"missing parameter: type","code":4001,"data":null,"id":"7"}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			p.send(text(tt.send))
			got := p.read()
			// if the id is no string, the type may or may not have been read: both are fine
			if strings.Contains(name, "that is none") {
				got = strings.Replace(got, `"type":"error"`, `"type":"echo.error"`, 1)
			}
			if got != "text "+tt.want {
				t.Errorf("sent %s\ngot  %s\nwant text %s", tt.send, got, tt.want)
			}
		})
	}
}

func TestABadFrameDoesNotCloseTheSocket(t *testing.T) {
	p := start(t, nil).login(t, "Tom", "phone")
	for _, bad := range []string{`{`, `[]`, `1`, `"x"`, `null`, `{"type":1}`, `{"type":"echo","type":"echo"}`, `{"TYPE":"echo"}`, `{"type":"echo"} {}`, strings.Repeat("[", 1000)} {
		p.send(text(bad))
		if a := p.wantType("error"); a.Code != 4406 && a.Code != 4001 {
			t.Errorf("%s: code %d", bad, a.Code)
		}
	}
	p.send(pingOf("x"))
	p.want("pong x")
}

func TestACommandBeforeLoginIsRefused(t *testing.T) {
	p := start(t, nil).dial(t)
	p.send(text(`{"type":"echo","id":"1"}`))
	p.wantError("echo.error", 4003)
	p.send(text(`{"type":"logout"}`))
	p.wantError("logout.error", 4003)
	p.send(text(`nonsense`))
	p.wantError("error", 4406)
	p.send(text(`{"type":"ping"}`))
	p.wantType("pong")
	p.say("login", loginData("Tom", "phone"))
	p.wantType("login.success")
}

func TestLogoutIsAnsweredAndCloses(t *testing.T) {
	f := start(t, nil)
	p := f.login(t, "Tom", "phone")
	p.send(text(`{"type":"logout","id":"9"}`), text(`{"type":"echo"}`))
	p.want(`text {"type":"logout.success","msg":"success","data":null,"id":"9"}`)
	p.wantEnd(1000)
	if f.hub.Online("shop", "Tom") {
		t.Error("Tom is still online")
	}
}

func TestPipelinedCommandsAreAnsweredInOrder(t *testing.T) {
	p := start(t, nil).login(t, "Tom", "phone")
	const n = 500
	var all []byte
	for i := range n {
		all = append(all, text(fmt.Sprintf(`{"type":"echo","data":{"n":%d}}`, i))...)
	}
	go p.send(all)
	for i := range n {
		p.want(fmt.Sprintf(`text {"type":"echo.success","msg":"success","data":{"n":%d}}`, i))
	}
}

func TestTheAnswerComesBeforeTheEventsItsCommandCaused(t *testing.T) {
	f := start(t, nil)
	f.ops["send"] = func(_ context.Context, by skein.Actor, _ []byte) ([]byte, error) {
		f.hub.Deliver(by.App.ID, by.Client, []byte(`{"type":"msg.new"}`), hub.Except{})
		return []byte(`{}`), nil
	}
	p := f.login(t, "Tom", "phone")
	for range 100 {
		p.send(text(`{"type":"send"}`))
		p.wantType("send.success")
		p.wantType("msg.new")
	}
}

func TestTheLoginIsAnsweredBeforeWhatComesMeanwhile(t *testing.T) {
	f := start(t, nil)
	for range 50 {
		delivered := make(chan struct{})
		go func() { // sends the event as soon as the session exists
			defer close(delivered)
			for f.hub.Deliver("shop", "Tom", []byte(`{"type":"msg.new"}`), hub.Except{}) == 0 {
				runtime.Gosched()
			}
		}()
		p := f.login(t, "Tom", "phone")
		p.wantType("msg.new")
		<-delivered
		p.send(closeCode(1000))
		p.wantEnd(1000)
	}
}

func TestTheCallerIsTheSession(t *testing.T) {
	f := start(t, nil)
	f.gate.actions = []string{"who"}
	f.gate.expires = skein.MillisOf(f.clock.Now()).Add(time.Hour)
	f.ops["who"] = func(_ context.Context, by skein.Actor, _ []byte) ([]byte, error) {
		return fmt.Appendf(nil, "%q", fmt.Sprintln(by.App.ID, by.Client, by.Device, len(by.Session),
			by.Actions, by.Expires == f.gate.expires, by.English)), nil
	}
	p := f.login(t, "Tom", "phone")
	p.send(text(`{"type":"who"}`))
	p.want(`text {"type":"who.success","msg":"success","data":"shop Tom phone 32 [who] true true\n"}`)
}

func TestACommandThatPanicsFailsAlone(t *testing.T) {
	f := start(t, nil)
	f.ops["boom"] = func(context.Context, skein.Actor, []byte) ([]byte, error) { panic("secret") }
	p := f.login(t, "Tom", "phone")
	p.send(text(`{"type":"boom"}`))
	if a := p.wantError("boom.error", 1); strings.Contains(a.Msg, "secret") {
		t.Errorf("the peer was told %q", a.Msg)
	}
	p.send(pingOf("x"))
	p.want("pong x")
	if !strings.Contains(f.log.String(), "secret") {
		t.Error("the log does not know")
	}
}

func TestAnInternalErrorIsLoggedAndNotTold(t *testing.T) {
	f := start(t, nil)
	f.ops["break"] = func(context.Context, skein.Actor, []byte) ([]byte, error) { return nil, errors.New("disk on fire") }
	p := f.login(t, "Tom", "phone")
	p.send(text(`{"type":"break"}`))
	if a := p.wantError("break.error", 1); strings.Contains(a.Msg, "fire") {
		t.Errorf("the peer was told %q", a.Msg)
	}
	if !strings.Contains(f.log.String(), "disk on fire") {
		t.Error("the log does not know")
	}
}

func TestCommandsOverTheRateAreRefusedAndThenEndTheSocket(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 10
	p := f.login(t, "Tom", "phone")
	echo := func() string {
		p.send(text(`{"type":"echo","id":"1"}`))
		return p.read()
	}
	refused := `text {"type":"echo.error","msg":"rate limited","code":4290,"data":null,"retry_after_ms":1000,"id":"1"}`
	for range 10 {
		if got := echo(); got == refused {
			t.Fatal("refused within the rate")
		}
	}
	if got := echo(); got != refused {
		t.Fatalf("got %s, want a refusal", got)
	}
	f.clock.advance(5 * time.Second) // longer than calm: a new series of refusals begins
	for second := range 11 {
		for i := range 20 {
			got := echo()
			if within := i < 10; second == 10 && got == "close 4429" {
				p.want("end")
				return
			} else if (got == refused) == within {
				t.Fatalf("second %d, command %d: %s", second, i, got)
			}
		}
		f.clock.advance(time.Second)
	}
	t.Error("never closed")
}

func TestAClockThatIsPutBackRefusesNobody(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 10
	p := f.login(t, "Tom", "phone")
	f.clock.advance(-time.Hour)
	for n := range 10 {
		p.send(text(`{"type":"echo","id":"1"}`))
		if got := p.read(); strings.Contains(got, "4290") {
			t.Fatalf("command %d: %s", n, got)
		}
		f.clock.advance(-time.Minute)
	}
}

func TestPingsOverTheRateAreNotAnswered(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.CommandRate = 10
	p := f.login(t, "Tom", "phone")
	for range 20 {
		p.send(pingOf("x"))
	}
	for range 10 {
		p.want("pong x")
	}
	p.send(text(`{"type":"echo"}`))
	p.wantError("echo.error", 4290) // the server has read all pings before it
	f.clock.advance(time.Second)
	p.send(pingOf("later"))
	p.want("pong later")
}
