package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The curves of the built server: what one piece of work costs at several sizes of
// what is around it, of which docs/performance.md says that it must not grow. The
// curves of what lies stored are beside the engine. `make curves` runs both.

// BenchmarkCurveFanout is a message into a group of which 100 are online: all of
// them, or 100 of 10,000.
func BenchmarkCurveFanout(b *testing.B) {
	const online, messages, window = 100, 2000, 8
	for _, members := range []int{online, 10_000} {
		b.Run(fmt.Sprintf("%d members", members), func(b *testing.B) {
			s := start(b)
			ids := s.users("f", members)
			conv := s.group(ids)
			crowd := make([]*client, online)
			for i := range crowd {
				crowd[i] = s.login(ids[i])
			}
			var wg sync.WaitGroup
			s.measure(b, "msg", messages, func() {
				for _, c := range crowd[1:] {
					wg.Go(func() { c.receive(messages) })
				}
				crowd[0].sendWindow(text(conv), messages, window)
				wg.Wait()
			})
		})
	}
}

// group makes a group of the clients, of whom the first is the owner.
func (s *server) group(clients []string) string {
	s.tb.Helper()
	const perCall = 500
	all := slices.Collect(slices.Chunk(clients, perCall))
	conv := s.conversation(3, all[0]...)
	for _, more := range all[1:] {
		ids, err := json.Marshal(more)
		if err != nil {
			s.tb.Fatal(err)
		}
		s.call("POST", "/im/conversations/"+conv+"/members", `{"client_ids":`+string(ids)+`}`)
	}
	return conv
}

// receive reads as many messages.
func (c *client) receive(n int) {
	for n > 0 {
		frame := c.read()
		if frame == nil {
			c.tb.Errorf("socket over with %d messages to come", n)
			return
		}
		if strings.HasPrefix(string(frame), `{"type":"msg.new"`) {
			n--
		}
	}
}

// BenchmarkCurveIdle is sockets that say nothing, as `skein bench idle` has them.
func BenchmarkCurveIdle(b *testing.B) {
	for _, sockets := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("%d sockets", sockets), func(b *testing.B) {
			for name, value := range measured(b, "idle", "--clients", fmt.Sprint(sockets)) {
				switch name {
				case "server CPU while idle, of a core":
					b.ReportMetric(value, "cpu-%")
					b.ReportMetric(value/float64(sockets)*10_000, "cpu-%/10000")
				case "server memory (RSS) a socket":
					b.ReportMetric(value, "rss-B/socket")
				}
			}
		})
	}
}

// measured are the values of a scenario of `skein bench`, by name.
func measured(b *testing.B, args ...string) map[string]float64 {
	b.Helper()
	file := filepath.Join(b.TempDir(), "bench.json")
	run := exec.Command(binary, append(append([]string{"bench"}, args...), "--json", file)...)
	if out, err := run.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var report struct {
		Results []struct {
			Values []struct {
				Name  string
				Value float64
			}
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		b.Fatal(err)
	}
	values := make(map[string]float64)
	for _, result := range report.Results {
		for _, v := range result.Values {
			values[v.Name] = v.Value
		}
	}
	return values
}
