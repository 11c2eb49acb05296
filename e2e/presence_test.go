package e2e

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// presence is one client of presence.get and of the event.
type presence struct {
	ClientID string   `json:"client_id"`
	Online   int      `json:"online"`
	LastSeen *int64   `json:"last_seen"`
	Devices  []string `json:"devices"`
}

// presenceOf is the list of an answer, by client.
func presenceOf(t *testing.T, raw json.RawMessage) map[string]presence {
	t.Helper()
	var list []presence
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatalf("presence: %v in %s", err, raw)
	}
	by := map[string]presence{}
	for _, p := range list {
		if (p.Online == 1) != (len(p.Devices) > 0) || p.Devices == nil || p.Online == 1 && p.LastSeen != nil {
			t.Errorf("presence: got %+v, want devices exactly when online, and last_seen when not", p)
		}
		by[p.ClientID] = p
	}
	return by
}

// presence is the next event, by client.
func (c *socket) presence(t *testing.T) map[string]presence {
	t.Helper()
	var data struct {
		Clients json.RawMessage `json:"clients"`
	}
	c.expect(t, "presence").into(t, &data)
	return presenceOf(t, data.Clients)
}

func TestPresenceSubscription(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two, three := a.user(t, "one"), a.user(t, "two"), a.user(t, "three")
	c, same := a.login(t, one, "web"), a.login(t, one, "pad")
	there := a.login(t, two, "phone")
	list := presenceOf(t, c.ask(t, "presence.subscribe", obj{"client_ids": []string{two, three, "nobody"}}).want(t, "subscribe", 0).Data)
	if list[two].Online != 1 || list[three].Online != 0 || len(list) != 3 {
		t.Errorf("presence.subscribe: got %+v", list)
	}
	a.login(t, three, "phone")
	if got := c.presence(t); len(got) != 1 || got[three].Online != 1 {
		t.Errorf("event: got %+v, want that %s came alone", got, three)
	}
	// A reconnect within 2 s is invisible: with the next event, two is still there.
	left := time.Now()
	there.Drop()
	there = a.login(t, two, "phone")
	slow := time.Since(left) >= 2*time.Second // this machine took longer, so two may be told as gone and back
	pad, _ := a.enter(t, a.on(t, two, "pad", obj{"device_type": "android"}))
	got := c.presence(t)[two]
	for slow && len(got.Devices) != 2 {
		got = c.presence(t)[two]
	}
	if got.Online != 1 || !slices.Contains(got.Devices, "android") || len(got.Devices) != 2 {
		t.Errorf("event: got %+v, want one more device", got)
	}
	left = time.Now()
	there.Drop()
	pad.Drop()
	got = c.presence(t)[two]
	for got.Online == 1 && len(got.Devices) == 1 { // the server saw one socket end long before the other
		got = c.presence(t)[two]
	}
	if got.Online != 0 || got.LastSeen != nil || time.Since(left) < 1900*time.Millisecond {
		t.Errorf("event after %v: got %+v, want offline after 2 s, last_seen null", time.Since(left), got)
	}
	same.nothing(t, "presence") // a subscription is the session's

	c.ask(t, "presence.subscribe", obj{"client_ids": []string{three}}).want(t, "another list", 0)
	same.ask(t, "presence.subscribe", obj{"client_ids": []string{two}}).want(t, "the pad's", 0)
	a.login(t, two, "phone")
	if got := same.presence(t); got[two].Online != 1 {
		t.Errorf("event: got %+v", got)
	}
	c.nothing(t, "presence")
	c.ask(t, "presence.subscribe", obj{"client_ids": []string{}}).want(t, "the end", 0)
}

func TestLastSeen(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	a.change(t, "--last-seen", "on")
	one, two := a.user(t, "one"), a.user(t, "two")
	c := a.login(t, one, "web")
	body := obj{"client_ids": []string{two, "nobody"}}
	seen := func() *int64 { return presenceOf(t, a.must(t, "POST", "/im/presence", body).Data)[two].LastSeen }
	eventually(t, "the server follows `skein app update`", func() bool { // a short visit is told of
		a.login(t, two, "phone").Drop()
		time.Sleep(100 * time.Millisecond)
		return seen() != nil
	})
	there := a.login(t, two, "phone")
	if at := seen(); at != nil {
		t.Errorf("last_seen while online: got %d, want null", *at)
	}
	c.ask(t, "presence.subscribe", body).want(t, "subscribe", 0)
	before := time.Now().UnixMilli()
	there.Drop()
	got := c.presence(t)[two]
	if got.LastSeen == nil || *got.LastSeen < before || *got.LastSeen > time.Now().UnixMilli() {
		t.Fatalf("event: got %+v, want a last_seen since %d", got, before)
	}
	if at := seen(); at == nil || *at != *got.LastSeen {
		t.Errorf("presence.get: got last_seen %v, want %d", at, *got.LastSeen)
	}
	// It outlasts the server, also for who was there when it stopped.
	a.login(t, one, "desk")
	before = time.Now().UnixMilli()
	s.Stop(t)
	s.Restart(t)
	body = obj{"client_ids": []string{one, two}}
	list := presenceOf(t, a.must(t, "POST", "/im/presence", body).Data)
	if at := list[two].LastSeen; at == nil || *at != *got.LastSeen {
		t.Errorf("after a restart: got %+v, want last_seen %d", list[two], *got.LastSeen)
	}
	if at := list[one].LastSeen; at == nil || *at < before {
		t.Errorf("who was there at the stop: got %+v, want last_seen since %d", list[one], before)
	}
}
