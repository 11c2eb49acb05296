package adminrows

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// client registers a client of the app shop.
func (f *fixture) client(id string) {
	f.Helper()
	if _, _, err := f.store.CreateClient(f.Context(), skein.Client{App: "shop", ID: id}); err != nil {
		f.Fatal(err)
	}
}

// enter logs a client of the app shop in.
func (f *fixture) enter(client, device string) (session string) {
	f.Helper()
	session = strings.ReplaceAll(uuid.NewString(), "-", "")
	_, _, err := f.store.RenewNode(f.Context(), "node", time.Hour)
	if err == nil {
		_, err = f.store.EnterSession(f.Context(), store.Login{Session: store.Session{App: "shop", Client: client, Device: device, DeviceType: 1, ID: session, Node: "node"}})
	}
	if err != nil {
		f.Fatal(err)
	}
	return session
}

// say makes a group of the clients in which the first of them sends texts.
func (f *fixture) say(clients []string, texts ...string) {
	f.Helper()
	conv := skein.Conversation{App: "shop", ID: skein.ID(uuid.New()), Type: skein.Group, Creator: clients[0]}
	members := make([]skein.Member, len(clients))
	for i, c := range clients {
		members[i].Client = c
	}
	if _, _, err := f.store.CreateConversation(f.Context(), conv, members, store.MemberLimit{}); err != nil {
		f.Fatal(err)
	}
	for _, text := range texts {
		m := skein.Message{Conv: conv.ID, ID: skein.ID(uuid.New()), Sender: clients[0], Body: skein.Body{Type: skein.TypeText, Text: text}}
		if _, _, err := f.store.Append(f.Context(), skein.Draft{App: "shop", Message: m, Need: skein.NeedServer}); err != nil {
			f.Fatal(err)
		}
	}
}

// must runs an op that must succeed, and returns its answer and the newest entry of the audit log.
func (f *fixture) must(op, body string) (string, skein.Deed) {
	f.Helper()
	answer, err := f.call(f.by(0), op, body)
	if err != nil {
		f.Fatalf("%s %s: %v", op, body, err)
	}
	deeds, err := f.cases.Audit(f.Context(), skein.AuditQuery{Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	return string(answer), deeds[0]
}

func TestASessionIsListedAndEndedWithItsDevice(t *testing.T) {
	f := newFixture(t)
	f.client("Tom")
	phone, tablet := f.enter("Tom", "phone"), f.enter("Tom", "tablet")
	listed, _ := f.must("user.session.list", `{"app_id":"shop","client_id":"Tom"}`)
	want := fmt.Sprintf(`{"data":[{"session_id":%q,"device_id":"tablet","device_type":"ios"},{"session_id":%q,"device_id":"phone","device_type":"ios"}]}`, tablet, phone)
	if listed != want {
		t.Errorf("sessions:\ngot  %s\nwant %s", listed, want)
	}
	_, deed := f.must("user.session.end", fmt.Sprintf(`{"app_id":"shop","client_id":"Tom","session_id":%q}`, phone))
	c, err := f.store.Client(t.Context(), "shop", "Tom")
	if err != nil || c.CutOf("phone") == 0 || c.CutOf("tablet") != 0 {
		t.Errorf("after the end of the phone's session: got %+v, %v, want the tokens of the phone alone to be refused", c, err)
	}
	if wantAfter := fmt.Sprintf(`{"session_id":%q,"device_id":"phone"}`, phone); deed.Op != "user.session.end" || deed.App != "shop" || deed.Target != "Tom" || string(deed.After) != wantAfter {
		t.Errorf("the entry: got %+v, after %s, want %s", deed, deed.After, wantAfter)
	}
	_, deed = f.must("user.logout", `{"app_id":"shop","client_id":"Tom"}`)
	if c, err = f.store.Client(t.Context(), "shop", "Tom"); err != nil || c.Cut == 0 || deed.Op != "user.logout" || string(deed.After) != `{}` {
		t.Errorf("after a logout: got %+v, %v, entry %+v", c, err, deed)
	}
	wantCuts := []skein.Cut{
		{App: "shop", Client: "Tom", Device: "phone", Reason: skein.KickLoggedOut, Rev: c.Rev - 1},
		{App: "shop", Client: "Tom", Reason: skein.KickLoggedOut, Rev: c.Rev},
	}
	if fmt.Sprint(f.cuts) != fmt.Sprint(wantCuts) {
		t.Errorf("what all nodes were told: got %+v, want %+v", f.cuts, wantCuts)
	}
	for _, body := range []string{`{"app_id":"shop","client_id":"Tom","session_id":"nothing"}`, `{"app_id":"shop","client_id":"Nobody","session_id":"x"}`} {
		before := f.state()
		if _, err := f.call(f.by(0), "user.session.end", body); !errors.Is(err, skein.ErrNotFound) && !errors.Is(err, skein.ErrUnknownClient) {
			t.Errorf("user.session.end %s: got error %v", body, err)
		}
		if f.state() != before {
			t.Errorf("user.session.end %s changed the state", body)
		}
	}
}

func TestAnExportHasWhatTheUserSaidAndTheAuditLogHasTheReason(t *testing.T) {
	f := newFixture(t)
	f.client("Tom")
	f.client("Jerry")
	f.say([]string{"Tom", "Jerry"}, "hello")
	f.say([]string{"Jerry"}, "a secret")
	answer, deed := f.must("user.export", `{"app_id":"shop","client_id":"Tom","reason":"ticket 4711"}`)
	var out adminapi.UserExport
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Clients) != 1 || len(out.Conversations) != 1 || len(out.Messages) != 1 || !strings.Contains(string(out.Messages[0]), `"text":"hello"`) || strings.Contains(answer, "secret") || out.Format != "skein-portable" || out.Time == 0 {
		t.Errorf("the export: got %s", answer)
	}
	if deed.Op != "user.export" || deed.App != "shop" || deed.Target != "Tom" || string(deed.After) != `{"reason":"ticket 4711"}` {
		t.Errorf("the entry: got %+v, after %s", deed, deed.After)
	}
	before := f.state()
	if _, err := f.call(f.by(0), "user.export", `{"app_id":"shop","client_id":"Nobody","reason":"x"}`); !errors.Is(err, skein.ErrUnknownClient) || f.state() != before {
		t.Errorf("of nobody: got error %v, want %v and no entry", err, skein.ErrUnknownClient)
	}
}

func TestAnErasureReportsWhatWent(t *testing.T) {
	f := newFixture(t)
	f.client("Tom")
	f.client("Jerry")
	f.enter("Tom", "phone")
	f.say([]string{"Tom", "Jerry"}, "one", "two")
	f.say([]string{"Jerry", "Tom"}, "stays")
	answer, deed := f.must("user.erase", `{"app_id":"shop","client_id":"Tom"}`)
	if want := `{"sessions":1,"conversations":2,"messages":2,"reactions":0,"complete":true}`; answer != want {
		t.Errorf("the report:\ngot  %s\nwant %s", answer, want)
	}
	if deed.Op != "user.erase" || deed.App != "shop" || deed.Target != "Tom" || string(deed.After) != `{"messages_erased":true}` {
		t.Errorf("the entry: got %+v, after %s", deed, deed.After)
	}
	before := f.state()
	if _, err := f.call(f.by(0), "user.erase", `{"app_id":"shop","client_id":"Tom"}`); !errors.Is(err, skein.ErrUnknownClient) || f.state() != before {
		t.Errorf("again: got error %v, want %v and no entry", err, skein.ErrUnknownClient)
	}
}
