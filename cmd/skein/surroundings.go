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

// limitsOf are the limits that the installation sets for every app.
func limitsOf(l config.Limits) skein.Settings {
	return skein.Settings{
		MaxMembers: l.MaxMembers, MaxConversations: l.MaxConversations,
		SendRate: l.SendRate, SendBurst: l.SendBurst, RESTRate: l.RESTRate, LoginRate: l.LoginRate,
	}
}

// maxBody is the largest frame or body, in bytes.
func (s *server) maxBody() int64 { return int64(s.config.MaxBodyKiB) << 10 }

// socketsPerAddress has no bound in --dev unless the operator set one, because a load
// generator on the same machine has one address.
func (s *server) socketsPerAddress() int {
	if s.config.Dev && s.config.SocketsPerAddress == 0 {
		return -1
	}
	return s.config.SocketsPerAddress
}

// demoOnly serves the demo of --dev only to this machine, because the demo trusts every
// caller. It refuses requests that a proxy forwards, and requests with another host name
// (DNS rebinding). It lets health probes through.
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
			s.log.Warn("refused a call from another machine to the demo of --dev; start with --allow-open-apps to serve it to everybody",
				slog.String("path", r.URL.Path))
		})
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Detail: "--dev serves this machine alone, under a loopback host such as " +
			"127.0.0.1 or localhost and not through a proxy: start the server with --allow-open-apps to serve the demo to everybody"})
	})
}

// logSurroundings logs at the start which proxies and addresses the server trusts.
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
		s.log.Info("links of uploads use the address of the listener; set --public-url if clients use another one")
	}
}
