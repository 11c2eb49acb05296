package rest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

// stuck is a peer that takes nothing until it is released.
type stuck struct {
	*httptest.ResponseRecorder

	writing, release chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	close(s.writing)
	<-s.release
	return s.ResponseRecorder.Write(b)
}

// What slow peers keep of the server's memory is bounded; past it large answers are
// refused, and small ones, which tell of changes, are not.
func TestLargeAnswersAreRefusedPastTheirRoom(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Answers = 600 << 10 })
	conv := "/im/conversations/" + f.group()
	for range 8 {
		f.call("POST", conv+"/message", fmt.Sprintf(`{"from_client":"Tom","type":-1,"text":%q}`, strings.Repeat("x", skein.MaxText)))
	}
	page := conv + "/message?page=1&size=8"
	peer := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.server.ServeHTTP(peer, f.request("GET", page, ""))
	}()
	<-peer.writing
	f.want("a large one beside it", f.call("GET", page, ""), http.StatusServiceUnavailable, 5030)
	f.want("a small one", f.call("GET", conv+"/message?page=1&size=1", ""), 200, 0)
	f.want("a send", f.call("POST", conv+"/message", `{"from_client":"Tom","type":-1,"text":"hi"}`), 200, 0)
	close(peer.release)
	<-done
	if peer.Code != 200 || peer.Body.Len() < 8*skein.MaxText {
		t.Errorf("the first got %d and %d bytes", peer.Code, peer.Body.Len())
	}
	f.want("a large one after it", f.call("GET", page, ""), 200, 0)
}

// other is the header of another app, with its key.
func (f *fixture) other() []string {
	f.Helper()
	app := f.app
	app.ID = "other"
	f.must(f.store.CreateApp(f.Context(), app))
	_, _, err := f.store.CreateClient(f.Context(), skein.Client{App: "other", ID: "Tom"})
	f.must(err)
	return []string{"-App-Id", "App-Id: other"}
}

// drip sends the headers of a request and a part of its body, and answers what the
// server says in the end: the rest never comes.
func (f *fixture) drip(method, path, media, body string, headers ...string) *bufio.Reader {
	f.Helper()
	nc, err := net.Dial("tcp", f.listening.Listener.Addr().String())
	f.must(err)
	f.Cleanup(func() { _ = nc.Close() })
	f.must(nc.SetDeadline(time.Now().Add(time.Minute))) // a test that hangs says where
	_, err = fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: x\r\nApp-Id: shop\r\n%s\r\nContent-Length: 100000\r\n%s\r\n\r\n%s",
		method, path, media, strings.Join(headers, "\r\n"), body)
	f.must(err)
	return bufio.NewReader(nc)
}

// status is the first line of what a connection was answered.
func (f *fixture) status(r *bufio.Reader) string {
	f.Helper()
	line, err := r.ReadString('\n')
	f.must(err)
	return strings.TrimSpace(line)
}

// eventually waits for what another goroutine is about to do.
func (f *fixture) eventually(what string, done func() bool) {
	f.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("%s: it never happened", what)
		}
	}
}

func TestUploadsThatDripTakeNoPlaceOfCallsAndNoneOfAnotherApp(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Uploads, o.Limits.Calls = 8, 2 })
	other := f.other()
	for range 4 { // half of the places
		f.drip("POST", "/im/file/upload", uploadType, uploadBody[:len(uploadBody)-9], "App-Key: master")
	}
	f.eventually("four uploads", func() bool { return f.server.held.uploads.Taken() == 4 })
	a := f.upload(uploadBody)
	f.want("a fifth of the app", a, 503, 5030)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.want("a call of the app", f.call("GET", "/im/users/Tom", ""), 200, 0)
	f.want("an upload of another app", f.upload(uploadBody, other...), 200, 0)
	f.want("a call of another app", f.call("GET", "/im/users/Tom", "", other...), 200, 0)
}

func TestOneClientHasItsOwnBoundOfUploads(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.UploadsPerClient = 2 })
	tom, jerry, saved := f.bearer("Tom"), f.bearer("Jerry"), 0
	f.files.save = func(_ context.Context, r io.Reader) (string, error) {
		_, err := io.Copy(io.Discard, r)
		if err == nil {
			saved++
		}
		return fmt.Sprintf("%d.png", saved), err
	}
	for range 2 {
		f.drip("POST", "/im/file/upload", uploadType, uploadBody[:len(uploadBody)-9], tom)
	}
	f.eventually("two uploads", func() bool { return f.server.held.uploads.Taken() == 2 })
	f.want("a third of Tom's", f.upload(uploadBody, "-App-Key", tom), 429, 4290)
	f.want("one of Jerry's", f.upload(uploadBody, "-App-Key", jerry), 200, 0)
	f.want("one of the backend's", f.upload(uploadBody), 200, 0)
}

func TestBodiesThatDripTakeNoRoomOfAnotherApp(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Bodies = 400_000 })
	other := f.other()
	for range 2 { // half of the room
		f.drip("POST", "/im/users", "Content-Type: application/json", `{"client_id":"`, "App-Key: master")
	}
	f.eventually("two bodies", func() bool { return f.server.held.bodies.Taken() == 200_000 })
	f.want("a third of the app", f.call("POST", "/im/users", `{"client_id":"A"}`), 503, 5030)
	f.want("a call without a body", f.call("GET", "/im/users/Tom", ""), 200, 0)
	f.want("one of another app", f.call("POST", "/im/users", `{"client_id":"A"}`, other...), 200, 0)
}

