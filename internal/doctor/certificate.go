package doctor

import (
	"fmt"
	"os"
	"time"

	"github.com/skein-im/skein/internal/certs"
	"github.com/skein-im/skein/internal/config"
)

// soon is how long before its end a certificate should have been renewed.
const soon = 14 * 24 * time.Hour

// certificates checks the certificates of the addresses that speak TLS.
func (e *examination) certificates(c config.Serve, now time.Time) {
	for _, of := range []struct{ flag, cert, key string }{
		{"--tls-cert", c.TLSCert, c.TLSKey}, {"--admin-tls-cert", c.AdminTLSCert, c.AdminTLSKey},
	} {
		if of.cert == "" || of.key == "" {
			continue
		}
		check := "certificate " + of.flag
		leaf, err := certs.Load(of.cert, of.key)
		if err != nil {
			e.add(check, Fail, err.Error(), "give "+of.flag+" a certificate and the key that belongs to it, which the server's user can read")
			continue
		}
		saw := fmt.Sprintf("for %v, until %s", leaf.DNSNames, leaf.NotAfter.UTC().Format(time.RFC3339))
		level := OK
		switch {
		case !now.Before(leaf.NotAfter), now.Before(leaf.NotBefore):
			level = Fail
		case now.After(leaf.NotAfter.Add(-soon)):
			level = Warn
		}
		e.add(check, level, saw, "renew it: clients refuse a certificate that is over or not yet valid. A running server reads the new files by itself")
		if info, err := os.Stat(of.key); err == nil {
			e.judge("key of "+of.flag, info.Mode().Perm()&0o007 == 0, Warn, info.Mode().Perm().String(), "chmod o= it: other users of this machine can read the key")
		}
	}
}
