package serve

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/skein-im/skein/internal/tracing"
)

// newTracer is the tracer of this node; nil without --otlp-endpoint.
func (s *Server) newTracer() *tracing.Tracer {
	if s.config.OTLPEndpoint == "" {
		return nil
	}
	return tracing.New(tracing.Options{
		Endpoint: s.config.OTLPEndpoint, Sample: s.config.TraceSample, Node: s.config.Node,
		Random: rand.Uint64, Client: &http.Client{Timeout: 15 * time.Second}, Log: s.log, Registerer: s.registry,
	})
}