func TestCallsUnderWayAreSharedByApp(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Calls = 4 })
	other := f.other()
	for range 2 {
		if !f.server.held.calls.Take("shop", 1, 0) {
			t.Fatal("half of the places are refused")
		}
	}
	a := f.call("GET", "/im/users/Tom", "")
	f.want("beside half of the places taken by its app", a, 503, 5030)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.want("a call of another app", f.call("GET", "/im/users/Tom", "", other...), 200, 0)
}

func TestABodyThatComesTooSlowlyIsAnswered4080(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Stall = 50 * time.Millisecond })
	upload := f.drip("POST", "/im/file/upload", uploadType, uploadBody[:len(uploadBody)-9], "App-Key: master")
	if got := f.status(upload); got != "HTTP/1.1 408 Request Timeout" {
		t.Errorf("an upload: got %q, want 408", got)
	}
	f.eventually("its place", func() bool { return f.server.held.uploads.Taken() == 0 })

	f.listening = httptest.NewUnstartedServer(f.server)
	f.listening.Config.ReadHeaderTimeout = time.Minute // the client may be slow to send the header
	f.listening.Config.ReadTimeout = 300 * time.Millisecond
	f.listening.Start()
	t.Cleanup(f.listening.Close)
	body := f.drip("POST", "/im/users", "Content-Type: application/json", `{"client_id":"`, "App-Key: master")
	if got := f.status(body); got != "HTTP/1.1 408 Request Timeout" {
		t.Errorf("JSON: got %q, want 408", got)
	}
}

// A byte now and then is no upload: what counts is what comes within a stall.
func TestAnUploadThatDripsIsEndedAlthoughItNeverStops(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Stall = 100 * time.Millisecond })
	out, in := io.Pipe()
	r := f.request("POST", "/im/file/upload", "", uploadType)
	r.Body, r.ContentLength = out, -1
	go func() {
		_, err := io.WriteString(in, strings.TrimSuffix(part("file", "a.png", "x"), "\r\n"))
		for err == nil {
			time.Sleep(10 * time.Millisecond)
			_, err = io.WriteString(in, "x")
		}
	}()
	f.want("a dripping upload", f.send(r), 408, 4080)
	_ = out.Close() // ends the writer
}

// change changes a client in the store.
func (f *fixture) change(client string, change func(*skein.Client)) error {
	_, err := f.store.UpdateClient(f.Context(), "shop", client, func(c *skein.Client) error {
		change(c)
		return nil
	})
	return err
}

func TestAnUploadEndsWithTheLeaveOfItsCaller(t *testing.T) {
	for name, tt := range map[string]struct {
		end    func(f *fixture) error
		status string
	}{
		"a ban": {func(f *fixture) error {
			return f.change("Tom", func(c *skein.Client) { c.BannedUntil = skein.Forever })
		}, "HTTP/1.1 403 Forbidden"},
		"a forced logout": {func(f *fixture) error {
			return f.change("Tom", func(c *skein.Client) { c.Cut = skein.MillisOf(time.Now().Add(time.Second)) })
		}, "HTTP/1.1 401 Unauthorized"},
		"the app's deletion": {func(f *fixture) error { return f.store.DeleteApp(f.Context(), "shop") }, "HTTP/1.1 4"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.Limits.Recheck = 10 * time.Millisecond })
			entered := make(chan struct{})
			f.files.save = func(_ context.Context, r io.Reader) (string, error) {
				close(entered)
				_, err := io.Copy(io.Discard, r)
				return "", err
			}
			upload := f.drip("POST", "/im/file/upload", uploadType, uploadBody[:len(uploadBody)-9], f.bearer("Tom"))
			<-entered
			f.must(tt.end(f))
			if got := f.status(upload); !strings.HasPrefix(got, tt.status) {
				t.Errorf("got %q, want %q", got, tt.status)
			}
		})
	}
}

func TestDownloadsOfOneAddressLeaveRoomForAnother(t *testing.T) {
	addr := "192.0.2.1:1"
	entered, release := make(chan struct{}), make(chan struct{})
	f := newFixture(t, func(o *Options) {
		o.Limits.Downloads = 3
		o.Downloads = map[string]http.Handler{"/x": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-release
		})}
	})
	get := func() int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r.RemoteAddr = addr
		f.server.ServeHTTP(w, r)
		return w.Code
	}
	done := make(chan int)
	go func() { done <- get() }()
	<-entered
	if got := get(); got != http.StatusServiceUnavailable {
		t.Errorf("a second of the address: got %d, want 503", got)
	}
	addr = "192.0.2.2:1"
	go func() { done <- get() }()
	<-entered
	close(release)
	for range 2 {
		if got := <-done; got != http.StatusOK {
			t.Errorf("a download: got %d, want 200", got)
		}
	}
}

func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	f := newFixture(t, nil)
	for path, media := range map[string]string{"/im/file/upload": uploadType, "/im/users": "Content-Type: application/json"} {
		answer := f.drip("POST", path, media, "--b", "App-Key: wrong")
		if got := f.status(answer); got != "HTTP/1.1 401 Unauthorized" {
			t.Errorf("%s: got %q, want 401", path, got)
		}
	}
}
