package edge

import (
	"log/slog"
	"net/http"
	"time"
)

// refusalWait is how long a caller has to take a refusal.
const refusalWait = time.Second

// Requests passes requests to next. Over HTTP/1 the connections bound how many run. Over HTTP/2 an
// address may have as many running as it may have connections; refuse answers what is beyond that.
// address is what a request counts for; empty: nothing.
func (g *Guard) Requests(next, refuse http.Handler, address func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		name := address(r)
		if !g.streams.Take(name, 1, int64(max(g.opts.MaxPerAddress, 0))) {
			g.metrics.refused.Inc()
			g.warn("request refused: too many requests of one address over HTTP/2", slog.String("addr", name))
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(refusalWait)) // only test recorders do not support it
			refuse.ServeHTTP(w, r)
			return
		}
		defer g.streams.Give(name, 1)
		next.ServeHTTP(w, r)
	})
}
