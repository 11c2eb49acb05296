package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

var httpClient = &http.Client{
	Timeout: 2 * patience,
	Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// headers of one request.
type headers map[string]string

// with is h and more; an empty value takes a header away.
func (h headers) with(more headers) headers {
	out := maps.Clone(h)
	if out == nil {
		out = headers{}
	}
	maps.Copy(out, more)
	return out
}

// answer is one REST answer, or one socket answer in the same words.
type answer struct {
	Status    int // HTTP; zero on a socket
	Header    http.Header
	Code      int
	Message   string
	Data      json.RawMessage
	RequestID *string
	Raw       []byte
}

// into decodes the data.
func (a *answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Data, v); err != nil {
		t.Fatalf("data: %v in %s", err, a.Raw)
	}
}

// field is one field of the data object as decoded JSON; nil when it is not there.
func (a *answer) field(name string) any {
	var m map[string]any
	_ = json.Unmarshal(a.Data, &m)
	return m[name]
}

// text is a string field of the data object.
func (a *answer) text(name string) string {
	s, _ := a.field(name).(string)
	return s
}

// number is a numeric field of the data object; -1 when it is not there.
func (a *answer) number(name string) int64 {
	f, ok := a.field(name).(float64)
	if !ok {
		return -1
	}
	return int64(f)
}

func (a *answer) String() string {
	raw := a.Raw
	if len(raw) > 600 {
		raw = append(slices.Clone(raw[:600]), "…"...)
	}
	return fmt.Sprintf("HTTP %d %s", a.Status, raw)
}

// statusOf is the published code table, with 4040 and 4050 for unknown paths and
// methods.
var statusOf = map[int][]int{
	0: {200}, 1: {500, 400}, 211: {404}, 212: {400}, 213: {403},
	4001: {400}, 4002: {400}, 4003: {401}, 4004: {403},
	4011: {404}, 4012: {404}, 4013: {409}, 4015: {422}, 4016: {422}, 4040: {404}, 4050: {405},
	4130: {413}, 4290: {429}, 4405: {400}, 4406: {400, 415}, 4601: {415}, 5030: {503},
}

// textOf begins the message of each code.
var textOf = map[int]string{
	0: "ok", 1: "Internal server error. No information available",
	211: "未知用户", 212: "unique_id 不符合要求", 213: "账号封禁",
	4001: "参数缺失", 4002: "头信息缺失", 4003: "认证失败", 4004: "无权操作",
	4011: "未知会话", 4012: "未知消息", 4013: "冲突", 4015: "内容被拒绝", 4016: "应用拒绝", 4130: "请求过大",
	4290: "请求过于频繁", 4405: "错误的会话类型", 4406: "错误的参数格式",
	4601: "错误的文件格式", 5030: "服务不可用",
}

// leaks are words of the machinery that no answer may hold.
var leaks = regexp.MustCompile(`(?i)goroutine|panic|\.go\b|sqlite|\bsql\b|syntax error|no such (column|table)|near "|/work/|/tmp/|/root/|/home/|runtime error|unmarshal|strconv|jsontext|encoding/|net/http|\bgo1\.|nil pointer|\bGo (struct|value|type)|multipart:|constraint|internal/|skein-im`)

// try makes one request. It reports an answer that has not the documented form, which is an error
// for every request.
func (s *server) try(method, path string, h headers, body any) (*answer, error) {
	if text, ok := body.(string); ok {
		body = []byte(text)
	}
	req, err := testclient.App{Addr: s.Addr}.NewRequest(context.Background(), method, path, body)
	if err != nil {
		return nil, err
	}
	var sent []byte // nil where it is a stream
	if _, stream := body.(io.Reader); stream {
		req.Header.Del("Content-Type")
	} else if req.GetBody != nil {
		again, _ := req.GetBody() // a bytes.Reader
		sent, _ = io.ReadAll(again)
	}
	for k, v := range h {
		switch {
		case v == "":
			req.Header.Del(k)
		case http.CanonicalHeaderKey(k) == "Request_id":
			req.Header[k] = []string{v}
		default:
			req.Header.Set(k, v)
		}
	}
	got, err := testclient.Do(httpClient, req)
	if got == nil {
		return nil, err
	}
	s.calls.Add(1)
	a, err := readEnvelope(got.Status, got.Header, got.Raw)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	contract.rest(req, sent, a)
	return a, nil
}

