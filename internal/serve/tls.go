package serve

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/skein-im/skein/internal/certs"
	"github.com/skein-im/skein/internal/clock"
	"github.com/skein-im/skein/internal/rest/httpx"
)

// openCertificates reads the certificates of the addresses that speak TLS.
func (s *Server) openCertificates() error {
	for _, of := range []struct {
		endpoint               *endpointServer
		cert, key, flag, label string
	}{
		{&s.public, s.config.TLSCert, s.config.TLSKey, "--tls-cert", "public"},
		{&s.admin, s.config.AdminTLSCert, s.config.AdminTLSKey, "--admin-tls-cert", "admin"},
	} {
		if of.cert == "" {
			continue
		}
		files, err := certs.Open(certs.Options{
			Cert: of.cert, Key: of.key, Listener: of.label, Now: clock.Now, Log: s.log, Registerer: s.registry,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", of.flag, err)
		}
		of.endpoint.certs = files
		of.endpoint.http.TLSConfig = files.Config()
	}
	return nil
}

// followCertificates serves new certificates as their files change, and at SIGHUP, until ctx ends.
// Without certificates SIGHUP ends the process, as the system has it.
func (s *Server) followCertificates(ctx context.Context) {
	var all sync.WaitGroup
	for _, e := range []*endpointServer{&s.public, &s.admin} {
		if e.certs == nil {
			continue
		}
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		all.Go(func() { e.certs.Follow(ctx, hangup) })
	}
	all.Wait()
}

// listenRedirect opens the address that redirects to the public one.
func (s *Server) listenRedirect(ctx context.Context) (err error) {
	if s.config.RedirectAddr == "" {
		return nil
	}
	var lc net.ListenConfig
	if s.redirect.listener, err = lc.Listen(ctx, "tcp", s.config.RedirectAddr); err != nil {
		return fmt.Errorf("--redirect-addr: %w", err)
	}
	_, port, err := net.SplitHostPort(s.public.listener.Addr().String())
	if err != nil {
		return err
	}
	base := ""
	if strings.HasPrefix(s.config.PublicURL, "https://") {
		base = s.config.PublicURL
	}
	s.redirect.http = newHTTPServer(httpx.Secured(httpx.RedirectToTLS(base, port), false), s.log)
	s.redirect.guard = s.public.guard
	s.redirect.http.ConnState = s.redirect.guard.State
	return nil
}
