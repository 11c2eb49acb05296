package natsbus

import (
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// BenchmarkEvent is what an event costs from Publish on one node to the handler on another,
// the server's part included, which runs in this process. cpu-ns/op is the processor's time
// of all threads.
func BenchmarkEvent(b *testing.B) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(patience) {
		b.Fatal("the server does not become ready")
	}
	var nodes []*Bus
	for range 2 {
		n, err := Connect(b.Context(), Options{Servers: []string{s.ClientURL()}})
		if err != nil {
			b.Fatal(err)
		}
		defer n.Close(b.Context())
		nodes = append(nodes, n)
	}
	const window = 256 // events under way
	room := make(chan struct{}, window)
	defer nodes[1].Subscribe(func(*bus.Event) { <-room })()
	e := bus.Event{
		App: "shop", Frame: make([]byte, 300), Kind: 1, Sender: "Tom", RosterRev: 3,
		Audience: []skein.Listener{skein.NewListener("Tom", 1), skein.NewListener("Jerry", 1)},
	}
	b.ReportAllocs()
	before := processorTime(b)
	for i := 0; b.Loop(); i++ {
		e.Conv, e.Seq = skein.ID{byte(i), byte(i >> 8), 2: 1}, int64(i)+1
		room <- struct{}{}
		nodes[0].Publish(&e)
	}
	for range window {
		room <- struct{}{}
	}
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
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