// readEnvelope checks what every answer has: the four keys in their order, a
// status that says the same as the code, the text of the code, nothing leaked.
func readEnvelope(status int, h http.Header, raw []byte) (*answer, error) {
	a := &answer{Status: status, Header: h, Raw: raw}
	keys, err := objectKeys(raw)
	if err != nil {
		return a, fmt.Errorf("no envelope: %w in %s", err, a)
	}
	if want := []string{"code", "message", "data", "request-id"}; !slices.Equal(keys, want) {
		return a, fmt.Errorf("keys of the envelope: got %v, want %v in %s", keys, want, a)
	}
	var env struct {
		Code      *int            `json:"code"`
		Message   *string         `json:"message"`
		Data      json.RawMessage `json:"data"`
		RequestID *string         `json:"request-id"`
	}
	if err := json.Unmarshal(raw, &env); err != nil {
		return a, fmt.Errorf("types of the envelope: %w in %s", err, a)
	}
	if env.Code == nil || env.Message == nil {
		return a, fmt.Errorf("no code or no message in %s", a)
	}
	a.Code, a.Message, a.Data, a.RequestID = *env.Code, *env.Message, env.Data, env.RequestID
	var wrong []string
	if allowed, known := statusOf[a.Code]; !known {
		wrong = append(wrong, "a code that is not in the table")
	} else if !slices.Contains(allowed, status) {
		wrong = append(wrong, fmt.Sprintf("HTTP status %d beside code %d, want one of %v", status, a.Code, allowed))
	}
	if status == http.StatusInternalServerError {
		wrong = append(wrong, "an internal error")
	}
	if text, ok := textOf[a.Code]; ok && !strings.HasPrefix(a.Message, text) && !isASCII(a.Message) {
		wrong = append(wrong, fmt.Sprintf("message of code %d does not begin with %q", a.Code, text))
	}
	if a.Code != 0 && string(a.Data) != "null" {
		wrong = append(wrong, "an error with data")
	}
	if !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		wrong = append(wrong, fmt.Sprintf("Content-Type %q", h.Get("Content-Type")))
	}
	if h.Get("X-Request-Id") == "" {
		wrong = append(wrong, "no X-Request-Id")
	}
	if status == 429 || status == 503 {
		if _, err := strconv.Atoi(h.Get("Retry-After")); err != nil {
			wrong = append(wrong, "no Retry-After in seconds")
		}
	}
	if a.Code != 0 {
		if leak := leaks.FindString(a.Message); leak != "" {
			wrong = append(wrong, fmt.Sprintf("%q leaks", leak))
		}
	}
	if wrong != nil {
		return a, fmt.Errorf("%s in %s", strings.Join(wrong, "; "), a)
	}
	return a, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

// objectKeys are the keys of a JSON object in their order.
func objectKeys(raw []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var keys []string
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, k.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// once makes one request. A faulty envelope fails the test.
func (s *server) once(t *testing.T, method, path string, h headers, body any) *answer {
	t.Helper()
	a, err := s.try(method, path, h, body)
	if a == nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if err != nil {
		t.Error(err)
	}
	return a
}

// call is once, again after a 4290, since the tests of other matters are not to
// fail over a rate.
func (s *server) call(t *testing.T, method, path string, h headers, body any) *answer {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if again, ok := body.(io.Seeker); ok {
			_, _ = again.Seek(0, io.SeekStart) // a bytes.Reader
		}
		a := s.once(t, method, path, h, body)
		if a.Code != 4290 || time.Now().After(deadline) {
			return a
		}
	}
}

// want holds the code of an answer.
func (a *answer) want(t *testing.T, what string, codes ...int) *answer {
	t.Helper()
	if !slices.Contains(codes, a.Code) {
		t.Fatalf("%s: got %s, want code %v", what, a, codes)
	}
	return a
}

// kind is the JSON type of a decoded value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64, json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	default:
		return fmt.Sprintf("%T", v)
	}
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}
