package httpx

import (
	"math"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// RetryAfter is the value of the Retry-After header in whole seconds for an error
// that says "later"; empty for the others.
func retryAfterHeader(err error) string {
	wait := wire.RetryAfter(err)
	if wait == 0 {
		return ""
	}
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

// maxRequestID bounds the request-id that is echoed, in bytes.
const maxRequestID = 128

// RequestID is the request id that the caller sent and is echoed; empty: none, or
// one that is no printable ASCII of at most 128 bytes.
func RequestID(h http.Header) string {
	for _, name := range [...]string{"Request-Id", "X-Request-Id", "Request_id"} {
		if v := h[name]; len(v) > 0 && echoable(v[0]) {
			return v[0]
		}
	}
	return ""
}

func echoable(s string) bool {
	if s == "" || len(s) > maxRequestID {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// EnsureRequestID sets the X-Request-Id header of the answer, once, to the
// caller's id or one made up, and is it.
func EnsureRequestID(w http.ResponseWriter, r *http.Request) string {
	h := w.Header()
	if v := h["X-Request-Id"]; len(v) > 0 {
		return v[0]
	}
	id := RequestID(r.Header)
	if id == "" {
		id = uuid.NewString()
	}
	h["X-Request-Id"] = []string{id}
	return id
}

// WriteData answers 200 with data, which is JSON; nil is null.
func WriteData(w http.ResponseWriter, r *http.Request, data []byte) {
	write(w, r, http.StatusOK, 0, "ok", data)
}

// WriteError answers with the code, status and text of err.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if wait := retryAfterHeader(err); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	c := wire.CodeOf(err)
	write(w, r, c.Status, c.Code, wire.Text(err, wire.LangOf(r.Header.Get("Accept-Language"))), nil)
}

func write(w http.ResponseWriter, r *http.Request, status, code int, message string, data []byte) {
	EnsureRequestID(w, r)
	buf := strict.GetBuffer()
	defer strict.PutBuffer(buf)
	*buf = wire.AppendEnvelope((*buf)[:0], code, message, data, RequestID(r.Header))
	*buf = append(*buf, '\n') // a terminal's next prompt begins a line
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(*buf))}
	w.WriteHeader(status)
	_, _ = w.Write(*buf) // the caller is gone: nobody is left to tell
}

// jsonType is shared by all answers; net/http only reads it.
var jsonType = []string{"application/json; charset=utf-8"}
