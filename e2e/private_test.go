package e2e

import "testing"

// Leaving, joining and deleting, as the members see it.
func TestRoomJoinLeaveAndDelete(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	room := a.conv(t, 4, one)
	c1, c2 := a.login(t, one, "d"), a.login(t, two, "d")
	c2.ask(t, "msg.list", obj{"conv_id": room}).want(t, "history before joining", 4004)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send before joining", 4004)
	c2.ask(t, "conv.join", obj{"conv_id": room}).want(t, "join", 0)
	c2.ask(t, "conv.join", obj{"conv_id": room}).want(t, "join again", 0)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "hello"}).want(t, "send", 0)
	c1.expectText(t, "hello")
	c2.ask(t, "conv.leave", obj{"conv_id": room}).want(t, "leave", 0)
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send after leaving", 4004)
	c2.ask(t, "msg.list", obj{"conv_id": room}).want(t, "history after leaving", 4004)
	a.s.call(t, "POST", convPath(room, "join"), a.as(t, two), nil).want(t, "join by REST, without a body", 0)
	c1.ask(t, "conv.delete", obj{"conv_id": room}).want(t, "delete by the owner", 0)
	f := c2.expect(t, "conv.deleted")
	var gone struct {
		ConvID string `json:"conv_id"`
	}
	if f.into(t, &gone); gone.ConvID != room {
		t.Errorf("conv.deleted: got %s, want %s", f, room)
	}
	c2.ask(t, "msg.send", obj{"conv_id": room, "type": -1, "text": "x"}).want(t, "send after delete", 4011)
	a.call(t, "DELETE", convPath(room), nil).want(t, "delete again", 4011)
	a.call(t, "GET", convPath(room, "message"), nil).want(t, "history after delete", 4011)
	a.call(t, "GET", convPath(room, "members"), nil).want(t, "members after delete", 4011)
}
