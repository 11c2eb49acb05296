package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/wire/cursor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a listening server with the app "shop", whose key is "master", and the
// clients Tom and Jerry.
type fixture struct {
	*testing.T

	store     *sqlite.Store
	server    *Server
	listening *httptest.Server

	url    string
	client *http.Client
	files  *fakeFiles
	log    *bytes.Buffer // read it when the server is closed
	app    skein.App
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	f := &fixture{T: t, files: &fakeFiles{}, log: &bytes.Buffer{}}
	var err error
	f.store, err = sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, SearchTime: time.Hour})
	f.must(err)
	t.Cleanup(func() { f.must(f.store.Close()) })
	f.app = skein.App{
		ID: "shop", Keys: []skein.AppKey{{Name: "main", Hash: access.HashKey("master")}},
		TokenSecret: access.NewTokenSecret(), Settings: skein.Settings{MaxFileBytes: 1 << 20, RESTRate: -1},
	}
	f.must(f.store.CreateApp(t.Context(), f.app))
	for _, id := range []string{"Tom", "Jerry"} {
		_, _, err := f.store.CreateClient(t.Context(), skein.Client{App: "shop", ID: id})
		f.must(err)
	}
	gate := access.New(access.Options{Apps: f.store, Clients: f.store})
	opts := Options{
		Table: rows.New(rows.Deps{
			Chat: chat.New(chat.Options{Store: f.store, Events: noEvents{}}), Gate: gate, Files: f.files, Zone: time.UTC,
			Cursors: cursor.NewSealer([]byte("secret")),
		}),
		Gate: gate, Log: slog.New(slog.NewTextHandler(f.log, nil)), Registerer: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&opts)
	}
	f.server = New(opts)
	f.listening = httptest.NewUnstartedServer(f.server)
	f.listening.Config.MaxHeaderBytes = 60 << 10
	f.listening.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	f.listening.Start()
	t.Cleanup(f.listening.Close)
	f.url, f.client = f.listening.URL, f.listening.Client()
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return f
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	code   int
	text   string // message
	data   json.RawMessage
}

// request is one with the backend's key, JSON where there is a body, and headers as
// "Name: value", or "-Name" to leave one out.
func (f *fixture) request(method, target, body string, headers ...string) *http.Request {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+target, strings.NewReader(body))
	f.must(err)
	r.Header.Set("App-Id", "shop")
	r.Header.Set("App-Key", "master")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			r.Header.Del(strings.TrimPrefix(name, "-"))
			continue
		}
		r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], value)
	}
	return r
}

// send sends a request and wants the envelope back.
func (f *fixture) send(r *http.Request) answer {
	f.Helper()
	resp, err := f.client.Do(r)
	f.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	f.must(err)
	a := answer{status: resp.StatusCode, header: resp.Header, body: strings.TrimSuffix(string(body), "\n")}
	if r.Method == http.MethodHead {
		return a
	}
	if !strings.HasSuffix(string(body), "}\n") || resp.ContentLength != int64(len(body)) {
		f.Errorf("%q does not end its line, or Content-Length %d is not its length", body, resp.ContentLength)
	}
	f.checkEnvelope(&a)
	return a
}

func (f *fixture) call(method, target, body string, headers ...string) answer {
	f.Helper()
	return f.send(f.request(method, target, body, headers...))
}

// checkEnvelope wants the four keys in their order, and the headers of every answer.
func (f *fixture) checkEnvelope(a *answer) {
	f.Helper()
	dec := json.NewDecoder(strings.NewReader(a.body))
	var keys []string
	_, err := dec.Token()
	for err == nil && dec.More() {
		var key json.Token
		if key, err = dec.Token(); err != nil {
			break
		}
		name, _ := key.(string)
		keys = append(keys, name)
		var v json.RawMessage
		if err = dec.Decode(&v); err != nil {
			break
		}
		switch name {
		case "code":
			err = json.Unmarshal(v, &a.code)
		case "message":
			err = json.Unmarshal(v, &a.text)
		case "data":
			a.data = v
		}
	}
	if got := strings.Join(keys, " "); err != nil || got != "code message data request-id" {
		f.Fatalf("HTTP %d is no envelope: %q (%v)", a.status, a.body, err)
	}
	if got, want := a.header.Get("Content-Type"), "application/json; charset=utf-8"; got != want {
		f.Errorf("header Content-Type is %q, want %q", got, want)
	}
	if a.header.Get("X-Request-Id") == "" {
		f.Error("no X-Request-Id")
	}
	if (a.code == 0) != (a.status == 200) || a.code != 0 && string(a.data) != "null" {
		f.Errorf("code %d with HTTP %d and data %s", a.code, a.status, a.data)
	}
}

// group is a new group of Tom's.
func (f *fixture) group() string {
	f.Helper()
	c := skein.Conversation{App: "shop", ID: skein.ID(uuid.New()), Type: skein.Group, Creator: "Tom"}
	_, _, err := f.store.CreateConversation(f.Context(), c, []skein.Member{{Client: "Tom", Role: skein.RoleOwner}}, store.MemberLimit{})
	f.must(err)
	return c.ID.String()
}

// bearer is the header with a token of a client.
func (f *fixture) bearer(client string, act ...string) string {
	f.Helper()
	g := access.Grant{Client: client, TTL: time.Hour, Actions: act}
	token, _, err := access.Mint(f.app, g, time.Now(), 0)
	f.must(err)
	return "Authorization: Bearer " + token
}

func (f *fixture) want(what string, a answer, status, code int) {
	f.Helper()
	if a.status != status || a.code != code {
		f.Errorf("%s: got HTTP %d and code %d (%s), want %d and %d", what, a.status, a.code, a.text, status, code)
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("got error %v", err)
	}
}

// noEvents ignores all events.
type noEvents struct{}

func (noEvents) RingAll(string, skein.ID, int64, int64) {}
func (noEvents) Say(skein.Committed)                    {}
func (noEvents) Tell(skein.Notice)                      {}
func (noEvents) Cut(skein.Cut)                          {}

// fakeFiles keeps files as the test says; by default it counts them.
type fakeFiles struct {
	save func(ctx context.Context, r io.Reader) (string, error)
}

func (s *fakeFiles) Save(ctx context.Context, r io.Reader, _ []string, _ int64) (string, error) {
	if s.save != nil {
		return s.save(ctx, r)
	}
	_, err := io.Copy(io.Discard, r)
	return "x.png", err
}

func (s *fakeFiles) Remove(context.Context, string) (int64, error) { return 0, nil }
