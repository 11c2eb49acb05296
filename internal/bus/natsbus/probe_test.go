package natsbus

import (
	"crypto/tls"
	"net"
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
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if tt.token != "" {
					encrypted, err := routeTLS(tt.token)
					if err != nil {
						t.Error(err)
						return
					}
					conn = tls.Server(conn, encrypted)
				}
				_, _ = conn.Write([]byte(tt.says)) // the probe may have heard enough
			}()
			_, err = ProbePeer(t.Context(), l.Addr().String(), token)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			_ = l.Close()
			<-served
		})
	}
}
