package config

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Validate says which flag cannot work and why. Kong calls it when it parses.
func (s Store) Validate() error {
	if s.Data == "" {
		return errors.New("--data: needs a directory")
	}
	switch scheme, _, _ := strings.Cut(s.Database, "://"); scheme {
	case "", "sqlite":
		if s.Uploads != "" {
			return errors.New("--uploads: the embedded store keeps its uploads in --data")
		}
		return nil
	case "postgres", "postgresql":
		_, _, err := BucketOf(s.Uploads)
		return errors.Join(s.checkPostgres(), err)
	default:
		return fmt.Errorf("--database: %q is neither sqlite nor postgres", scheme) // the rest of a URL may hold a password
	}
}

// embedded reports whether the store is the one in --data.
func (s Store) embedded() bool {
	scheme, _, _ := strings.Cut(s.Database, "://")
	return scheme == "" || scheme == "sqlite"
}

// checkPostgres refuses a URL that names no database. No error shows the URL, which may hold
// a password.
func (s Store) checkPostgres() error {
	u, err := url.Parse(s.Database)
	switch {
	case err != nil:
		return errors.New("--database: not a URL such as postgres://user:password@host:5432/skein")
	case u.Host == "" && u.Query().Get("host") == "":
		return errors.New("--database: the URL names no host")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("--database: the URL names no database, such as /skein at its end")
	}
	return nil
}

// OnPostgres reports whether the store is on PostgreSQL.
func (s Store) OnPostgres() bool {
	scheme, _, _ := strings.Cut(s.Database, "://")
	return scheme == "postgres" || scheme == "postgresql"
}

// NeedsSQLite refuses a command that works on the files of the embedded store alone. instead
// says what to do on PostgreSQL.
func (s Store) NeedsSQLite(instead string) error {
	if s.OnPostgres() {
		return fmt.Errorf("--database: this command is for the embedded store; on PostgreSQL %s", instead)
	}
	return nil
}

// lookupLimit is how long Validate waits for a host name's addresses.
const lookupLimit = 5 * time.Second

// Validate says which flag cannot work and why. Kong calls it when it parses.
func (s Serve) Validate() error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	return errors.Join(
		s.Store.Validate(),
		s.checkAddresses(ctx),
		s.checkBus(),
		s.checkNode(),
		s.checkPublicURL(),
		s.checkDrain(),
		s.checkPatience(),
		s.checkUnnamedFiles(),
		s.checkCache(),
		s.Edge.check(),
		s.TLS.check(),
		s.Traces.check(),
		s.OIDC.check(),
		s.checkTimezone(),
		s.checkProxies(),
		s.CheckOutbound(),
		s.Limits.check(),
	)
}

func (s Serve) checkProxies() error {
	for _, text := range s.TrustedProxies {
		p, err := parseNetwork(text)
		switch {
		case err != nil:
			return fmt.Errorf("--trusted-proxies: %q is not an address or a CIDR such as 10.0.0.0/8", text)
		case p.Bits() == 0:
			return fmt.Errorf("--trusted-proxies: %q would believe everybody; name the proxies", text)
		}
	}
	if s.ProxyProtocol && len(s.TrustedProxies) == 0 {
		return errors.New("--proxy-protocol: needs --trusted-proxies: nobody else is believed")
	}
	return nil
}

// CheckOutbound checks the networks.
func (c Calls) CheckOutbound() error {
	for _, text := range c.OutboundAllow {
		if _, err := parseNetwork(text); err != nil {
			return fmt.Errorf("--outbound-allow: %q is not an address or a CIDR such as 10.0.0.0/8", text)
		}
	}
	return nil
}

// mostCounted bounds the limits that count things; it is above what a machine holds.
const mostCounted = 1_000_000_000

