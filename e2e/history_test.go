package e2e

import (
	"fmt"
	"testing"
)

// A temporary conversation is gone ttl seconds after its last message.
func TestTemporaryConversationEnds(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.must(t, "POST", "/im/conversations", obj{"client_id": one, "to_client_ids": []string{two}, "conv_type": 2, "ttl": 4}).text("conv_id")
	a.must(t, "GET", convPath(conv), nil)
	kept := a.conv(t, 2, one, two)
	eventually(t, "the end of a temporary conversation", func() bool { return a.call(t, "GET", convPath(conv), nil).Code == 4011 })
	a.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"}).want(t, "send after the end", 4011)
	if got := a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q]]`, one)), nil); got.number("total") != 1 {
		t.Errorf("conversations after the end: got %s, want %s alone", got, kept)
	}
}
