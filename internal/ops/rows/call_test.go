package rows

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
)

func TestACommandFollowsItsApp(t *testing.T) {
	f := newFixture(t)
	by := f.actor("shop", "Member")
	call := func() error {
		_, err := f.Call(t.Context(), by, "conv.query", nil)
		return err
	}
	f.must(call())
	conv := f.conv(skein.Group)
	f.must(f.store.UpdateApp(t.Context(), "shop", func(a *skein.App) error {
		a.Settings.MembersMayInvite = true
		return nil
	}))
	f.clock.Add(1000)
	if _, err := f.Call(t.Context(), by, "conv.members.add", []byte(`{"conv_id":"`+conv+`","client_ids":["Outsider"]}`)); err != nil {
		t.Errorf("a second after the app let members invite: got error %v", err)
	}
	f.must(f.store.DeleteApp(t.Context(), "shop"))
	if err := call(); errors.Is(err, skein.ErrUnavailable) || codeOf(err) == 1 {
		t.Errorf("within a second of the app's end: got error %v, want one that is nobody's fault", err)
	}
	f.clock.Add(1000)
	if code := codeOf(call()); code != 4003 {
		t.Errorf("a second after the app's end: got code %d, want 4003", code)
	}
	by = skein.Actor{App: &skein.App{ID: "other"}, Client: "Member"}
	f.must(f.store.Close())
	if code := codeOf(call()); code != 5030 {
		t.Errorf("while the store is away: got code %d, want 5030", code)
	}
}

func TestWhatIsNoCommandIsSaidToBeNone(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"", "login", "nothing", "user.create", "file.upload", "POST /im/conversations"} {
		if _, err := f.Call(t.Context(), f.actor("shop", "Member"), name, nil); codeOf(err) != 4406 {
			t.Errorf("%q: got error %v, want 4406", name, err)
		}
	}
	if _, err := f.Call(t.Context(), f.actor("shop", "Member"), "conv.get", []byte(`{"conv_id":1,"conv_id":1}`)); codeOf(err) != 4406 {
		t.Errorf("a key twice: got error %v, want 4406", err)
	}
}

func TestSendingIsHeldToTheRate(t *testing.T) {
	f := newFixture(t)
	conv := f.conv(skein.Group)
	body := `{"conv_id":"` + conv + `","type":-1,"text":"hi"}`
	by := f.actor("shop", "Member")
	codes := map[int]int{}
	for range skein.DefaultSendBurst + 5 {
		_, code, _ := f.do(by, "msg.send", body)
		codes[code]++
	}
	if codes[0] != skein.DefaultSendBurst || codes[4290] != 5 {
		t.Errorf("codes %v, want the burst of %d and 4290 after it", codes, skein.DefaultSendBurst)
	}
	if _, code, err := f.do(by, "msg.list", `{"conv_id":"`+conv+`"}`); code != 0 {
		t.Errorf("reading at the limit: got error %v", err)
	}
	for range 2 * skein.DefaultSendBurst {
		if _, code, err := f.do(f.actor("shop", ""), "msg.send", strings.Replace(body, "{", `{"from_client":"Member",`, 1)); code != 0 {
			t.Fatalf("the backend: got error %v", err)
		}
	}
}

// By socket the sender's other devices see what it said, by REST none of them.
func TestWhoOfTheSenderSeesItsMessage(t *testing.T) {
	for name, tt := range map[string]struct {
		session, more string
		noSync        bool
		device        string
	}{
		"by REST":                        {"", ``, false, ""},
		"by REST, asked for":             {"", `,"no_sync":1`, true, ""},
		"by REST, but for a device":      {"", `,"no_sync":"1","device_id":"pad"`, true, "pad"},
		"by socket":                      {"s", ``, true, "phone"},
		"by socket, but for another one": {"s", `,"device_id":"pad"`, true, "pad"},
		"by socket, asked for":           {"s", `,"no_sync":true`, true, ""},
		"by socket, not wanted":          {"s", `,"no_sync":0`, false, ""},
	} {
		f := newFixture(t)
		by := f.actor("shop", "Member")
		by.Session, by.Device = tt.session, "phone"
		_, code, err := f.do(by, "msg.send", `{"conv_id":"`+f.conv(skein.Group)+`","type":-1,"text":"hi"`+tt.more+`}`)
		if code != 0 {
			t.Fatalf("%s: got error %v", name, err)
		}
		if got := f.sent[0]; got.NoSync != tt.noSync || got.Device != tt.device {
			t.Errorf("%s: no_sync %v without %q, want %v without %q", name, got.NoSync, got.Device, tt.noSync, tt.device)
		}
	}
}

