package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

const uploadType = "Content-Type: multipart/form-data; boundary=b"

// part is one field of a form; without a file name it is no file.
func part(field, file, content string) string {
	name := ""
	if file != "" {
		name = fmt.Sprintf("; filename=%q", file)
	}
	return fmt.Sprintf("--b\r\nContent-Disposition: form-data; name=%q%s\r\n\r\n%s\r\n", field, name, content)
}

var uploadBody = part("file", "a.png", "content") + "--b--\r\n"

func (f *fixture) upload(body string, headers ...string) answer {
	f.Helper()
	return f.call("POST", "/im/file/upload", body, append([]string{"-Content-Type", uploadType}, headers...)...)
}

func TestTheFileOfAFormIsKeptAndItsLinkAnswered(t *testing.T) {
	f := newFixture(t, nil)
	var kept, saved string
	f.files.save = func(_ context.Context, r io.Reader) (string, error) {
		b, err := io.ReadAll(r)
		kept, saved = string(b), saved+"x" // another name each time
		return saved + ".png", err
	}
	for name, body := range map[string]string{
		"alone":                  uploadBody,
		"behind other fields":    part("name", "", "x") + part("other", "y.png", "y") + uploadBody,
		"before another file":    part("file", "a.png", "content") + part("file", "b.png", "second") + "--b--\r\n",
		"behind a field of text": part("file", "", "no file") + uploadBody,
	} {
		kept = ""
		a := f.upload(body)
		f.want(name, a, 200, 0)
		if want := `"` + f.url + `/storage/uploads/` + saved + `.png"`; kept != "content" || string(a.data) != want {
			t.Errorf("%s: kept %q, answered %s, want %s", name, kept, a.data, want)
		}
	}
	f = newFixture(t, func(o *Options) { o.Trust.PublicURL = "https://im.example" })
	if a := f.upload(uploadBody); string(a.data) != `"https://im.example/storage/uploads/x.png"` {
		t.Errorf("with a public URL: answered %s", a.data)
	}
}

func TestWhatIsWrongWithAnUploadIsSaid(t *testing.T) {
	f := newFixture(t, nil)
	large := strings.Repeat("x", 2<<20)
	for name, tt := range map[string]struct {
		body         string
		headers      []string
		status, code int
	}{
		"no file":                   {part("name", "", "x") + "--b--\r\n", nil, 400, 4001},
		"an empty form":             {"--b--\r\n", nil, 400, 4001},
		"nothing":                   {"", nil, 400, 4406},
		"a form cut in its file":    {part("file", "a.png", "content")[:70], nil, 400, 4406},
		"a form cut before its end": {part("file", "a.png", "content"), nil, 400, 4406},
		"another boundary":          {strings.ReplaceAll(uploadBody, "--b", "--c"), nil, 400, 4406},
		"no boundary":               {uploadBody, []string{"-Content-Type", "Content-Type: multipart/form-data"}, 415, 4406},
		"no form":                   {uploadBody, []string{"-Content-Type", "Content-Type: image/png"}, 415, 4406},
		"compressed":                {uploadBody, []string{"Content-Encoding: gzip"}, 415, 4406},
		"above the limit":           {part("file", "a.png", large) + "--b--\r\n", nil, 413, 4130},
		"fields above the limit":    {part("name", "", large) + uploadBody, nil, 413, 4130},
		"not allowed by its token":  {uploadBody, []string{"-App-Key", f.bearer("Tom", "msg.send")}, 403, 4004},
		"without leave":             {uploadBody, []string{"-App-Key"}, 401, 4003},
	} {
		f.want(name, f.upload(tt.body, tt.headers...), tt.status, tt.code)
		if tt.body == "" {
			continue
		}
		r := f.request("POST", "/im/file/upload", "", append([]string{uploadType}, tt.headers...)...)
		if !strings.Contains(strings.Join(tt.headers, " "), "-Content-Type") {
			r.Header.Set("Content-Type", strings.TrimPrefix(uploadType, "Content-Type: "))
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(tt.body)), -1
		f.want(name+", of unknown length", f.send(r), tt.status, tt.code)
	}
}

