package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// parseHead reads the last block of headers that curl -D has written.
func parseHead(t *testing.T, head []byte) (int, http.Header) {
	t.Helper()
	blocks := bytes.Split(bytes.TrimSpace(head), []byte("\r\n\r\n"))
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(blocks[len(blocks)-1], "\r\n\r\n"...))))
	line, err := r.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		t.Fatalf("status line: %q", line)
	}
	status, err := strconv.Atoi(words[1])
	if err != nil {
		t.Fatalf("status line: %q", line)
	}
	h, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return status, http.Header(h)
}

// rawHTTP sends bytes over TCP as they stand and reads one answer.
func (s *server) rawHTTP(t *testing.T, request string) (*http.Response, []byte) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// The server may answer and close before it has read everything.
	go func() { _, _ = io.WriteString(conn, request) }()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("answer to %.80q: %v", request, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("body of the answer to %.80q: %v", request, err)
	}
	return res, body
}

// rawCall is rawHTTP that expects an envelope.
func (s *server) rawCall(t *testing.T, request string) *answer {
	t.Helper()
	res, body := s.rawHTTP(t, request)
	a, err := readEnvelope(res.StatusCode, res.Header, body)
	if err != nil {
		t.Errorf("%.80q: %v", request, err)
	}
	return a
}

// fetch is a GET of a whole URL.
func fetch(t *testing.T, link string, h headers) (*http.Response, []byte) {
	t.Helper()
	return fetchBy(t, http.MethodGet, link, h)
}

func fetchBy(t *testing.T, method, link string, h headers) (*http.Response, []byte) {
	t.Helper()
	return fetchUnder(t, method, link, "", h)
}

// fetchAs is one request to a server under a host name; empty: its own.
func fetchAs(t *testing.T, s *server, method, path, host string, h headers) (*http.Response, string) {
	t.Helper()
	res, body := fetchUnder(t, method, s.url(path), host, h)
	return res, string(body)
}

func fetchUnder(t *testing.T, method, link, host string, h headers) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.Header = host, h.http()
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}
