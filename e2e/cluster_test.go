package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// startCluster is n nodes of the built binary on one PostgreSQL, with a NATS server in each,
// and the demo app as a client of each node sees it.
func startCluster(t *testing.T, n int) (nodes []*app) {
	t.Helper()
	routes := make([]string, n)
	for i := range routes {
		routes[i] = freeAddr()
	}
	return startNodes(t, routes, strings.Join(routes, ","))
}

// startNodes starts a node at each route, whose NATS servers connect to the peers.
func startNodes(t *testing.T, routes []string, peers string) (nodes []*app) {
	t.Helper()
	url, files := databases.Database(t), t.TempDir()
	for _, route := range routes {
		bus := fmt.Sprintf("nats://embedded?listen=%s&token=%s", route, "one-secret-of-all-nodes")
		if peers != "" {
			bus += "&peers=" + peers
		}
		nodes = append(nodes, demoApp(start(t, func(s *server) {
			s.env = append(s.env, "SKEIN_DATABASE="+url, "SKEIN_BUS="+bus, "SKEIN_UPLOADS="+files)
		})))
	}
	return nodes
}

// The nodes are one server: what happens on one is told on the others, and in force there.
func TestThreeNodesAreOneServer(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, 3)
	a, b, c := nodes[0], nodes[1], nodes[2]
	tom, jerry, alex := a.user(t, "tom"), b.user(t, "jerry"), c.user(t, "alex")
	onA, onB := a.login(t, tom, "phone"), b.login(t, jerry, "phone")
	conv := c.group(t, tom, jerry)

	for i, text := range []string{"by socket", "by REST"} {
		if i == 0 {
			onA.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text}).want(t, "msg.send", 0)
		} else {
			c.send(t, conv, tom, text)
		}
		if m := onB.expectText(t, text); m.Seq != int64(i+1) {
			t.Errorf("%q on another node: got seq %d, want %d", text, m.Seq, i+1)
		}
	}
	onB.ask(t, "typing", obj{"conv_id": conv}).want(t, "typing", 0)
	onA.expect(t, "typing")

	onC := c.login(t, alex, "phone")
	onC.ask(t, "presence.subscribe", obj{"client_ids": []string{tom, jerry}}).want(t, "presence.subscribe", 0)
	b.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{alex}})
	onA.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "welcome"}).want(t, "msg.send", 0)
	onC.expectText(t, "welcome")

	var link string
	a.s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)
	if res, _ := fetch(t, strings.Replace(link, a.s.Addr, b.s.Addr, 1), nil); res.StatusCode != http.StatusOK {
		t.Errorf("a file on another node: got %s, want 200", res.Status)
	}

	again := c.login(t, tom, "phone") // the same device elsewhere
	onA.kicked(t, "replaced")
	again.open(t)
	a.must(t, "POST", userPath(tom, "ban"), obj{"reason": "spam"})
	again.kicked(t, "banned")
	if got := onC.presence(t); got[tom].Online != 0 {
		t.Errorf("presence of a banned client on another node: got %+v, want offline", got)
	}
	c.call(t, "POST", convPath(conv, "message"), obj{"from_client": tom, "type": -1, "text": "x"}).want(t, "send of a client banned on another node", 213)
}

// Nothing that a node tells the other on the bus arrives. What is stored is told all the same.
func TestNodesWhoseBusIsCutHearByTheDatabase(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, []string{freeAddr(), freeAddr()}, "")
	a, b := nodes[0], nodes[1]
	tom, jerry := a.user(t, "tom"), b.user(t, "jerry")
	onA, onB := a.login(t, tom, "phone"), b.login(t, jerry, "phone")
	onA.ask(t, "presence.subscribe", obj{"client_ids": []string{jerry}}).want(t, "presence.subscribe", 0)

	conv := a.group(t, tom, jerry)
	onB.expect(t, "resync")
	sent := a.send(t, conv, tom, "hello").text("msg_id")
	onB.expectText(t, "hello")
	onA.ask(t, "msg.edit", obj{"conv_id": conv, "msg_id": sent, "text": "hello again"}).want(t, "msg.edit", 0)
	onB.expect(t, "msg.updated")
	a.must(t, "POST", userPath(jerry, "ban"), obj{"reason": "spam"})
	onB.kicked(t, "banned")
	if got := onA.presence(t); got[jerry].Online != 0 {
		t.Errorf("presence of a client banned on another node: got %+v, want offline", got)
	}
	eventually(t, "the other node refuses the login of a banned client", func() bool {
		_, refused, err := b.tryLogin("", jerry, "phone")
		return err == nil && refused.Code == 213
	})
}

// A node that dies takes nothing with it: what it acked is there, seq is dense, and its
// clients go on at another node without a gap.
func TestANodeThatDiesLosesNothing(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, 3)
	senders := []string{"Tom", "Jerry", "Alex"}
	convs := []string{nodes[0].group(t, "Tom", senders...), nodes[1].group(t, "Jerry", senders...)}
	aside := nodes[0].group(t, "Tom", "Alex")
	l := newLedger()
	var running sync.WaitGroup
	for i, from := range senders {
		running.Go(func() { l.bySocket(nodes[i], from, fmt.Sprint("device", i), convs) })
	}
	watcher := nodes[2].login(t, "Alex", "watch")
	eventually(t, "200 acks of three nodes", func() bool { return l.acks.Load() >= 200 })
	nodes[1].s.Kill(t)
	reached := l.acks.Load()
	eventually(t, "100 more of the two nodes that live", func() bool { return l.acks.Load() >= reached+100 })
	nodes[0].s.Kill(t)
	nodes[2].send(t, aside, "Tom", "after the others")
	watcher.expectText(t, "after the others")
	nodes[0].s.Restart(t)
	nodes[2].s.Kill(t) // ends the last sender
	running.Wait()
	l.retry(t, nodes[0])
	l.check(t, nodes[0], convs)
}

// The nodes share the rate of an app key. A refusal tells how long the caller must wait: one second for each
// node, at one call a second. So the test does not depend on the speed of the machine.
func TestNodesShareTheRateOfAnAppKey(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, 3)
	made := newApp(t, nodes[0].s, unique("shop"), "--rest-rate", "1", "--database", nodes[0].s.setting("SKEIN_DATABASE"))
	wait := func(want string, on ...*app) {
		t.Helper()
		for _, a := range on {
			eventually(t, "a refusal that says to wait "+want+" s", func() bool {
				got := a.s.once(t, "GET", "/im/users?size=1", made.server(), nil)
				return got.Code == 4290 && got.Header.Get("Retry-After") == want
			})
		}
	}
	wait("3", nodes...)
	nodes[2].s.Kill(t)
	wait("2", nodes[:2]...)
	nodes[1].s.Stop(t)
	wait("1", nodes[0])
	nodes[2].s.Restart(t)
	wait("2", nodes[0], nodes[2])
}
