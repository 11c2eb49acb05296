package bench

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/skein-im/skein/internal/bench/report"
)

// latencies is a histogram with three digits from 1 µs to a minute. Safe for
// concurrent use.
type latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newLatencies() *latencies {
	return &latencies{h: hdrhistogram.New(1, time.Minute.Microseconds(), 3)}
}

// record books one latency; what is past a minute counts as a minute.
func (l *latencies) record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.h.RecordValue(min(max(1, d.Microseconds()), time.Minute.Microseconds())) // in range
}

// values are the percentiles in milliseconds, with their targets.
func (l *latencies) values(what string, targets map[float64]*report.Target) []report.Value {
	l.mu.Lock()
	defer l.mu.Unlock()
	var values []report.Value
	for _, p := range []float64{50, 99, 99.9} {
		ms := float64(l.h.ValueAtPercentile(p)) / 1000
		values = append(values, report.Value{Name: fmt.Sprintf("%s p%v", what, p), Value: ms, Unit: "ms", Target: targets[p]})
	}
	return values
}