func TestATokenThatIsMintedLogsIn(t *testing.T) {
	f := newFixture(t)
	backend := f.actor("shop", "")
	for _, logout := range []string{`{"client_id":"Member","device_id":"phone"}`, `{"client_id":"Member"}`} {
		for _, more := range []string{``, `,"device_id":"phone"`, `,"act":["msg.list"]`} {
			if _, code, err := f.do(backend, "user.logout", logout); code != 0 {
				t.Fatalf("user.logout: got error %v", err)
			}
			// In the same millisecond as the cut.
			answer, code, err := f.do(backend, "user.token", `{"client_id":"Member","ttl":3600`+more+`}`)
			if code != 0 {
				t.Fatalf("user.token: got error %v", err)
			}
			var got struct {
				Token   string
				Expires int64
			}
			f.must(json.Unmarshal([]byte(answer), &got))
			by, err := f.gate.Login(t.Context(), access.Login{App: "shop", Client: "Member", Device: "phone", Token: got.Token})
			if err != nil || int64(by.Expires) != got.Expires || by.MayDo("msg.send") != !strings.Contains(more, "act") {
				t.Errorf("%s after %s: logged in until %d with error %v, want until %d", more, logout, by.Expires, err, got.Expires)
			}
			f.clock.Add(time.Second.Milliseconds())
		}
	}
	_, _, err := f.do(backend, "user.ban", `{"client_id":"Member"}`)
	f.must(err)
	if _, code, _ := f.do(backend, "user.token", `{"client_id":"Member","ttl":60}`); code != 213 {
		t.Errorf("a token for a banned client: got code %d, want 213", code)
	}
	if _, code, _ := f.do(backend, "user.token", `{"client_id":"Owner","ttl":0}`); code != 4406 {
		t.Errorf("a token for no time: got code %d, want 4406", code)
	}
}

func TestAWhereIsDueFromTheBackendAlone(t *testing.T) {
	f := newFixture(t)
	f.conv(skein.Group)
	for body, want := range map[string][2]int{ // the backend, a client
		`{}`:                         {4001, 0},
		`{"where":null}`:             {4001, 0},
		`{"where":[]}`:               {0, 0},
		`{"where":{}}`:               {4406, 4406},
		`{"where":[["conv_idd",1]]}`: {4406, 4406},
		`{"where":[],"size":101}`:    {4406, 4406},
		`{"where":[],"cursor":"x"}`:  {4406, 4406},
		`{"where":[],"page":100000}`: {0, 0},
	} {
		for i, who := range []string{"", "Member"} {
			if _, code, err := f.do(f.actor("shop", who), "conv.query", body); code != want[i] {
				t.Errorf("%s by %q: got code %d (%v), want %d", body, who, code, err, want[i])
			}
		}
	}
}

func TestTheReasonOfABanIsTheBackendsAlone(t *testing.T) {
	f := newFixture(t)
	if _, code, err := f.do(f.actor("shop", ""), "user.ban", `{"client_id":"Member","reason":"spam"}`); code != 0 {
		t.Fatalf("user.ban: got error %v", err)
	}
	for who, shown := range map[string]bool{"": true, "Owner": false} {
		answer, _, err := f.do(f.actor("shop", who), "user.get", `{"client_id":"Member"}`)
		f.must(err)
		if strings.Contains(answer, "spam") != shown {
			t.Errorf("to %q: %s", who, answer)
		}
	}
}

func TestMembersAreAnsweredAsTheyAreAskedFor(t *testing.T) {
	f := newFixture(t)
	conv := f.conv(skein.Group)
	for more, want := range map[string]string{
		``:                   `["Owner","Admin","Member"]`,
		`,"page":1`:          `{"current_page":1,"data":["Owner","Admin","Member"],"last_page":1,"per_page":100,"total":3,"next_cursor":null}`,
		`,"page":2,"size":2`: `{"current_page":2,"data":["Member"],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`,
		`,"page":3,"size":2`: `{"current_page":3,"data":[],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`,
		`,"detail":1`:        `[{"client_id":"Owner","role":"owner","join_time":0,"mute_until":null,"nickname":null},{"client_id":"Admin","role":"admin","join_time":0,"mute_until":null,"nickname":null},{"client_id":"Member","role":"member","join_time":0,"mute_until":null,"nickname":null}]`,
	} {
		answer, _, err := f.do(f.actor("shop", "Member"), "conv.members", `{"conv_id":"`+conv+`"`+more+`}`)
		f.must(err)
		if answer != want {
			t.Errorf("with %s:\ngot  %s\nwant %s", more, answer, want)
		}
	}
}
