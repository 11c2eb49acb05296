package httpx

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestRetryAfterIsInWholeSecondsAndOnlyForLater(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"a rate":                 {skein.ErrRateLimited, "1"},
		"a rate with a time":     {skein.Later(skein.ErrRateLimited, 2*time.Second), "2"},
		"a part of a second":     {skein.Later(skein.ErrRateLimited, 10*time.Millisecond), "1"},
		"a little over a second": {skein.Later(skein.ErrUnavailable, 1001*time.Millisecond), "2"},
		"unavailable":            {fmt.Errorf("x: %w", skein.ErrUnavailable), "1"},
		"forbidden has no later": {skein.ErrForbidden, ""},
		"nor has our own fault":  {errors.New("oops"), ""},
	} {
		if got := retryAfterHeader(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestTheRequestIDIsEchoedWhereItCanBe(t *testing.T) {
	for name, tt := range map[string]struct{ header, value, want string }{
		"none":           {"Accept", "x", ""},
		"request-id":     {"request-id", "7", "7"},
		"X-Request-Id":   {"X-Request-Id", "7", "7"},
		"request_id":     {"request_id", "7", "7"},
		"128 bytes":      {"request-id", strings.Repeat("a", 128), strings.Repeat("a", 128)},
		"129 bytes":      {"request-id", strings.Repeat("a", 129), ""},
		"empty":          {"request-id", "", ""},
		"not ASCII":      {"request-id", "é", ""},
		"with a control": {"request-id", "a\x01", ""},
	} {
		h := http.Header{}
		h.Set(tt.header, tt.value)
		if got := RequestID(h); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestAnswersSayTheSameInEveryPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		write   func(http.ResponseWriter, *http.Request)
		request http.Header
		status  int
		body    string
		headers map[string]string
	}{
		"data": {
			func(w http.ResponseWriter, r *http.Request) { WriteData(w, r, []byte("true")) },
			http.Header{"Request-Id": {"7"}}, 200, `{"code":0,"message":"ok","data":true,"request-id":"7"}`,
			map[string]string{"X-Request-Id": "7", "Content-Type": "application/json; charset=utf-8", "Retry-After": ""},
		},
		"an error": {
			func(w http.ResponseWriter, r *http.Request) { WriteError(w, r, skein.Missing("where")) },
			http.Header{}, 400, `{"code":4001,"message":"参数缺失: where","data":null,"request-id":null}`, nil,
		},
		"an error in English": {
			func(w http.ResponseWriter, r *http.Request) { WriteError(w, r, skein.Missing("where")) },
			http.Header{"Accept-Language": {"en"}}, 400, `{"code":4001,"message":"missing parameter: where","data":null,"request-id":null}`, nil,
		},
		"later": {
			func(w http.ResponseWriter, r *http.Request) {
				WriteError(w, r, skein.Later(skein.ErrRateLimited, 3*time.Second))
			},
			http.Header{}, 429, `{"code":4290,"message":"请求过于频繁","data":null,"request-id":null}`, map[string]string{"Retry-After": "3"},
		},
		"a secret": {
			func(w http.ResponseWriter, r *http.Request) { WriteError(w, r, errors.New("password=hunter2")) },
			http.Header{}, 500, `{"code":1,"message":"Internal server error. No information available","data":null,"request-id":null}`, nil,
		},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = tt.request
		tt.write(w, r)
		if w.Code != tt.status || w.Body.String() != tt.body+"\n" {
			t.Errorf("%s: got %d %s, want %d %s", name, w.Code, w.Body, tt.status, tt.body)
		}
		for header, want := range tt.headers {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, header, got, want)
			}
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", name)
		}
	}
}

func TestARequestIDIsMadeUpOnce(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	first := EnsureRequestID(w, r)
	if second := EnsureRequestID(w, r); first == "" || second != first {
		t.Errorf("got %q, then %q", first, second)
	}
}
