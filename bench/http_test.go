package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// httpSender repeats one request on a keep-alive connection, at little cost to the
// machine it shares with the server.
type httpSender struct {
	tb      testing.TB
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func (s *server) dial(request string) *httpSender {
	s.tb.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = conn.Close() })
	return &httpSender{s.tb, conn, bufio.NewReader(conn), []byte(request)}
}

func (s *server) dialREST(conv, from string) *httpSender {
	body := fmt.Sprintf(`{"from_client":%q,"type":-1,"text":%q}`, from, strings.Repeat("x", 100))
	return s.dial(fmt.Sprintf("POST /im/conversations/%s/message HTTP/1.1\r\nHost: bench\r\napp-id: 666666\r\napp-key: master\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", conv, len(body), body))
}

func (h *httpSender) send() {
	if _, err := h.conn.Write(h.request); err != nil {
		h.tb.Error(err)
		return
	}
	resp, err := http.ReadResponse(h.in, nil)
	if err != nil {
		h.tb.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		h.tb.Errorf("status %d", resp.StatusCode)
	}
}
