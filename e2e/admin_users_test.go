package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// An operator lists and ends a user's sessions, exports what the app holds of the user, and erases it.
func TestAnOperatorEndsSessionsExportsAndErasesAUser(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := createApp(t, s)
	op := owner(t, s, "users"+a.ID)
	path := "/admin/apps/" + a.ID + "/users/"
	tom, jerry := a.user(t, "Tom"), a.user(t, "Jerry")
	conv := a.group(t, tom, jerry)
	a.send(t, conv, tom, "remember me")
	phone, tablet := a.login(t, tom, "phone"), a.login(t, tom, "tablet")

	var listed []struct {
		Session string `json:"session_id"`
		Device  string `json:"device_id"`
	}
	if err := json.Unmarshal(mustJSON(t, op.must(t, "GET", path+tom+"/sessions", "").field("data")), &listed); err != nil || len(listed) != 2 || listed[1].Device != "phone" {
		t.Fatalf("sessions: got %+v, %v, want tablet and phone", listed, err)
	}
	op.must(t, "DELETE", path+tom+"/sessions/"+listed[1].Session, "")
	phone.kicked(t, "logged_out")
	tablet.ask(t, "user.get", obj{"client_id": tom}).want(t, "the other device", 0)
	eventually(t, "the session is gone", func() bool {
		return op.call(t, "DELETE", path+tom+"/sessions/"+listed[1].Session, "").Code == 4014
	})

	out := op.must(t, "POST", path+tom+"/export", `{"reason":"ticket 4711"}`)
	if text := string(out.Data); !strings.Contains(text, "remember me") {
		t.Errorf("the export: got %s, want what Tom said", out)
	}
	if got := op.call(t, "POST", path+tom+"/export", `{}`); got.Code != 4001 {
		t.Errorf("an export without a reason: got %s, want 4001", got)
	}
	report := op.must(t, "POST", path+tom+"/erase", `{}`)
	if report.field("sessions") != 1.0 || report.field("conversations") != 1.0 {
		t.Errorf("the report: got %s", report)
	}
	tablet.kicked(t, "logged_out")
	eventually(t, "what Tom said is erased", func() bool { return a.history(t, conv)[0].text() == "" })
	for _, want := range []string{"user.session.end", "user.export", "user.erase"} {
		if got := op.must(t, "GET", "/admin/audit?app_id="+a.ID+"&op="+want, ""); !strings.Contains(string(got.Data), `"target":"`+tom+`"`) {
			t.Errorf("the audit log about %s: got %s", want, got)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
