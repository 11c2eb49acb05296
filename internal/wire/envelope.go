package wire

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// maxRequestID bounds the request-id that is echoed, in bytes.
const maxRequestID = 128

// AppendEnvelope appends the REST answer, its four keys in the documented order.
// data is JSON; nil is null. An empty requestID is null.
func AppendEnvelope(dst []byte, code int, message string, data []byte, requestID string) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"message":`...)
	dst = appendQuote(dst, message)
	dst = append(dst, `,"data":`...)
	dst = appendRaw(dst, data)
	dst = append(dst, `,"request-id":`...)
	if requestID == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendQuote(dst, requestID)
	}
	return append(dst, '}')
}

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
	if wait := RetryAfter(err); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	c := CodeOf(err)
	write(w, r, c.Status, c.Code, Text(err, LangOf(r.Header.Get("Accept-Language"))), nil)
}

func write(w http.ResponseWriter, r *http.Request, status, code int, message string, data []byte) {
	EnsureRequestID(w, r)
	buf := GetBuffer()
	defer PutBuffer(buf)
	*buf = AppendEnvelope((*buf)[:0], code, message, data, RequestID(r.Header))
	*buf = append(*buf, '\n') // a terminal's next prompt begins a line
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(*buf))}
	h["X-Content-Type-Options"] = noSniff
	w.WriteHeader(status)
	_, _ = w.Write(*buf) // the caller is gone: nobody is left to tell
}

// Shared header values; net/http only reads them.
var (
	jsonType = []string{"application/json; charset=utf-8"}
	noSniff  = []string{"nosniff"}
)

func appendRaw(dst, data []byte) []byte {
	if data == nil {
		return append(dst, "null"...)
	}
	return append(dst, data...)
}

// appendQuote appends s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendQuote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error only reports the replacement
	return dst
}
