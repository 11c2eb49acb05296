package serve

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// The timeouts of the server hold for each request of an HTTP/2 connection.
func TestSlowHTTP2RequestsEnd(t *testing.T) {
	var read, written error
	done := make(chan struct{})
	s := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, read = io.Copy(io.Discard, r.Body)
		} else {
			for written == nil { // until the client, which reads nothing, has had its time
				_, written = w.Write(make([]byte, 1<<20))
			}
		}
		done <- struct{}{}
	}), slog.New(slog.DiscardHandler))
	s.ReadTimeout, s.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	srv := httptest.NewUnstartedServer(nil)
	srv.Config, srv.EnableHTTP2 = s, true
	srv.StartTLS()
	defer srv.Close()
	body, sender := io.Pipe() // of which nothing ever comes
	defer sender.Close()
	go func() {
		if res, err := srv.Client().Post(srv.URL+"/body", "text/plain", body); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-done
	if !errors.Is(read, os.ErrDeadlineExceeded) {
		t.Errorf("a body that does not come: got %v, want %v", read, os.ErrDeadlineExceeded)
	}
	res, err := srv.Client().Get(srv.URL + "/answer")
	if err != nil || res.Proto != "HTTP/2.0" {
		t.Fatalf("got %v, %v; want HTTP/2", res, err)
	}
	defer res.Body.Close()
	<-done
	if written == nil || !strings.Contains(written.Error(), "deadline") && !strings.Contains(written.Error(), "closed") {
		t.Errorf("an answer that nobody takes: got %v, want a deadline", written)
	}
}
