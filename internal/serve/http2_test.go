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
