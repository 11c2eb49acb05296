package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Bus is what carries events between nodes, read from --bus.
type Bus struct {
	Servers        []string // of NATS, as nats:// or tls:// and host:port; empty: Listen, or one node alone
	User, Password string   // empty: none; a user without a password is a token
	Prefix         string   // of all subjects; empty: the default

	Listen string   // the NATS server in this process: host:port for those of other nodes
	Peers  []string // host:port of those
	Token  string   // which they show each other
}

// Several reports whether there may be other nodes.
func (b Bus) Several() bool { return len(b.Servers) != 0 || b.Listen != "" }

// SeveralNodes reports whether --bus names other nodes; false if Validate would refuse it.
func (s Serve) SeveralNodes() bool {
	b, err := s.BusOf()
	return err == nil && b.Several()
}

// leastToken is the least length of the token of embedded servers.
const leastToken = 16

// BusOf reads --bus. Its errors name no credentials.
func (s Serve) BusOf() (b Bus, err error) {
	scheme, rest, _ := strings.Cut(s.Bus, "://")
	switch scheme {
	case "", "none", "in-process":
		return b, nil
	case "nats", "tls":
	default:
		return b, fmt.Errorf("--bus: %q is not none, nats or tls", scheme)
	}
	hosts, query, _ := strings.Cut(rest, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return b, errors.New("--bus: what follows the question mark cannot be read")
	}
	if scheme == "nats" && hosts == "embedded" {
		return embeddedBus(options)
	}
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		user, password, _ := strings.Cut(hosts[:at], ":")
		if b.User, err = url.PathUnescape(user); err == nil {
			b.Password, err = url.PathUnescape(password)
		}
		if err != nil || b.User == "" {
			return Bus{}, errors.New("--bus: user and password cannot be read; escape special characters as in every URL")
		}
		hosts = hosts[at+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil && !strings.Contains(host, ":") {
			host += ":4222"
		}
		if err := checkPeer(host); err != nil {
			return Bus{}, fmt.Errorf("--bus: %w", err)
		}
		b.Servers = append(b.Servers, scheme+"://"+host)
	}
	b.Prefix = options.Get("prefix")
	if strings.ContainsAny(b.Prefix, " .*>\t") {
		return Bus{}, errors.New("--bus: prefix: holds characters that a NATS subject cannot")
	}
	return b, unknownOption(options, "prefix")
}

// embeddedBus reads nats://embedded?….
func embeddedBus(options url.Values) (b Bus, err error) {
	b.Listen, b.Token = options.Get("listen"), options.Get("token")
	if err := checkPeer(b.Listen); err != nil && !strings.HasPrefix(b.Listen, ":") {
		return Bus{}, fmt.Errorf("--bus: listen: %w", err)
	}
	if len(b.Token) < leastToken {
		return Bus{}, fmt.Errorf("--bus: token: at least %d characters, the same on all nodes", leastToken)
	}
	for _, list := range options["peers"] {
		for peer := range strings.SplitSeq(list, ",") {
			if err := checkPeer(peer); err != nil {
				return Bus{}, fmt.Errorf("--bus: peers: %w", err)
			}
			b.Peers = append(b.Peers, peer)
		}
	}
	return b, unknownOption(options, "listen", "token", "peers")
}

// checkPeer wants host:port with a port that can be connected to.
func checkPeer(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "0" {
		return fmt.Errorf("%q is not HOST:PORT", addr)
	}
	return checkAddress(addr)
}

func unknownOption(options url.Values, known ...string) error {
	for name := range options {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--bus: unknown option %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// checkBus says which bus cannot work and why.
func (s Serve) checkBus() error {
	b, err := s.BusOf()
	switch {
	case err != nil || !b.Several():
		return err
	case s.embedded():
		return errors.New("--bus: several nodes need --database: the embedded store in --data belongs to one process")
	case s.Uploads == "":
		return errors.New("--uploads: several nodes need a directory that all of them reach, or s3://bucket")
	}
	return nil
}
