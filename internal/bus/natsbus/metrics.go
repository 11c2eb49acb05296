package natsbus

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	reconnects                prometheus.Counter
	published, publishedBytes prometheus.Counter
	received, receivedBytes   prometheus.Counter
	dropped                   *prometheus.CounterVec
}

func (m *metrics) init() {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m.reconnects = counter("skein_bus_reconnects_total", "Times that a lost connection to NATS came back; sessions were then asked to sync.")
	m.published = counter("skein_bus_published_total", "Events given to NATS for the other nodes.")
	m.publishedBytes = counter("skein_bus_published_bytes_total", "Their bytes.")
	m.received = counter("skein_bus_received_total", "Events of other nodes.")
	m.receivedBytes = counter("skein_bus_received_bytes_total", "Their bytes.")
	m.dropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "skein_bus_dropped_total",
		Help: "Events not sent because the node was not connected (disconnected) or published too much (queue), or of another node's not handled because they could not be read (malformed). Nodes read from the store what they miss.",
	}, []string{"reason"})
}

func (m *metrics) register(reg prometheus.Registerer, b *Bus) {
	if reg == nil {
		return
	}
	reg.MustRegister(m.reconnects, m.published, m.publishedBytes, m.received, m.receivedBytes, m.dropped,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_bus_connected", Help: "1 while this node is connected to NATS.",
		}, func() float64 {
			if b.conn.IsConnected() {
				return 1
			}
			return 0
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_bus_slow_total", Help: "Events of other nodes dropped because this node handled them too slowly.",
		}, func() float64 {
			n, _ := b.sub.Dropped() // zero after Close
			return float64(n)
		}))
}
