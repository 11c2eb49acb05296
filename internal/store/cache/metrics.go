package cache

import "github.com/prometheus/client_golang/prometheus"

// collectors read the cache's own counters when they are scraped.
func (s *Store) collectors() []prometheus.Collector {
	held := func() (bytes float64) {
		_, conversations := s.conversations.held()
		_, clients := s.clients.held()
		return float64(conversations + clients)
	}
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_cache_hits_total",
			Help: "Reads of the store that memory answered.",
		}, func() float64 { return float64(s.hits.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "skein_cache_misses_total",
			Help: "Reads that memory could have answered but the store had to.",
		}, func() float64 { return float64(s.misses.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_cache_bytes",
			Help: "Memory held by the cache, about.",
		}, held),
	}
}
