package config

import (
	"errors"
	"fmt"
)

// TLS are the certificates of the listeners.
type TLS struct {
	TLSCert      string `group:"settings" name:"tls-cert" placeholder:"FILE" help:"Serve --addr with TLS and HTTP/2, with this certificate: a PEM file, the certificates of its issuers after it. The server reads it again when it changes, and at SIGHUP."`
	TLSKey       string `group:"settings" name:"tls-key" placeholder:"FILE" help:"Key of --tls-cert: a PEM file."`
	AdminTLSCert string `group:"settings" name:"admin-tls-cert" placeholder:"FILE" help:"Serve --admin-addr with TLS, with this certificate; as --tls-cert."`
	AdminTLSKey  string `group:"settings" name:"admin-tls-key" placeholder:"FILE" help:"Key of --admin-tls-cert: a PEM file."`
	RedirectAddr string `group:"settings" placeholder:"HOST:PORT" help:"Address that redirects http:// to the https:// of --addr, such as :80."`
}

// check says which of the flags cannot work and why.
func (t TLS) check() error {
	for _, p := range []struct{ cert, key, prefix string }{{t.TLSCert, t.TLSKey, ""}, {t.AdminTLSCert, t.AdminTLSKey, "admin-"}} {
		if (p.cert == "") != (p.key == "") {
			return fmt.Errorf("--%stls-cert and --%stls-key: one needs the other", p.prefix, p.prefix)
		}
	}
	if t.RedirectAddr == "" {
		return nil
	}
	if t.TLSCert == "" {
		return errors.New("--redirect-addr: needs --tls-cert: there is no https:// to redirect to")
	}
	if err := checkAddress(t.RedirectAddr); err != nil {
		return fmt.Errorf("--redirect-addr: %w", err)
	}
	return nil
}
