package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/store"
)

// sendBudget is how often a call of msg.send may allocate, from the request that
// net/http has read to the answer it is handed, with a store that costs nothing: who
// calls (4), the op, its request and its lists of one (22), the route, the answer's id and headers,
// where it comes from and its turn (2).
const sendBudget = 38

func TestAllocsOfACall(t *testing.T) {
	gate := access.New(access.Options{Apps: fakeStore{}, Clients: fakeStore{}})
	s := New(Options{
		Table: rows.New(rows.Deps{Chat: chat.New(chat.Options{Store: fakeStore{}, Events: noEvents{}}), Gate: gate, Zone: time.UTC}),
		Gate:  gate, Log: slog.New(slog.DiscardHandler),
	})
	const body = `{"from_client":"Tom","type":-1,"text":"hello"}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/im/conversations/01020300000000000000000000000000/message", nil)
	r.Header = http.Header{"App-Id": {"shop"}, "App-Key": {"master"}, "Content-Type": {"application/json"}}
	r.ContentLength = int64(len(body))
	text := strings.NewReader("")
	r.Body = http.NoBody
	w := &desk{header: http.Header{}}
	got := testing.AllocsPerRun(200, func() {
		clear(w.header)
		text.Reset(body)
		r.Body = bodyOf{text}
		s.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			t.Fatalf("HTTP %d", w.status)
		}
	})
	if got > sendBudget {
		t.Errorf("a call: %v allocations, the budget is %v", got, sendBudget)
	}
}

// desk takes an answer and keeps its status.
type desk struct {
	header http.Header
	status int
}

func (d *desk) Header() http.Header { return d.header }
func (d *desk) Write(b []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return len(b), nil
}
func (d *desk) WriteHeader(status int) { d.status = status }

type bodyOf struct{ *strings.Reader }

func (bodyOf) Close() error { return nil }

// fakeStore is a store that takes messages at no cost.
type fakeStore struct{ store.Store }

func (fakeStore) App(context.Context, string) (skein.App, error) {
	return skein.App{ID: "shop", Keys: []skein.AppKey{{Name: "main", Hash: access.HashKey("master")}}, Settings: skein.Settings{RESTRate: -1}}, nil
}

func (fakeStore) AppendAll(_ context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	m := drafts[0].Message
	m.Seq = 1
	return []store.Appended{{Message: m}}, nil
}
