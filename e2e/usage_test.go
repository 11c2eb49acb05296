package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
)

// What an app used, and when its key was last used, outlives a restart, and metrics count it meanwhile.
func TestUsageOfAnAppIsCountedAndKept(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	op := owner(t, s, "owner")
	a := createApp(t, s)
	path := "/admin/apps/" + a.ID
	op.must(t, "PATCH", path, `{"settings":{"quota_messages":3}}`)
	if got := op.must(t, "GET", path+"/usage", ""); string(got.Data) != `{"data":[]}` {
		t.Errorf("before anything was used: got %s", got)
	}
	tom, jerry := a.user(t, "Tom"), a.user(t, "Jerry")
	conv := a.group(t, tom, jerry)
	phone := a.login(t, jerry, "phone")
	for _, text := range []string{"one", "two", "three"} {
		a.send(t, conv, tom, text)
		phone.expectText(t, text)
	}
	if got := s.metric(t, fmt.Sprintf("skein_app_messages_total{app=%q}", a.ID)); got != 3 {
		t.Errorf("the metric: got %v, want 3", got)
	}
	s.Stop(t)
	s.Restart(t)
	var days struct {
		Data []struct {
			Messages, Deliveries int
		}
	}
	used := op.must(t, "GET", path+"/usage", "")
	if err := json.Unmarshal(used.Data, &days); err != nil {
		t.Fatal(err)
	}
	if got := a.call(t, "GET", "/im/app/usage", nil).want(t, "the backend's own call", 0); string(got.Data) != string(used.Data) {
		t.Errorf("to the backend: got %s, want %s", got.Data, used.Data)
	}
	messages, deliveries := 0, 0
	for _, d := range days.Data { // two where the test ran at midnight
		messages, deliveries = messages+d.Messages, deliveries+d.Deliveries
	}
	if messages != 3 || deliveries < 3 {
		t.Errorf("after a restart: got %s, want 3 messages and at least 3 deliveries", used)
	}
	var keys struct {
		Data []struct {
			Name string `json:"key_name"`
			Used int64  `json:"last_used"`
		}
	}
	listed := op.must(t, "GET", path+"/keys", "")
	if err := json.Unmarshal(listed.Data, &keys); err != nil || len(keys.Data) != 1 || keys.Data[0].Used == 0 {
		t.Errorf("the key: got %s, %v, want one that was used", listed, err)
	}
}
