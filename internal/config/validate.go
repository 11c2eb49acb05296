package config

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
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
		return nil
	case "postgres", "postgresql":
		return errors.New("--database: PostgreSQL is not supported yet; leave the flag out to keep everything in --data")
	default:
		return fmt.Errorf("--database: %q is not sqlite", scheme) // the rest of a URL may hold a password
	}
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
		s.checkPublicURL(),
		s.checkDrain(),
		s.checkCache(),
		s.checkTimezone(),
	)
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

func (s Serve) checkBus() error {
	switch scheme, _, _ := strings.Cut(s.Bus, "://"); scheme {
	case "", "in-process":
		return nil
	case "nats":
		return errors.New("--bus: NATS is not supported yet; leave the flag out to run one node")
	default:
		return fmt.Errorf("--bus: %q is not in-process", scheme)
	}
}

func (s Serve) checkPublicURL() error {
	if s.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(s.PublicURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("--public-url: %q is not http://… or https://…", s.PublicURL)
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
