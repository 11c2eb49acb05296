// Package s3test is an S3 server in memory for tests, and the faults that a real one may have.
package s3test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// What the server knows.
const (
	Bucket = "skein-files"
	Key    = "AKIDOFTHETESTS"
	Secret = "secret-of-the-tests"
	Region = "eu-test-1"
)

// Server is an S3 server with one bucket. It checks signatures.
type Server struct {
	http    *httptest.Server
	backend gofakes3.Backend
	real    http.Handler
	gone    chan struct{} // closed when the server ends
	mu      sync.Mutex
	fault   Fault // guarded by mu
}

// Fault answers a request in place of the server, which is next; nil: there is none.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), Bucket); err != nil {
		t.Fatal(err)
	}
	s := &Server{backend: backend, real: gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{Key: Secret})).Server(), gone: make(chan struct{})}
	s.http = httptest.NewServer(s)
	t.Cleanup(func() {
		close(s.gone)
		s.http.Close()
	})
	return s
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	if fault == nil {
		s.real.ServeHTTP(w, r)
		return
	}
	fault(w, r, s.real)
}

// Has reports whether the bucket has an object.
func (s *Server) Has(key string) bool {
	_, err := s.backend.HeadObject(context.Background(), Bucket, key)
	return err == nil
}

// Endpoint is the host and port.
func (s *Server) Endpoint() string { return s.http.Listener.Addr().String() }

// URL is what --uploads takes.
func (s *Server) URL(prefix string) string {
	return "s3://" + Bucket + "/" + prefix + "?region=" + Region + "&endpoint=http://" + s.Endpoint()
}

// Break makes the requests of a method fail from now on; nil mends the server.
func (s *Server) Break(method string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	if f == nil || method == "" {
		return
	}
	s.fault = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != method {
			next.ServeHTTP(w, r)
			return
		}
		f(w, r, next)
	}
}

// Gone cuts the connection without an answer.
func Gone(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// GoneMidway takes a part of the request and cuts the connection.
func GoneMidway(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.CopyN(io.Discard, r.Body, 64<<10) // a shorter body is cut at its end
	panic(http.ErrAbortHandler)
}

// AnswerCut sends half of the answer and cuts the connection.
func AnswerCut(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2]) // cut below
	_ = http.NewResponseController(w).Flush()                 // supported here
	panic(http.ErrAbortHandler)
}

// AnswerLost does what was asked and cuts the connection.
func AnswerLost(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// Silent never answers.
func (s *Server) Silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	select {
	case <-s.gone:
	case <-r.Context().Done():
	}
	panic(http.ErrAbortHandler)
}
