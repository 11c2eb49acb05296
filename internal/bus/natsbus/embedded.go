package natsbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// Embedded configures the NATS server in this process.
type Embedded struct {
	Listen string   // host:port where the servers of other nodes connect
	Peers  []string // host:port of theirs; its own may be among them
	Token  string   // the same on all nodes: a server refuses others, and what they send is encrypted by it
	Name   string   // of this node; unique
	Log    *slog.Logger

	Registerer prometheus.Registerer // nil: no metrics
}

// Server is a NATS server in this process, in a cluster with those of the other nodes.
type Server struct {
	server         *server.Server
	user, password string
}

// clusterName is the cluster of the embedded servers; servers of another one are refused.
const clusterName = "skein"

// routeUser is the name by which servers log in to each other.
const routeUser = "skein"

// Embed starts a server. Its cluster forms in the background, in any order of starts. The
// caller must call Close. Errors: the address is taken or wrong.
func Embed(opts Embedded) (*Server, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	host, port, err := addressOf(opts.Listen)
	if err != nil {
		return nil, err
	}
	encrypted, err := routeTLS(opts.Token)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	s := &Server{user: "node", password: rand.Text()}
	o := &server.Options{
		ServerName: opts.Name,
		// A server without a listener for clients has none for other servers either. Nobody
		// knows the password of this one.
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: s.user, Password: s.password,
		NoSigs: true, NoSystemAccount: true, MaxPayload: maxPayload,
		PingInterval: 2 * time.Second, MaxPingsOut: 2,
		Cluster: server.ClusterOpts{
			Name: clusterName, Host: host, Port: port, Username: routeUser, Password: opts.Token,
			PingInterval: 2 * time.Second, MaxPingsOut: 2,
			TLSConfig: encrypted, TLSTimeout: handshakeWait.Seconds(),
		},
	}
	for _, peer := range opts.Peers {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: peer, User: url.UserPassword(routeUser, opts.Token)})
	}
	// The server reports a port that is taken to its log alone, so the port is tried first.
	l, err := net.Listen("tcp", opts.Listen) //nolint:noctx // it does not wait
	if err != nil {
		return nil, fmt.Errorf("listen for the other nodes: %w", err)
	}
	_ = l.Close()
	if s.server, err = server.NewServer(o); err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	s.server.SetLoggerV2(serverLog{opts.Log}, false, false, false)
	s.server.Start()
	if !s.server.ReadyForConnections(readyWait) {
		s.Close()
		return nil, errors.New("embedded NATS server: it does not become ready")
	}
	if opts.Registerer != nil {
		opts.Registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "skein_bus_peers", Help: "Other nodes whose embedded NATS servers this one is connected to.",
		}, func() float64 { return float64(s.Peers()) }))
	}
	return s, nil
}

const (
	maxPayload    = 8 << 20          // above the largest event
	readyWait     = 30 * time.Second // it is a bound for machines that are busy
	handshakeWait = 10 * time.Second // so is this one; a peer that hangs is noticed by its pings
)

func addressOf(listen string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	return host, port, err
}

// Peers is how many servers of other nodes it is connected to.
func (s *Server) Peers() int { return s.server.NumRemotes() }

// inProcess are the options of a connection to this server.
func (s *Server) inProcess() []nats.Option {
	return []nats.Option{nats.InProcessServer(s.server), nats.UserInfo(s.user, s.password)}
}

// Close stops the server and waits until it has.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// serverLog writes what the server reports. Its lines name addresses, never credentials.
type serverLog struct{ log *slog.Logger }

func (l serverLog) line(level slog.Level, format string, v []any) {
	l.log.Log(context.Background(), level, "embedded NATS server", slog.String("says", fmt.Sprintf(format, v...)))
}

func (l serverLog) Noticef(format string, v ...any) { l.line(slog.LevelDebug, format, v) }
func (l serverLog) Fatalf(format string, v ...any)  { l.line(slog.LevelError, format, v) }

// Errorf takes what ends by itself, such as a peer that cannot be reached yet.
func (l serverLog) Errorf(format string, v ...any) { l.line(slog.LevelWarn, format, v) }

// Warnf leaves out that the passwords are kept in plain text (one is made at each start, and the
// other is in the settings), and that no certificate chain is checked (routeTLS compares the key).
func (l serverLog) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "Plaintext passwords") || strings.HasPrefix(format, "TLS certificate chain") {
		level = slog.LevelDebug
	}
	l.line(level, format, v)
}
func (l serverLog) Debugf(format string, v ...any) { l.line(slog.LevelDebug, format, v) }
func (l serverLog) Tracef(format string, v ...any) { l.line(slog.LevelDebug, format, v) }
