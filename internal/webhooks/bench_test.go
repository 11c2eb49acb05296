package webhooks_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/webhooks"
)

// counter is a receiver on loopback that counts what it takes and looks at none of it.
type counter struct {
	*httptest.Server

	events, want atomic.Int64
	all          chan struct{} // closed when it took as many events as wanted
}

func newCounter(b *testing.B) *counter {
	b.Helper()
	c := &counter{all: make(chan struct{})}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			b.Error(err)
		}
		n := int64(strings.Count(string(body), `"message.sent"`))
		if sum := c.events.Add(n); sum >= c.want.Load() && sum-n < c.want.Load() {
			close(c.all)
		}
	}))
	b.Cleanup(c.Close)
	return c
}

// BenchmarkDeliver is what an event costs, from the feed of the embedded store to a receiver on loopback in this
// process. cpu-ns/op is the processor's time of all threads, the receiver's part included; see BenchmarkCall.
func BenchmarkDeliver(b *testing.B) {
	for _, ordered := range []bool{false, true} {
		for _, size := range []int{1, 100} {
			b.Run(fmt.Sprintf("batch=%d,ordered=%v", size, ordered), func(b *testing.B) {
				f, c := newFixtureOfNoNode(b), newCounter(b)
				s := skein.WebhookSettings{URL: c.URL, Events: []string{skein.HookMessageSent}, Rate: skein.MaxWebhookRate, Batch: size, Ordered: ordered}
				_, _, err := f.Create(b.Context(), f.by, "shop", s, true)
				f.must(err)
				convs := make([]skein.ID, 50)
				for i := range convs {
					convs[i] = f.group(byte(i + 1))
				}
				var g sync.WaitGroup
				for w := range convs {
					g.Go(func() {
						for i := w; i < b.N; i += len(convs) {
							f.say(convs[w], "one hundred bytes of text, as people write them to each other, more or less, and so much for that now")
						}
					})
				}
				g.Wait()
				c.want.Store(int64(b.N))
				before := processorTime(b)
				b.ResetTimer()
				stop := f.deliver(f.store)
				<-c.all
				b.StopTimer()
				report(b, before)
				stop()
			})
		}
	}
}

// BenchmarkCall is what the calls alone cost: eight at a time, with the same body, to the same receiver.
func BenchmarkCall(b *testing.B) {
	const event = `{"id":"evt_6lj2r9k1m3p5s8v0c4e7g2h6n9q1t3w5","type":"message.sent","timestamp":"2026-09-21T14:13:20.000Z","app_id":"shop","data":{"padding":"%s"}}`
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			f, c := newFixtureOfNoNode(b), newCounter(b)
			c.want.Store(int64(b.N))
			body := strings.Repeat(fmt.Sprintf(event, strings.Repeat("x", 400)), size)
			before := processorTime(b)
			b.ResetTimer()
			var g sync.WaitGroup
			var made atomic.Int64
			for range 8 {
				g.Go(func() {
					for made.Add(int64(size)) < int64(b.N+size) {
						answer, err := f.client.Post(c.URL, "application/json", strings.NewReader(body))
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, answer.Body)
						_ = answer.Body.Close()
					}
				})
			}
			g.Wait()
			b.StopTimer()
			report(b, before)
		})
	}
}

// report reports the rate and the processor's time of an event.
func report(b *testing.B, before time.Duration) {
	b.Helper()
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTell is what a receipt costs on its way to the members, of an app whose endpoints do not ask for receipts
// and of one that has an endpoint that does.
func BenchmarkTell(b *testing.B) {
	for name, events := range map[string][]string{"nobody asks": {skein.HookMessageSent}, "asked": {skein.HookReceiptsUpdated}} {
		b.Run(name, func(b *testing.B) {
			f := newFixtureOfNoNode(b)
			f.hook(func(s *skein.WebhookSettings) { s.Events = events })
			c := webhooks.NewCollector(webhooks.CollectorOptions{Store: f.store, Turn: 10 * time.Millisecond})
			time.Sleep(50 * time.Millisecond) // until it knows the endpoint
			n := skein.Notice{Kind: skein.EventRead, App: "shop", Conv: f.group(1), Positions: []skein.Position{{Client: "ann"}}}
			for b.Loop() {
				n.Positions[0].Read++
				c.Tell(n)
			}
			b.StopTimer()
			c.Close(b.Context())
		})
	}
}
