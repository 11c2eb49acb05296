package natsbus

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
)

func TestAProbeOfAPeerHearsTheServerItself(t *testing.T) {
	address := freeAddress(t)
	embedded(t, []string{address}, 0, "a-token-of-all-nodes")
	waitFor(t, "the embedded server says its version", func() bool { // a busy machine may need a second try
		version, err := ProbePeer(t.Context(), address, "a-token-of-all-nodes")
		return err == nil && version != ""
	})
}

func TestAProbeOfAPeerIsNotContentWithAnOpenPort(t *testing.T) {
	const token = "a-token-of-all-nodes"
	for name, tt := range map[string]struct{ token, says, want string }{
		"a service that does not encrypt":   {"", "220 mail.example ESMTP\r\n", "no node with this token"},
		"a node with another token":         {"another", `INFO {"version":"2.10.0","cluster":"skein"}` + "\r\n", errOtherToken.Error()},
		"another service":                   {token, "220 mail.example ESMTP\r\n", "is no NATS server"},
		"a NATS server for clients":         {token, `INFO {"version":"2.10.0"}` + "\r\n", `its cluster is ""`},
		"one that ends the connection":      {token, "", "it says nothing"},
		"one whose answer is never a line":  {token, strings.Repeat("x", maxInfo+1), "it says nothing"},
		"one whose line is not all of JSON": {token, "INFO {\r\n", "is no NATS server"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					say(t, conn, tt.token, tt.says)
				}
			}()
			waitFor(t, "the probe hears an answer in time", func() bool { // a busy machine may need a second try
				_, err = ProbePeer(t.Context(), l.Addr().String(), token)
				return !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded)
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			_ = l.Close()
			<-served
		})
	}
}

// say says something on a connection, encrypted where there is a token, and closes it.
func say(t *testing.T, conn net.Conn, token, text string) {
	defer conn.Close()
	if token != "" {
		encrypted, err := routeTLS(token)
		if err != nil {
			t.Error(err)
			return
		}
		conn = tls.Server(conn, encrypted)
	}
	_, _ = conn.Write([]byte(text)) // the probe may have heard enough
}
