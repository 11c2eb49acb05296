package usage

import "github.com/prometheus/client_golang/prometheus"

// maxNamed is how many apps have metrics of their own: those that used this node first. The others
// share the label otherApps, which no app can have as its id.
const (
	maxNamed  = 100
	otherApps = "~other"
)

var (
	messagesDesc   = prometheus.NewDesc("skein_app_messages_total", "Messages that this node stored, by app; ~other: the apps after the first 100.", []string{"app"}, nil)
	deliveriesDesc = prometheus.NewDesc("skein_app_deliveries_total", "Frames queued for sessions of this node, by app; ~other: the apps after the first 100.", []string{"app"}, nil)
	sessionsDesc   = prometheus.NewDesc("skein_app_sessions", "Logged-in sockets on this node, by app; ~other: the apps after the first 100.", []string{"app"}, nil)
)

// collector reads the counts when they are scraped.
type collector struct{ m *Meter }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	out <- messagesDesc
	out <- deliveriesDesc
	out <- sessionsDesc
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	type sums struct{ messages, deliveries, sessions int64 }
	all := map[string]*sums{}
	sessions := c.m.opts.Sessions()
	c.m.mu.RLock()
	of := func(id string) *sums {
		if _, named := c.m.named[id]; !named {
			id = otherApps
		}
		if all[id] == nil {
			all[id] = new(sums)
		}
		return all[id]
	}
	for id, a := range c.m.apps {
		s := of(id)
		s.messages += a.messages.Load()
		s.deliveries += a.deliveries.Load()
	}
	for id, n := range sessions {
		of(id).sessions += int64(n)
	}
	c.m.mu.RUnlock()
	for id, s := range all {
		out <- prometheus.MustNewConstMetric(messagesDesc, prometheus.CounterValue, float64(s.messages), id)
		out <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.CounterValue, float64(s.deliveries), id)
		out <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(s.sessions), id)
	}
}
