package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Two servers on one embedded store: the second is refused, or both keep the
// promises of the store (SPEC 8.2: dense on however many nodes). The in-process
// bus carries no events between them; that is not asked here.
func TestTwoServersOnOneStore(t *testing.T) {
	t.Parallel()
	first := start(t)
	second := newServer(first.Data)
	if err := second.launch(); err != nil {
		if !strings.Contains(err.Error(), "exited") {
			t.Errorf("a second server on one store: %v\n%s", err, second.log.tail(0))
		}
		t.Logf("refused: %s", second.log.tail(0))
		second.end()
		return
	}
	t.Cleanup(func() { second.end(); second.inspect(t, 0) })
	a, b := demoApp(first), demoApp(second)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	key := unique("key")
	var sending sync.WaitGroup
	for i := range 8 {
		node := []*app{a, b}[i%2]
		sending.Go(func() {
			for n := range 25 {
				got, err := node.s.try("POST", convPath(conv, "message"), node.server(), obj{"from_client": one, "type": -1, "text": fmt.Sprint(n), "client_msg_id": fmt.Sprint(key, n)})
				if err != nil || got.Code != 0 {
					t.Errorf("send: %v %v", got, err)
				}
			}
		})
	}
	sending.Wait()
	if h := a.history(t, conv); len(h) != 25 {
		t.Errorf("history: got %d messages of 25 ids from two nodes", len(h))
	}
	c := b.login(t, two, "d")
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "hello"}).want(t, "send of a member by the second", 0)
	a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{two}})
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "hello"}).want(t, "send after the removal, by the other node", 4004)
	a.must(t, "POST", userPath(two, "ban"), obj{})
	b.call(t, "POST", convPath(conv, "message"), obj{"from_client": two, "type": -1, "text": "x"}).want(t, "send of one banned by the other node", 213)
	a.must(t, "DELETE", convPath(conv), nil)
	b.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"}).want(t, "send after a delete by the other node", 4011)
}
