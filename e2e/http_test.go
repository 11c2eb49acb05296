package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Odd ways to say a request, by raw bytes.
func TestHTTPOddities(t *testing.T) {
	t.Parallel()
	a := dev(t)
	credential := "app-key: master\r\nConnection: close\r\n"
	head := "Host: localhost\r\nIM-APP-ID: 666666\r\n" + credential
	body := func(s string) string {
		return fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(s), s)
	}
	fresh := unique("over")
	for name, tt := range map[string]struct {
		request string
		codes   []int
	}{
		"two app ids in one header name": {"GET /im/users HTTP/1.1\r\nHost: localhost\r\nIM-APP-ID: 666666\r\nIM-APP-ID: other\r\n" + credential + "\r\n", is(4406)},
		"two keys that differ":           {"GET /im/users HTTP/1.1\r\nHost: localhost\r\nIM-APP-ID: 666666\r\napp-key: wrong\r\n" + credential + "\r\n", is(4003, 4406)},
		"a key that is wrong, second":    {"GET /im/users HTTP/1.1\r\nHost: localhost\r\nIM-APP-ID: 666666\r\n" + credential + "app-key: wrong\r\n\r\n", is(4003, 4406)},
		"a method overridden":            {"POST /im/users/1111 HTTP/1.1\r\n" + head + "X-HTTP-Method-Override: DELETE\r\n" + body(`{}`), is(4050)},
		"HTTP/1.0":                       {"GET /im/users HTTP/1.0\r\n" + head + "\r\n", is(0)},
		"a whole URL":                    {"GET http://localhost/im/users HTTP/1.1\r\n" + head + "\r\n", is(0)},
		"a whole URL of another host":    {"GET http://evil.example/im/users HTTP/1.1\r\n" + head + "\r\n", is(4004)},
		"Expect":                         {"POST /im/users HTTP/1.1\r\n" + head + "Expect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", is(4406)},
		"a body with DELETE":             {"DELETE /im/users/nobody9 HTTP/1.1\r\n" + head + body(`{}`), is(211)},
		"an escaped slash in an id":      {"GET /im/users/a%2Fb HTTP/1.1\r\n" + head + "\r\n", is(211, 212, 4040)},
		"an escaped path":                {"GET /%69m/users HTTP/1.1\r\n" + head + "\r\n", is(0, 4040)},
		"a semicolon in the query":       {"GET /im/users?page=1;size=1 HTTP/1.1\r\n" + head + "\r\n", is(0, 4406)},
		"a query that is not escaped":    {"GET /im/users?page=%zz HTTP/1.1\r\n" + head + "\r\n", is(0, 4406)},
		"page twice":                     {"GET /im/users?page=1&page=2 HTTP/1.1\r\n" + head + "\r\n", is(0, 4406)},
		"POST without body or where":     {"POST /im/conversations HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n", is(4001)},
		"a user of a chunked body":       {"POST /im/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n{\"client_id\":\"%s\"}\r\n0\r\n\r\n", len(fresh)+16, fresh), is(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := tt.request
			if strings.HasPrefix(name, "Expect") {
				res, raw := a.s.rawHTTP(t, request)
				if res.StatusCode == http.StatusContinue {
					return // asked for the body: ReadResponse stops at the interim answer
				}
				if _, err := readEnvelope(res.StatusCode, res.Header, raw); err != nil {
					t.Error(err)
				}
				return
			}
			a.s.rawCall(t, request).want(t, name, tt.codes...)
		})
	}
	if got := a.call(t, "GET", userPath("1111"), nil); got.Code != 0 {
		t.Errorf("client 1111 after an overridden method: got %s", got)
	}
}

// A connection whose request was refused for its body is not used to smuggle the
// rest as another request.
func TestRestOfARefusedBodyIsNoRequest(t *testing.T) {
	t.Parallel()
	a := dev(t)
	victim := a.user(t, "victim")
	conn, err := net.DialTimeout("tcp", a.s.Addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	smuggled := "DELETE /im/users/" + victim + " HTTP/1.1\r\nHost: localhost\r\nIM-APP-ID: 666666\r\napp-key: master\r\n\r\n"
	padding := long(300 << 10)
	go func() {
		_, _ = io.WriteString(conn, fmt.Sprintf("POST /im/users HTTP/1.1\r\nHost: localhost\r\nIM-APP-ID: 666666\r\napp-key: master\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s%s",
			len(padding)+len(smuggled), padding, smuggled))
	}()
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(res.Body)
	got, err := readEnvelope(res.StatusCode, res.Header, raw)
	if err != nil {
		t.Error(err)
	}
	got.want(t, "a body of 300 KiB", 4130)
	a.must(t, "GET", userPath(victim), nil)
}

// The demo page is there in --dev alone.
func TestPageIsForDevAlone(t *testing.T) {
	t.Parallel()
	if res, body := fetch(t, devServer.get(t).url("/"), nil); res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") || len(body) == 0 {
		t.Errorf("GET / with --dev: got %s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	strictServer.get(t).call(t, "GET", "/", nil, nil).want(t, "GET / without --dev", 4040)
	strictServer.get(t).call(t, "GET", "/im/users", headers{"IM-APP-ID": "666666", "app-key": "master"}, nil).want(t, "the demo app without --dev", 4003)
}
