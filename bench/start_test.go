package bench

import (
	"testing"
	"time"
)

// BenchmarkStart: from the start of the process until it is ready, on an empty
// store, and what memory it has then.
func BenchmarkStart(b *testing.B) {
	var took time.Duration
	for b.Loop() {
		began := time.Now()
		s := start(b)
		took += time.Since(began)
		b.ReportMetric(float64(s.rss())/(1<<20), "rss-MiB")
		kill(s.cmd)
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ready-ms")
}

// BenchmarkCrash: from a kill -9 with a log of some thousand messages until the
// server is ready again, with every answered message in the history.
func BenchmarkCrash(b *testing.B) {
	const messages, window = 5000, 64
	var took time.Duration
	for b.Loop() {
		s := start(b)
		ids := s.users("k", 2)
		conv := s.conversation(1, ids...)
		writer := s.login(ids[0])
		s.measure(b, "msg", messages, func() { writer.sendWindow(text(conv), messages, window) })
		began := time.Now()
		kill(s.cmd)
		s.launch()
		took += time.Since(began)
		if got := s.lastSeq(conv); got < messages {
			b.Errorf("seq %d is the last after a crash, %d were answered", got, messages)
		}
		kill(s.cmd)
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "back-ms")
}

// lastSeq is the seq of the newest message.
func (s *server) lastSeq(conv string) int64 {
	s.tb.Helper()
	var page struct {
		Data []struct {
			Seq int64 `json:"seq"`
		} `json:"data"`
	}
	s.call("GET", "/im/conversations/"+conv+"/message?page=1&size=1", nil, &page)
	if len(page.Data) != 1 {
		s.tb.Fatalf("newest message: got %+v, want one", page)
	}
	return page.Data[0].Seq
}
