package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/skein-im/skein/internal/testclient"
)

var (
	eventsFlag  = flag.Int("chaos.events", 100_000, "how many messages BenchmarkChaosWebhooks sends")
	sendingFlag = flag.Duration("chaos.sending", time.Hour, "how long BenchmarkChaosWebhooks sends at most")
)

const (
	hookSenders = 40 // one a conversation: the order of what it is answered is the order of its messages
	hookPause   = 3 * time.Second
)

// BenchmarkChaosWebhooks sends messages to three nodes while nodes, database and receiver are killed, stopped and
// cut off, and holds what the receiver took against what was answered: each message at least once, none missing, those of a
// conversation in order. It is a benchmark so that no run of the tests plays it.
func BenchmarkChaosWebhooks(b *testing.B) {
	dir := b.TempDir()
	program, err := build(dir)
	if err != nil {
		b.Fatal(err)
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1_000_000)
	}
	for b.Loop() {
		if err := playWebhooks(b, program, dir, rand.New(rand.NewPCG(seed, 0))); err != nil {
			b.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func playWebhooks(b *testing.B, program, dir string, rng *rand.Rand) (err error) {
	b.Helper()
	home := filepath.Join(dir, fmt.Sprint("webhooks-", rng.Uint32()))
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	var times recoveries
	c, err := newCluster(program, home, true, &times)
	if err != nil {
		return err
	}
	defer c.close()
	host := "127.0.0.1"
	if c.network != nil {
		host = c.network.address(1)
	}
	r := &hookReceiver{bySeq: map[string]map[int64]bool{}, first: map[string][]int64{}}
	if err := r.listen(net.JoinHostPort(host, "0")); err != nil {
		return err
	}
	defer r.die()
	senders, err := prepareWebhooks(c, r, host)
	if err != nil {
		return err
	}
	began := time.Now()
	striking, stop := context.WithCancel(context.Background())
	defer stop()
	var faults sync.WaitGroup
	var struck int
	var broken error
	faults.Go(func() {
		for pause(striking, within(rng, hookPause/2, hookPause)) && broken == nil {
			f := draw(rng, c.faults())
			f.at = time.Duration(rng.IntN(1000))
			broken = c.strike(striking, f)
			struck++
		}
	})
	restarts := 0
	faults.Go(func() {
		for pause(striking, 2*hookPause) && r.die() == nil {
			pause(striking, time.Second)
			restarts++
			if err := r.listen(r.addr); err != nil {
				broken = errors.Join(broken, err)
				return
			}
		}
	})
	var sending sync.WaitGroup
	for i, s := range senders {
		sending.Go(func() { s.run(*eventsFlag/len(senders), began.Add(*sendingFlag), c.addrs(i)) })
	}
	sending.Wait()
	sent := time.Since(began)
	stop()
	faults.Wait()
	if broken != nil {
		return broken
	}
	if err := r.wait(senders); err != nil {
		return err
	}
	total := 0
	for _, s := range senders {
		total += int(s.last)
	}
	b.Logf("%d messages in %v, the last event %v later; %d faults of nodes and database, the receiver died %d times; %d events came again",
		total, sent.Round(time.Second), (time.Since(began) - sent).Round(100*time.Millisecond), struck, restarts, r.again())
	return r.check(senders)
}

// prepareWebhooks starts the cluster with an app, its endpoint, and a conversation for each sender.
func prepareWebhooks(c *cluster, r *hookReceiver, host string) ([]*hookSender, error) {
	for _, n := range c.nodes {
		n.env = append(n.env, "SKEIN_OUTBOUND_ALLOW="+host)
	}
	a, err := c.createApp("shop", false)
	if err != nil {
		return nil, err
	}
	first := c.nodes[0]
	if _, err := first.run("app", "update", "--data", first.data(), "--id", a.id, "--rest-rate=-1"); err != nil {
		return nil, err
	}
	out, err := first.run("webhook", "add", "--data", first.data(), "--app", a.id, "--json",
		"--url", "http://"+r.addr+"/", "--events", "message.sent", "--rate", "10000", "--batch", "50", "--ordered", "on")
	if err != nil {
		return nil, err
	}
	var made struct{ Secret string }
	if err := json.Unmarshal(out, &made); err != nil {
		return nil, err
	}
	if r.hook, err = standardwebhooks.NewWebhook(made.Secret); err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	a.addr = c.nodes[0].public
	for _, client := range []string{"Tom", "Jerry"} {
		if err := a.must(nil, "POST", "/im/users", map[string]string{"client_id": client}); err != nil {
			return nil, err
		}
	}
	senders := make([]*hookSender, hookSenders)
	for i := range senders {
		conv, err := a.create(group, "Tom", "Jerry")
		if err != nil {
			return nil, err
		}
		senders[i] = &hookSender{app: *a, conv: conv}
	}
	return senders, nil
}

// hookSender sends messages one after the other, each until it is answered.
type hookSender struct {
	app  app
	conv string
	last int64 // seq that was answered last
	err  error // an answer that cannot be
}

var sendingHTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hookSenders}}

