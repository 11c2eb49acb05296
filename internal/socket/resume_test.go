package socket

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// resumeData is a login that resumes an earlier one; generation may be empty.
func resumeData(device, generation string) string {
	if generation == "" {
		return fmt.Sprintf(`{"app_id":"shop","client_id":"Tom","device_id":%q,"token":"good","resume":1}`, device)
	}
	return fmt.Sprintf(`{"app_id":"shop","client_id":"Tom","device_id":%q,"token":"good","resume":1,"generation":%q}`, device, generation)
}

// grant is the data of login.success.
type grant struct {
	SessionID  string `json:"session_id"`
	Generation string `json:"generation"`
}

// enter logs in and returns the grant.
func (f *fixture) enter(t *testing.T, data string) (*peer, grant) {
	t.Helper()
	p := f.dial(t)
	p.say("login", data)
	var g grant
	if err := json.Unmarshal(p.wantType("login.success").Data, &g); err != nil {
		t.Fatal(err)
	}
	return p, g
}

func (p *peer) wantKick(reason string) {
	p.t.Helper()
	if a := p.wantType("logout.kick"); !strings.Contains(string(a.Data), `"`+reason+`"`) {
		p.t.Errorf("kicked with %s, want %s", a.Data, reason)
	}
	p.wantEnd(4401)
}

func (p *peer) wantAlive() {
	p.t.Helper()
	p.send(pingOf("here"))
	p.want("pong here")
}

func TestAResumedSessionKeepsItsGeneration(t *testing.T) {
	f := start(t, nil)
	halfOpen, first := f.enter(t, loginData("Tom", "phone"))
	lost, second := f.enter(t, resumeData("phone", first.Generation))
	halfOpen.wantKick(skein.KickReplaced)
	if second.Generation != first.Generation || second.SessionID == first.SessionID {
		t.Errorf("resumed: got %+v, want the generation of %+v and an id of its own", second, first)
	}
	again, third := f.enter(t, resumeData("phone", first.Generation)) // the second answer did not come
	lost.wantKick(skein.KickReplaced)
	if third.Generation != first.Generation {
		t.Errorf("resumed again: got %+v", third)
	}
	again.wantAlive()
}

func TestAResumeThatANewerLoginOvertookMayTryAgain(t *testing.T) {
	f := start(t, nil)
	_, first := f.enter(t, loginData("Tom", "phone"))
	newer, _ := f.enter(t, loginData("Tom", "phone"))
	p := f.dial(t)
	p.say("login", resumeData("phone", first.Generation))
	if a := p.wantError("login.error", 4013); !strings.Contains(a.Msg, "generation") || !strings.Contains(a.Msg, "a newer login holds this device") {
		t.Errorf("got %q, want it to name generation and why", a.Msg)
	}
	newer.wantAlive()
	p.say("login", resumeData("phone", "")) // no generation counts as the oldest
	p.wantError("login.error", 4013)
	newer.wantAlive()
	p.say("login", loginData("Tom", "phone")) // without resume: the user logs in again
	p.wantType("login.success")
	newer.wantKick(skein.KickReplaced)
}

func TestGenerationsThatNobodyWasGiven(t *testing.T) {
	f := start(t, nil)
	_, none := f.enter(t, resumeData("none", ""))
	if none.Generation != strings.Repeat("0", 32) {
		t.Errorf("without a generation: got %s, want the oldest of all", none.Generation)
	}
	_, before := f.enter(t, loginData("Tom", "before"))
	future, got := f.enter(t, resumeData("future", strings.Repeat("f", 32)))
	_, after := f.enter(t, loginData("Tom", "after"))
	if before.Generation >= got.Generation || got.Generation >= after.Generation {
		t.Errorf("from the future: got %s, want it between %s and %s, as new as now", got.Generation, before.Generation, after.Generation)
	}
	f.enter(t, loginData("Tom", "future"))
	future.wantKick(skein.KickReplaced) // it is replaced like any other login
	for _, bad := range []string{"1", strings.Repeat("g", 32), strings.Repeat("A", 32), strings.Repeat("0", 33)} {
		p := f.dial(t)
		p.say("login", resumeData("bad", bad))
		if a := p.wantError("login.error", 4406); !strings.Contains(a.Msg, "generation") {
			t.Errorf("%s: got %q", bad, a.Msg)
		}
	}
	_, ignored := f.enter(t, strings.Replace(resumeData("new", strings.Repeat("0", 32)), `"resume":1`, `"resume":0`, 1))
	if ignored.Generation <= after.Generation {
		t.Errorf("a generation without resume: got %+v, want a new one behind %s", ignored, after.Generation)
	}
}

func TestOneDeviceOfAType(t *testing.T) {
	f := start(t, nil)
	f.gate.settings.OnePerDeviceType = true
	on := func(device, kind string) string {
		return strings.Replace(loginData("Tom", device), `"token"`, `"device_type":"`+kind+`","token"`, 1)
	}
	old, first := f.enter(t, on("old", "ios"))
	desk, _ := f.enter(t, on("desk", "desktop"))
	silent, _ := f.enter(t, loginData("Tom", "silent"))
	phone, _ := f.enter(t, on("phone", "ios"))
	old.wantKick(skein.KickDeviceType)
	f.enter(t, on("else", "other"))
	silent.wantKick(skein.KickDeviceType) // a login without a type has the type "other"
	desk.wantAlive()

	p := f.dial(t)
	p.say("login", strings.Replace(resumeData("old", first.Generation), `"token"`, `"device_type":"ios","token"`, 1))
	p.wantError("login.error", 4013)
	phone.wantAlive()
}
