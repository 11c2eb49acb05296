package config

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct{ args, want string }{
		"address without a port":           {"--addr localhost", `--addr: "localhost" is not HOST:PORT`},
		"port that is no number":           {"--addr :http", `--addr: ":http": the port is a number`},
		"port out of range":                {"--addr :70000", "--addr: "},
		"admin address without a port":     {"--admin-addr 9090", "--admin-addr: "},
		"a certificate without a key":      {"--tls-cert a.pem", "--tls-cert and --tls-key: one needs the other"},
		"a key without a certificate":      {"--admin-tls-key a.pem", "--admin-tls-cert and --admin-tls-key: one needs the other"},
		"a redirect to nothing":            {"--redirect-addr :80", "--redirect-addr: needs --tls-cert"},
		"a redirect without a port":        {"--redirect-addr host --tls-cert a --tls-key b", "--redirect-addr: "},
		"a collector without a scheme":     {"--otlp-endpoint collector:4318", "--otlp-endpoint: not http://"},
		"a collector with a password":      {"--otlp-endpoint http://u:secret@collector", "--otlp-endpoint: not http://"},
		"more traces than calls":           {"--otlp-endpoint http://c --trace-sample 1.5", "--trace-sample: 1.5 is not 0 to 1"},
		"a provider without an admin URL":  {"--oidc-issuer https://id.example", `--admin-url: "" is not http`},
		"a provider without a client":      {"--oidc-issuer https://id.example --admin-url https://a.example", "--oidc-client-id: missing"},
		"a provider without roles":         {"--oidc-issuer https://id.example --admin-url https://a.example --oidc-client-id x", "--oidc-roles: missing"},
		"a group without a role":           {"--oidc-issuer https://id.example --admin-url https://a.example --oidc-client-id x --oidc-roles ops", `--oidc-roles: "ops" is not GROUP=ROLE`},
		"roles without a provider":         {"--oidc-roles ops=owner", "--oidc-issuer: missing"},
		"an admin URL with a slash":        {"--oidc-issuer https://id.example --admin-url https://a.example/", "--admin-url: "},
		"admin on the public address":      {"--addr :8080 --admin-addr :8080", "--admin-addr: must not be the address of --addr"},
		"dev on every address":             {"--dev --addr :8080", "--addr: --dev serves an app that is open to all"},
		"dev on 0.0.0.0":                   {"--dev --addr 0.0.0.0:8080", `--addr: --dev serves an app that is open to all, so on loopback only: "0.0.0.0" is 0.0.0.0`},
		"dev on [::]":                      {"--dev --addr [::]:8080", "--addr: --dev serves"},
		"dev on a private network":         {"--dev --addr 192.168.1.2:8080", "--addr: --dev serves"},
		"dev with a public admin address":  {"--dev --admin-addr :9090", "--admin-addr: --dev serves"},
		"PostgreSQL without a host":        {"--database postgres:///skein", "--database: the URL names no host"},
		"PostgreSQL without a database":    {"--database postgres://u:secret@db", "--database: the URL names no database"},
		"a URL that is none":               {"--database postgres://u:sec%ret@db/skein", "--database: not a URL"},
		"another database":                 {"--database mysql://u:secret@db/skein", `--database: "mysql" is neither sqlite nor postgres`},
		"several nodes without one folder": {"--bus nats://host:4222 --database postgres://db/skein", "--uploads: several nodes need"},
		"uploads apart from the store":     {"--uploads /srv/files", "--uploads: the embedded store"},
		"a bucket for the embedded store":  {"--uploads s3://files", "--uploads: the embedded store"},
		"a bucket with credentials":        {"--database postgres://db/skein --uploads s3://key:secret@files/x", "--uploads: s3://bucket/prefix holds no credentials"},
		"a bucket of no name":              {"--database postgres://db/skein --uploads s3:///x", `--uploads: "" is not the name of a bucket`},
		"a bucket of a wrong name":         {"--database postgres://db/skein --uploads s3://Files", `--uploads: "Files" is not the name of a bucket`},
		"a prefix of odd characters":       {"--database postgres://db/skein --uploads s3://files/a%20b", "--uploads: the prefix of keys"},
		"a bucket of no region":            {"--database postgres://db/skein --uploads s3://files", "--uploads: region: "},
		"an endpoint without a scheme":     {"--database postgres://db/skein --uploads s3://files?endpoint=minio:9000", "--uploads: endpoint: "},
		"an endpoint with credentials":     {"--database postgres://db/skein --uploads s3://files?endpoint=http://key:secret@minio", "--uploads: endpoint: "},
		"an unknown style of buckets":      {"--database postgres://db/skein --uploads s3://files?region=x&style=virtual", "--uploads: style: "},
		"an unknown option of a bucket":    {"--database postgres://db/skein --uploads s3://files?region=x&token=secret", `--uploads: unknown option "token"`},
		"several nodes on one file":        {"--bus nats://host:4222", "--bus: several nodes need --database"},
		"another bus":                      {"--bus redis://host", `--bus: "redis" is not none, nats or tls`},
		"a name that is markup":            {"--node=a<b", `--node: "a<b" is not 1 to 64`},
		"a long name":                      {"--node " + strings.Repeat("n", 65), "--node: "},
		"public URL without a scheme":      {"--public-url im.example", "--public-url: "},
		"public URL of another scheme":     {"--public-url ftp://im.example", "--public-url: "},
		"public URL with a slash":          {"--public-url https://im.example/", "--public-url: "},
		"public URL with a query":          {"--public-url https://im.example?a=b", "--public-url: "},
		"public URL with a quote":          {`--public-url https://im.example/"x`, "--public-url: "},
		"proxy that is no address":         {"--trusted-proxies proxy.example", `--trusted-proxies: "proxy.example" is not an address or a CIDR`},
		"proxy of too many bits":           {"--trusted-proxies 10.0.0.0/33", "--trusted-proxies: "},
		"one of two proxies":               {"--trusted-proxies 10.0.0.1,10.0.0.x", `--trusted-proxies: "10.0.0.x"`},
		"everybody a proxy":                {"--trusted-proxies 0.0.0.0/0", `--trusted-proxies: "0.0.0.0/0" would believe everybody`},
		"everybody of IPv6 a proxy":        {"--trusted-proxies ::/0", `--trusted-proxies: "::/0" would believe everybody`},
		"a network that is a name":         {"--outbound-allow 10.0.0.0/8,lan.example", `--outbound-allow: "lan.example" is not an address or a CIDR`},
		"PROXY protocol of nobody":         {"--proxy-protocol", "--proxy-protocol: needs --trusted-proxies"},
		"body of nothing":                  {"--max-body-kib 0", "--max-body-kib: 0 is not 1 to"},
		"body beyond bounds":               {"--max-body-kib 99999", "--max-body-kib: 99999 is not 1 to"},
		"groups of nobody":                 {"--max-members 0", "--max-members: 0 is not"},
		"no conversations":                 {"--max-conversations=-1", "--max-conversations: -1 is not"},
		"no burst":                         {"--send-burst 0", "--send-burst: 0 is not"},
		"no sends":                         {"--send-rate 0", "--send-rate: 0 is not 1 to 1000000000, nor -1 for no limit"},
		"no REST":                          {"--rest-rate=-2", "--rest-rate: -2 is not"},
		"no logins":                        {"--login-rate 0", "--login-rate: 0 is not"},
		"sockets below none":               {"--sockets-per-address=-5", "--sockets-per-address: -5 is not"},
		"rate that is no number":           {"--send-rate many", "--send-rate"},
		"negative drain":                   {"--drain=-1s", "--drain: -1s is less than nothing"},
		"files that go at once":            {"--unnamed-files 0s", "--unnamed-files: 0s is less than 1s"},
		"drain without a unit":             {"--drain 10", "--drain"},
		"negative cache":                   {"--cache-mib=-1", "--cache-mib: -1 is not 0 to"},
		"unknown zone":                     {"--timezone Mars/Olympus", `--timezone: "Mars/Olympus" is no zone`},
		"no zone":                          {"--timezone=", "--timezone: "},
		"unknown level":                    {"--log-level loud", "--log-level must be one of"},
		"unknown format":                   {"--log-format xml", "--log-format must be one of"},
		"no directory":                     {"--data=", "--data: needs a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseArgs(t, append([]string{"serve"}, strings.Fields(tt.args)...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\ngot  %v\nwant … %s …", tt.args, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: the message holds a password: %v", tt.args, err)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	for name, args := range map[string]string{
		"dev as it is":           "--dev",
		"dev on another port":    "--dev --addr 127.0.0.1:0 --admin-addr 127.0.0.1:0",
		"dev on IPv6 loopback":   "--dev --addr [::1]:8080",
		"dev on mapped IPv4":     "--dev --addr [::ffff:127.0.0.1]:8080",
		"public without dev":     "--addr :8080",
		"a name":                 "--node skein-0.skein_nodes",
		"public URL and path":    "--public-url https://im.example/chat",
		"no time to drain":       "--drain 0s",
		"a zone":                 "--timezone Asia/Shanghai",
		"proxies":                "--trusted-proxies 10.0.0.0/8,192.0.2.1,::1,fd00::/8,::ffff:10.0.0.1 --proxy-protocol",
		"no limits":              "--send-rate=-1 --rest-rate=-1 --login-rate=-1 --sockets-per-address=-1",
		"empty means embedded":   "--database= --bus=",
		"sqlite and in-process":  "--database sqlite --bus in-process",
		"PostgreSQL":             "--database postgres://u:secret@db:5432/skein?sslmode=verify-full",
		"PostgreSQL by a socket": "--database postgres://u@/skein?host=/run/postgresql",
	} {
		if _, err := parseArgs(t, append([]string{"serve"}, strings.Fields(args)...)...); err != nil {
			t.Errorf("%s: %s: %v", name, args, err)
		}
	}
}

func TestMustBeLoopbackLooksNamesUp(t *testing.T) {
	lookup := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		switch host {
		case "localhost":
			return []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.1")}, nil
		case "both":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.7")}, nil
		}
		return nil, errors.New("no such host")
	}
	for addr, want := range map[string]string{
		"localhost:80": "",
		"both:80":      `"both" is 10.0.0.7`,
		"nowhere:80":   `"nowhere" cannot be looked up: no such host`,
		":80":          `":80" means every address of this machine`,
		"80":           "address 80: missing port in address",
	} {
		got := ""
		if err := mustBeLoopback(t.Context(), addr, lookup); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
}