// run sends n messages, or fewer if that takes until end.
func (s *hookSender) run(n int, end time.Time, addrs []string) {
	tries := 0
	for i := 0; i < n && time.Now().Before(end); i++ {
		for {
			call := testclient.App{Addr: addrs[tries%len(addrs)], ID: s.app.id, Key: s.app.key, HTTP: sendingHTTP}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			var sent struct {
				Seq int64 `json:"seq"`
			}
			err := call.Call(ctx, "POST", convPath(s.conv, "/message"), map[string]any{
				"from_client": "Tom", "type": -1, "text": fmt.Sprint("m", i), "client_msg_id": fmt.Sprint("m", i),
			}, &sent)
			cancel()
			if err == nil {
				if sent.Seq != s.last+1 {
					s.err = errors.Join(s.err, fmt.Errorf("conversation %s: message %d got the seq %d behind %d", s.conv, i, sent.Seq, s.last))
				}
				s.last = sent.Seq
				break
			}
			tries++
			pause(context.Background(), 50*time.Millisecond)
		}
	}
}

// hookReceiver takes batches of events, and dies and comes back.
type hookReceiver struct {
	addr string
	hook *standardwebhooks.Webhook

	serving sync.WaitGroup

	mu     sync.Mutex
	server *http.Server              // guarded by mu, as what follows
	bySeq  map[string]map[int64]bool // that came, by conversation
	first  map[string][]int64        // seqs in the order in which they came first
	came   int
	errs   []error
}

// listen begins to take calls.
func (r *hookReceiver) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addr, r.server = l.Addr().String(), &http.Server{Handler: http.HandlerFunc(r.take)}
	server := r.server
	r.serving.Go(func() { _ = server.Serve(l) }) // it ends with die
	return nil
}

// die closes all connections, whatever they carry.
func (r *hookReceiver) die() error {
	r.mu.Lock()
	err := r.server.Close()
	r.mu.Unlock()
	r.serving.Wait()
	return err
}

func (r *hookReceiver) take(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return // the node or the receiver died
	}
	var batch struct {
		Data []struct {
			Type string
			Data struct {
				ConvID string `json:"conv_id"`
				Seq    int64
			}
		}
	}
	err = errors.Join(r.hook.Verify(body, in.Header), json.Unmarshal(body, &batch))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("%w: %s", err, body[:min(len(body), 500)]))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, e := range batch.Data {
		r.came++
		conv := r.bySeq[e.Data.ConvID]
		if conv == nil {
			conv = map[int64]bool{}
			r.bySeq[e.Data.ConvID] = conv
		}
		if !conv[e.Data.Seq] {
			conv[e.Data.Seq] = true
			r.first[e.Data.ConvID] = append(r.first[e.Data.ConvID], e.Data.Seq)
		}
	}
}

// again is how many events came that were there.
func (r *hookReceiver) again() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.came
	for _, seqs := range r.first {
		n -= len(seqs)
	}
	return n
}

// hooksWait is how long nothing may come while something is missing: the longest pause of a call that failed once or twice.
const hooksWait = 8 * time.Minute

// wait waits until all messages came, or nothing comes any more.
func (r *hookReceiver) wait(senders []*hookSender) error {
	for before, since := -1, time.Now(); ; pause(context.Background(), 50*time.Millisecond) {
		r.mu.Lock()
		came, missing := r.came, 0
		for _, s := range senders {
			missing += int(s.last) - len(r.first[s.conv])
		}
		r.mu.Unlock()
		if missing == 0 {
			return nil
		}
		if came != before {
			before, since = came, time.Now()
		}
		if time.Since(since) > hooksWait {
			return fmt.Errorf("%d events are missing, and for %v none came", missing, hooksWait)
		}
	}
}

// check holds what came against what the senders were answered.
func (r *hookReceiver) check(senders []*hookSender) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := r.errs
	for _, s := range senders {
		errs = append(errs, s.err)
		if seqs := r.first[s.conv]; !slices.IsSorted(seqs) {
			i := 1
			for seqs[i] > seqs[i-1] {
				i++
			}
			errs = append(errs, fmt.Errorf("conversation %s: seq %d came first after seq %d", s.conv, seqs[i], seqs[i-1]))
		}
	}
	return errors.Join(errs...)
}
