package serve

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The timeouts of the server hold for each request of an HTTP/2 connection.
func TestSlowHTTP2RequestsEnd(t *testing.T) {
	read, written := make(chan error, 1), make(chan error, 1)
	s := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, err := io.Copy(io.Discard, r.Body)
			read <- err
			return
		}
		var err error
		for err == nil { // until the client, which reads nothing, has had its time
			_, err = w.Write(make([]byte, 1<<20))
		}
		written <- err
	}), slog.New(slog.DiscardHandler))
	s.ReadTimeout, s.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	srv := httptest.NewUnstartedServer(nil)
	srv.Config, srv.EnableHTTP2 = s, true
	srv.StartTLS()
	defer srv.Close()
	body, sender := io.Pipe() // of which nothing ever comes
	defer sender.Close()
	// The timeouts hold for the handshake too, which a busy machine may not make in time.
	call := func(method, path string, body io.Reader, came func() bool) *http.Response {
		for {
			req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := srv.Client().Do(req)
			if err == nil || came() {
				return res
			}
		}
	}
	if res := call(http.MethodPost, "/body", struct{ io.Reader }{body}, func() bool { return len(read) > 0 }); res != nil {
		_ = res.Body.Close()
	}
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a body that does not come: got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	res := call(http.MethodGet, "/answer", nil, func() bool { return false })
	if res == nil || res.Proto != "HTTP/2.0" {
		t.Fatalf("got %v, want HTTP/2", res)
	}
	defer res.Body.Close()
	<-written // a write failed, so the handler has ended
}

// Requests that a client resets still run. So many of them end the connection.
func TestRapidResetsEndTheConnection(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = newHTTPServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), slog.New(slog.DiscardHandler))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	defer close(release)
	conn, err := tls.Dial("tcp", srv.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a test that hangs says where
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	go func() { // ends with the connection
		framer := http2.NewFramer(conn, nil)
		_, _ = io.WriteString(conn, http2.ClientPreface)
		_ = framer.WriteSettings()
		for stream := uint32(1); ; stream += 2 {
			block.Reset()
			for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}} {
				_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
			}
			err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
			if err != nil || framer.WriteRSTStream(stream, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	for framer := http2.NewFramer(nil, conn); ; {
		frame, err := framer.ReadFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the connection goes on")
		}
		if end, ok := frame.(*http2.GoAwayFrame); ok && end.ErrCode != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("got %v, want ENHANCE_YOUR_CALM", end.ErrCode)
		}
		if err != nil {
			return // the server ended it
		}
	}
}
