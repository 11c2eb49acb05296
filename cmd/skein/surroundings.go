package main

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/rest/httpx"
)

// limitsOf are the limits of the installation as an app has them.
func limitsOf(l config.Limits) skein.Settings {
	return skein.Settings{
		MaxMembers: l.MaxMembers, MaxConversations: l.MaxConversations,
		SendRate: l.SendRate, SendBurst: l.SendBurst, RESTRate: l.RESTRate, LoginRate: l.LoginRate,
	}
}

// maxBody is the largest frame or body in bytes.
func (s *server) maxBody() int64 { return int64(s.config.MaxBodyKiB) << 10 }

// socketsPerAddress is unlimited in --dev unless it was said: a laptop's load
// generator has one address.
func (s *server) socketsPerAddress() int {
	if s.config.Dev && s.config.SocketsPerAddress == 0 {
		return -1
	}
	return s.config.SocketsPerAddress
}

// demoOnly keeps the demo of --dev, which trusts everyone on this machine, from
// everyone else: from a proxy that makes it public, and from a page of another site
// whose host name was made to lead here. Probes are let through.
func (s *server) demoOnly(next http.Handler) http.Handler {
	if !s.config.Dev || s.config.AllowOpenApps {
		return next
	}
	warned := rate.Sometimes{First: 1, Interval: time.Minute}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if probe || !s.trust.From(r).Proxied {
			next.ServeHTTP(w, r)
			return
		}
		warned.Do(func() {
			s.log.Warn("a call from beyond this machine to the demo of --dev was refused; start with --allow-open-apps to serve it to everybody",
				slog.String("path", r.URL.Path))
		})
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Detail: "--dev serves this machine alone, under a loopback host such as " +
			"127.0.0.1 or localhost and not through a proxy: start the server with --allow-open-apps to serve the demo to everybody"})
	})
}

// logSurroundings says at the start whom the server believes.
func (s *server) logSurroundings() {
	c := s.config
	if len(c.TrustedProxies) > 0 {
		var proxies []string
		for _, p := range c.Proxies() {
			proxies = append(proxies, p.String())
		}
		s.log.Info("trusted proxies", slog.String("addresses", strings.Join(proxies, ",")), slog.Bool("proxy_protocol", c.ProxyProtocol))
	}
	if c.PublicURL == "" && len(c.TrustedProxies) == 0 && !c.Dev {
		s.log.Info("links of uploads carry the address of the listener; set --public-url where clients use another")
	}
}
