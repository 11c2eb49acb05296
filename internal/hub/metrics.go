package hub

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// collectors read the hub's own counters when they are scraped, so that counting
// costs the hot path no lock and no shared cache line.
func (h *Hub) collectors() []prometheus.Collector {
	sum := func(of func(*shard) *atomic.Int64) func() float64 {
		return func() (total float64) {
			for i := range h.shards {
				total += float64(of(&h.shards[i]).Load())
			}
			return total
		}
	}
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_sessions", Help: "Logged-in sockets on this node.",
		}, func() float64 { return float64(h.Sessions()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_outbox_bytes", Help: "Bytes that wait for sessions to read them.",
		}, sum(func(sh *shard) *atomic.Int64 { return &sh.waiting })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_outbox_closed_total", Help: "Sessions closed because they read too slowly (4508).",
		}, func() float64 { return float64(h.slow.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_outbox_dropped_frames_total", Help: "Frames dropped with sessions that read too slowly.",
		}, func() float64 { return float64(h.dropped.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_frames_out_total", Help: "Frames written to sessions.",
		}, sum(func(sh *shard) *atomic.Int64 { return &sh.framesOut })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_frame_bytes_out_total", Help: "Bytes of the frames written to sessions.",
		}, sum(func(sh *shard) *atomic.Int64 { return &sh.bytesOut })),
	}
}
