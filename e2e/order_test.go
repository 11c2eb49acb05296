package e2e

import (
	"fmt"
	"strconv"
	"testing"
)

// What a client pipelines stands in the order in which it said it, also where the rate
// refuses some of it: never a later message before an earlier one.
func TestPipelinedSendsStandInTheirOrder(t *testing.T) {
	t.Parallel()
	a := strict(t)
	one := a.user(t, "one")
	conv := a.group(t, one, a.user(t, "two"))
	c := a.login(t, one, "d")
	const n = 75
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	send := func(i int) obj {
		return obj{"conv_id": conv, "type": -1, "text": strconv.Itoa(i), "client_msg_id": fmt.Sprint("m", i)}
	}
	for round := 0; len(left) > 0; round++ {
		c.ask(t, "msg.send", send(left[0])).want(t, "the first that was refused, until it is taken", 0)
		left = left[1:]
		asked := map[string]int{}
		for _, i := range left {
			id, err := c.Post("msg.send", send(i))
			if err != nil {
				t.Fatal(err)
			}
			asked[id] = i
		}
		var refused []int
		for range asked {
			f, err := c.take(patience, isAnswer)
			if err != nil {
				t.Fatal(err)
			}
			switch i := asked[*f.ID]; {
			case f.Code == 4290:
				refused = append(refused, i)
			case f.Code != 0:
				t.Fatalf("got %s, want success or 4290", f)
			case len(refused) > 0:
				t.Fatalf("round %d: message %d was stored behind the refused %d", round, i, refused[0])
			}
		}
		left = refused
	}
	for i, m := range a.history(t, conv) {
		if m.text() != strconv.Itoa(i) && m.text() != strconv.Itoa(n-1-i) {
			t.Fatalf("place %d: got %q", i, m.text())
		}
	}
}
