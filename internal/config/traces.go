package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
)

// Traces say where traces of calls go.
type Traces struct {
	OTLPEndpoint string  `group:"settings" name:"otlp-endpoint" placeholder:"URL" help:"Collector of OpenTelemetry traces that speaks OTLP/HTTP, such as http://127.0.0.1:4318. If unset: nothing is traced."`
	TraceSample  float64 `group:"settings" default:"0.01" placeholder:"PART" help:"Part of all calls that is traced, 0 to 1."`
}

func (t Traces) check() error {
	if t.TraceSample < 0 || t.TraceSample > 1 || math.IsNaN(t.TraceSample) {
		return fmt.Errorf("--trace-sample: %v is not 0 to 1", t.TraceSample)
	}
	if t.OTLPEndpoint == "" {
		return nil
	}
	u, err := url.Parse(t.OTLPEndpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("--otlp-endpoint: not http://HOST:PORT or https://HOST:PORT")
	}
	return nil
}