func TestWhatTheShelfSaysIsAnswered(t *testing.T) {
	f := newFixture(t, nil)
	for err, want := range map[error][2]int{
		skein.ErrFileType:                      {415, 4601},
		skein.About(skein.ErrTooLarge, "file"): {413, 4130},
		skein.ErrUnavailable:                   {503, 5030},
		errors.New("disk on fire"):             {500, 1},
	} {
		f.files.save = func(context.Context, io.Reader) (string, error) { return "", err }
		f.want(err.Error(), f.upload(uploadBody), want[0], want[1])
	}
}

// unread fails a test that reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was sent")
	return 0, io.EOF
}

func TestALengthAboveTheLimitIsRefusedBeforeTheBodyIsSent(t *testing.T) {
	f := newFixture(t, nil)
	transport := &http.Transport{ExpectContinueTimeout: time.Hour}
	f.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	for path, media := range map[string]string{"/im/file/upload": uploadType, "/im/users": "Content-Type: application/json"} {
		r := f.request("POST", path, "", media, "Expect: 100-continue")
		r.Body, r.ContentLength = io.NopCloser(unread{t}), 1<<30
		f.want(path, f.send(r), 413, 4130)
	}
}

// The server's time for an answer counts from the headers; an upload may be longer.
func TestTheAnswerToALongUploadHasItsOwnTime(t *testing.T) {
	const answerWait = time.Millisecond
	f := newFixture(t, nil)
	f.listening.Close()
	f.listening = httptest.NewUnstartedServer(f.server)
	f.listening.Config.WriteTimeout = answerWait
	f.listening.Start()
	t.Cleanup(f.listening.Close)
	f.url, f.client = f.listening.URL, f.listening.Client()
	f.files.save = func(context.Context, io.Reader) (string, error) {
		<-time.After(10 * answerWait) // an upload that takes longer than that
		return "x.png", nil
	}
	f.want("a long upload", f.upload(uploadBody), 200, 0)
}

// The first bytes are stored before the last ones were sent.
func TestAnUploadStreams(t *testing.T) {
	f := newFixture(t, nil)
	arrived := make(chan string)
	f.files.save = func(_ context.Context, r io.Reader) (string, error) {
		first := make([]byte, 5)
		if _, err := io.ReadFull(r, first); err != nil {
			return "", err
		}
		arrived <- string(first)
		rest, err := io.Copy(io.Discard, r)
		arrived <- fmt.Sprint(rest)
		return "x.png", err
	}
	out, in := io.Pipe()
	r := f.request("POST", "/im/file/upload", "", uploadType)
	r.Body, r.ContentLength = out, -1
	answered := make(chan answer)
	go func() { answered <- f.send(r) }()
	write := func(s string) {
		_, err := io.WriteString(in, s)
		f.must(err)
	}
	head, tail, _ := strings.Cut(part("file", "a.png", "first|second"), "|")
	// What is not sent yet keeps the form open; 64 KiB get past all buffers.
	write(head + strings.Repeat("x", 64<<10))
	if got := <-arrived; got != "first" {
		t.Errorf("arrived %q, want the first bytes", got)
	}
	write(tail + "--b--\r\n")
	f.must(in.Close())
	if got, want := <-arrived, fmt.Sprint(64<<10+len("second")); got != want {
		t.Errorf("then %s bytes arrived, want %s", got, want)
	}
	f.want("the upload", <-answered, 200, 0)
}

func TestAnUploadThatIsGivenUpEndsItsCall(t *testing.T) {
	f := newFixture(t, nil)
	entered, ended := make(chan struct{}), make(chan error, 1)
	f.files.save = func(_ context.Context, r io.Reader) (string, error) {
		close(entered)
		_, err := io.Copy(io.Discard, r)
		ended <- err
		return "", err
	}
	out, in := io.Pipe()
	r := f.request("POST", "/im/file/upload", "", uploadType)
	r.Body, r.ContentLength = out, -1
	go func() {
		_, _ = io.WriteString(in, part("file", "a.png", strings.Repeat("x", 8<<10))) // fails if the call is over already, and then the test does
		<-entered
		_ = in.CloseWithError(io.ErrUnexpectedEOF) // never fails
	}()
	if resp, err := f.client.Do(r); err == nil {
		_ = resp.Body.Close() // it should not be there
		t.Fatalf("got HTTP %d of a call that was given up", resp.StatusCode)
	}
	if err := <-ended; !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("the store of files read to the end with %v, want an error of the form", err)
	}
}
