package e2e

import "testing"

func TestTypingIsToldToTheOthersOnceInAWhile(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom, jerry, alex, iron := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "alex"), a.user(t, "iron")
	conv, other := a.group(t, tom, jerry, alex), a.group(t, tom, jerry)
	phone, pad := a.login(t, tom, "phone"), a.login(t, tom, "pad")
	c, d, outside := a.login(t, jerry, "d"), a.login(t, alex, "d"), a.login(t, iron, "d")
	type typing struct {
		ConvID   string `json:"conv_id"`
		ClientID string `json:"client_id"`
		On       int    `json:"on"`
		Time     int64  `json:"time"`
	}
	say := func(body obj) {
		t.Helper()
		if got := phone.ask(t, "typing", body).want(t, "typing", 0); string(got.Data) != "true" {
			t.Errorf("typing: got %s, want true", got)
		}
	}
	want := func(s *socket, conv string, on int) {
		t.Helper()
		var e typing
		s.expect(t, "typing").into(t, &e)
		if e.ConvID != conv || e.ClientID != tom || e.On != on || e.Time == 0 {
			t.Errorf("got %+v, want %s on %d in %s", e, tom, on, conv)
		}
	}
	say(obj{"conv_id": conv, "on": 0})
	say(obj{"conv_id": conv})
	want(c, conv, 1)
	want(d, conv, 1)
	for range 5 {
		say(obj{"conv_id": conv, "on": 1})
	}
	c.nothing(t, "typing")
	say(obj{"conv_id": other})
	want(c, other, 1)
	say(obj{"conv_id": conv, "on": 0})
	want(c, conv, 0)
	want(d, conv, 0)
	say(obj{"conv_id": conv, "on": 0})
	for _, s := range []*socket{c, d, pad, phone, outside} {
		s.nothing(t, "typing")
	}
	outside.ask(t, "typing", obj{"conv_id": conv}).want(t, "typing of who is no member", 4004)
	for what, body := range map[string]obj{"nothing": {}, "a conv_id that is an object": {"conv_id": obj{}}, "on 2": {"conv_id": conv, "on": 2}} {
		phone.ask(t, "typing", body).want(t, what, 4001, 4406)
	}
	phone.ask(t, "typing", obj{"conv_id": long(32)}).want(t, "an unknown conversation", 4011)
	a.call(t, "POST", convPath(conv, "typing"), obj{}).want(t, "typing by REST", 4040)
}