func (l Limits) check() error {
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{
		{"--max-body-kib", l.MaxBodyKiB, 1, 16 << 10},
		{"--max-members", l.MaxMembers, 1, mostCounted},
		{"--max-conversations", l.MaxConversations, 1, mostCounted},
		{"--send-burst", l.SendBurst, 1, mostCounted},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("%s: %d is not %d to %d", n.flag, n.value, n.least, n.most)
		}
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"--send-rate", l.SendRate}, {"--rest-rate", l.RESTRate}, {"--login-rate", l.LoginRate}} {
		if n.value != -1 && (n.value < 1 || n.value > mostCounted) {
			return fmt.Errorf("%s: %d is not 1 to %d, nor -1 for no limit", n.flag, n.value, mostCounted)
		}
	}
	if l.SocketsPerAddress < -1 || l.SocketsPerAddress > mostCounted {
		return fmt.Errorf("--sockets-per-address: %d is not 0 to %d, nor -1 for no limit", l.SocketsPerAddress, mostCounted)
	}
	return nil
}

func (s Serve) checkAddresses(ctx context.Context) error {
	for _, a := range []struct{ flag, addr string }{{"--addr", s.Addr}, {"--admin-addr", s.AdminAddr}} {
		if err := checkAddress(a.addr); err != nil {
			return fmt.Errorf("%s: %w", a.flag, err)
		}
		if !s.Dev {
			continue
		}
		if err := mustBeLoopback(ctx, a.addr, net.DefaultResolver.LookupNetIP); err != nil {
			return fmt.Errorf("%s: --dev serves an app that is open to all, so on loopback only: %w", a.flag, err)
		}
	}
	if s.Addr == s.AdminAddr && !strings.HasSuffix(s.Addr, ":0") {
		return errors.New("--admin-addr: must not be the address of --addr, which is public")
	}
	if s.RedirectAddr != "" && s.Dev {
		if err := mustBeLoopback(ctx, s.RedirectAddr, net.DefaultResolver.LookupNetIP); err != nil {
			return fmt.Errorf("--redirect-addr: on loopback only with --dev: %w", err)
		}
	}
	return nil
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: the port is a number from 0 to 65535", addr)
	}
	return nil
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

// checkNode accepts what may be the name of a host or of a pod.
func (s Serve) checkNode() error {
	if !nodeName.MatchString(s.Node) {
		return fmt.Errorf("--node: %q is not 1 to 64 letters, digits, dots, dashes and underscores", s.Node)
	}
	return nil
}

func (s Serve) checkPublicURL() error {
	if s.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(s.PublicURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("--public-url: %q is not http://… or https://…", s.PublicURL)
	case strings.ContainsAny(s.PublicURL, " \"<>\\^`{|}"):
		return fmt.Errorf("--public-url: %q holds characters that a link cannot", s.PublicURL)
	case u.RawQuery != "", u.Fragment != "", u.User != nil, strings.HasSuffix(s.PublicURL, "/"):
		return fmt.Errorf("--public-url: %q is a prefix: no user, query, fragment or slash at the end", s.PublicURL)
	}
	return nil
}

func (s Serve) checkDrain() error {
	if s.Drain < 0 {
		return fmt.Errorf("--drain: %v is less than nothing", s.Drain)
	}
	return nil
}

func (s Serve) checkPatience() error {
	if s.Patience < time.Second {
		return fmt.Errorf("--patience: %v is less than 1s", s.Patience)
	}
	return nil
}

func (s Serve) checkUnnamedFiles() error {
	if s.UnnamedFiles < time.Second {
		return fmt.Errorf("--unnamed-files: %v is less than 1s", s.UnnamedFiles)
	}
	return nil
}

func (s Serve) checkCache() error {
	const most = 1 << 20 // a tebibyte
	if s.CacheMiB < 0 || s.CacheMiB > most {
		return fmt.Errorf("--cache-mib: %d is not 0 to %d", s.CacheMiB, most)
	}
	return nil
}

func (s Serve) checkTimezone() error {
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "" {
		return fmt.Errorf("--timezone: %q is no zone of the IANA database, such as Asia/Shanghai", s.Timezone)
	}
	return nil
}
