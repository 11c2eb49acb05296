package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// grammar is a program with a server and a command beside it.
type grammar struct {
	Serve Serve `cmd:""`
	App   struct {
		Store

		ID string
	} `cmd:""`
}

// parse reads arguments as the program does.
func parseArgs(t *testing.T, args ...string) (grammar, error) {
	t.Helper()
	var g grammar
	k, err := kong.New(&g, Options()...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Parse(args)
	return g, err
}

// file is the path of a configuration file with this text.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "skein.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	g, err := parseArgs(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	want := Serve{
		Store: Store{Data: "./data", Database: "sqlite"}, Traces: Traces{TraceSample: 0.01}, OIDC: OIDC{OIDCGroupsClaim: "groups"},
		Edge: Edge{MaxConnectionsPerAddress: 512, MaxUploads: 512, MaxUnfinishedMiB: 64, MaxUnreadMiB: 256, ThumbnailMiB: 320, MinFreeMiB: -1},
		Addr: "127.0.0.1:8080", AdminAddr: "127.0.0.1:9090", Bus: "in-process",
		Drain: 10 * time.Second, Patience: 30 * time.Second, UnnamedFiles: 24 * time.Hour, CacheMiB: 128, Timezone: "UTC", Language: "zh", LogLevel: "info", LogFormat: "text",
		Limits: Limits{
			MaxBodyKiB: 256, MaxMembers: 10_000, MaxConversations: 10_000,
			SendRate: 20, SendBurst: 60, RESTRate: 500, LoginRate: 10,
		},
	}
	if !reflect.DeepEqual(g.Serve, want) {
		t.Errorf("got  %+v\nwant %+v", g.Serve, want)
	}
}

func TestPrecedence(t *testing.T) {
	for name, tt := range map[string]struct {
		flag, env, file, want string
	}{
		"nothing is the default":            {want: "10s"},
		"file":                              {file: "drain: 3s", want: "3s"},
		"environment":                       {env: "2s", want: "2s"},
		"environment beats file":            {env: "2s", file: "drain: 3s", want: "2s"},
		"an empty variable is none":         {env: "", file: "drain: 3s", want: "3s"},
		"flag beats environment":            {flag: "1s", env: "2s", want: "1s"},
		"flag beats file":                   {flag: "1s", file: "drain: 3s", want: "1s"},
		"flag beats environment beats file": {flag: "1s", env: "2s", file: "drain: 3s", want: "1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SKEIN_DRAIN", tt.env)
			args := []string{"serve"}
			if tt.flag != "" {
				args = append(args, "--drain", tt.flag)
			}
			if tt.file != "" {
				args = append(args, "--config", file(t, tt.file))
			}
			g, err := parseArgs(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Serve.Drain.String(); got != tt.want {
				t.Errorf("%+v: got %s", tt, got)
			}
		})
	}
}

// Every setting is read from each of its three places.
func TestEverySettingFromEverySource(t *testing.T) {
	values := map[string]string{
		"data": "/tmp/x", "database": "postgres://db/skein", "uploads": "/srv/files", "secret-key-file": "/secret.keys", "dev": "true", "addr": "127.0.0.1:1", "admin-addr": "127.0.0.1:2",
		"bus": "in-process", "public-url": "https://im.example", "drain": "4s", "patience": "9s", "node": "one", "cache-mib": "64", "unnamed-files": "48h", "timezone": "Asia/Shanghai",
		"max-sockets": "1", "max-connections-per-address": "2", "max-uploads": "3", "max-unfinished-mib": "4", "max-unread-mib": "5", "min-free-mib": "6", "thumbnail-mib": "7",
		"allow-open-apps": "true", "language": "en", "log-level": "debug", "log-format": "json",
		"trusted-proxies": "10.0.0.0/8,::1", "outbound-allow": "10.1.0.0/16,127.0.0.1", "proxy-protocol": "true",
		"max-body-kib": "64", "max-members": "1", "max-conversations": "2", "send-rate": "3", "send-burst": "4", "rest-rate": "5",
		"login-rate": "-1", "sockets-per-address": "7",
		"tls-cert": "/c.pem", "tls-key": "/k.pem", "admin-tls-cert": "/ac.pem", "admin-tls-key": "/ak.pem", "redirect-addr": "127.0.0.1:3",
		"otlp-endpoint": "http://collector:4318", "trace-sample": "0.5",
		"admin-url": "https://admin.example", "oidc-issuer": "https://id.example", "oidc-client-id": "skein", "oidc-client-secret": "s", "oidc-groups-claim": "roles",
		"oidc-roles": "a=owner;b=support@shop",
	}
	want := Serve{
		Store: Store{Data: "/tmp/x", Database: "postgres://db/skein", Uploads: "/srv/files", SecretKeyFile: "/secret.keys"},
		Dev:   true, Addr: "127.0.0.1:1", AdminAddr: "127.0.0.1:2",
		Bus: "in-process", PublicURL: "https://im.example", Drain: 4 * time.Second, Patience: 9 * time.Second, Node: "one", CacheMiB: 64, UnnamedFiles: 48 * time.Hour, Timezone: "Asia/Shanghai",
		TLS: TLS{TLSCert: "/c.pem", TLSKey: "/k.pem", AdminTLSCert: "/ac.pem", AdminTLSKey: "/ak.pem", RedirectAddr: "127.0.0.1:3"},
		OIDC: OIDC{
			AdminURL: "https://admin.example", OIDCIssuer: "https://id.example", OIDCClientID: "skein", OIDCClientSecret: "s", OIDCGroupsClaim: "roles",
			OIDCRoles: []string{"a=owner", "b=support@shop"},
		},
		Traces:        Traces{OTLPEndpoint: "http://collector:4318", TraceSample: 0.5},
		Edge:          Edge{MaxSockets: 1, MaxConnectionsPerAddress: 2, MaxUploads: 3, MaxUnfinishedMiB: 4, MaxUnreadMiB: 5, ThumbnailMiB: 7, MinFreeMiB: 6},
		AllowOpenApps: true, Language: "en", LogLevel: "debug", LogFormat: "json",
		TrustedProxies: []string{"10.0.0.0/8", "::1"}, Calls: Calls{OutboundAllow: []string{"10.1.0.0/16", "127.0.0.1"}}, ProxyProtocol: true,
		Limits: Limits{
			MaxBodyKiB: 64, MaxMembers: 1, MaxConversations: 2, SendRate: 3, SendBurst: 4, RESTRate: 5, LoginRate: -1, SocketsPerAddress: 7,
		},
	}
	for name := range settingNames(t) {
		if _, ok := values[name]; !ok && name != "config" {
			t.Errorf("setting %q is not tried here", name)
		}
	}

	t.Run("flags", func(t *testing.T) {
		args := []string{"serve"}
		for name, value := range values {
			args = append(args, "--"+name+"="+value)
		}
		expect(t, want, args...)
	})
	t.Run("environment", func(t *testing.T) {
		for name, value := range values {
			t.Setenv(EnvName(name), value)
		}
		expect(t, want, "serve")
	})
	t.Run("file", func(t *testing.T) {
		var text strings.Builder
		for name, value := range values {
			text.WriteString(name + ": " + value + "\n")
		}
		path := file(t, text.String())
		withFile := want
		withFile.Config = path
		expect(t, withFile, "serve", "--config", path)

		t.Setenv("SKEIN_CONFIG", path)
		expect(t, withFile, "serve")
	})
}

func settingNames(t *testing.T) map[string]bool {
	t.Helper()
	k, err := kong.New(&grammar{}, Options()...)
	if err != nil {
		t.Fatal(err)
	}
	return settings(k.Model)
}

func expect(t *testing.T, want Serve, args ...string) {
	t.Helper()
	g, err := parseArgs(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if !reflect.DeepEqual(g.Serve, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", args, g.Serve, want)
	}
}

func TestOneFileServesAllCommands(t *testing.T) {
	g, err := parseArgs(t, "app", "--id", "shop", "--config", file(t, "data: /srv/skein\naddr: :80\n"))
	if err != nil {
		t.Fatal(err)
	}
	if g.App.Data != "/srv/skein" || g.App.ID != "shop" {
		t.Errorf("got %+v", g.App)
	}
}

func TestOnlySettingsComeFromElsewhere(t *testing.T) {
	t.Setenv("SKEIN_ID", "shop")
	g, err := parseArgs(t, "app")
	if err != nil {
		t.Fatal(err)
	}
	if g.App.ID != "" {
		t.Errorf("--id came from the environment: %q", g.App.ID)
	}
}

func TestBadFile(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"unknown key":                {"data: x\naddrs: y\n", `line 2: unknown key "addrs"; known are addr, admin-addr, `},
		"key of another kind":        {"id: x\n", `line 1: unknown key "id"`},
		"key in other case":          {"Addr: x\n", `line 1: unknown key "Addr"`},
		"twice":                      {"addr: :1\n\naddr: :2\n", "line 3: addr: stands here a second time"},
		"a list":                     {"addr: [':1']\n", "line 1: addr: takes a single value"},
		"a mapping":                  {"addr:\n  host: x\n", "line 1: addr: takes a single value"},
		"no value":                   {"addr:\n", "line 1: addr: has no value"},
		"another file":               {"config: x\n", "line 1: config: a file cannot name another"},
		"no mapping":                 {"- addr\n", "line 1: not a list of `name: value`"},
		"two documents":              {"addr: :1\n---\naddr: :2\n", "holds more than one document"},
		"no YAML":                    {"addr: [\n", "yaml: "},
		"a value that no flag takes": {"drain: soon\n", "--drain"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseArgs(t, "serve", "--config", file(t, tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q\ngot  %v\nwant … %s …", tt.text, err, tt.want)
			}
		})
	}
}

func TestFilesThatSetNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n"} {
		if _, err := parseArgs(t, "serve", "--config", file(t, text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := parseArgs(t, "serve", "--config", "/no/such/file"); err == nil || !strings.Contains(err.Error(), "--config: open /no/such/file") {
		t.Errorf("a file that is not there: got %v", err)
	}
}

func TestHelpSaysDefaultAndVariable(t *testing.T) {
	k, err := kong.New(&grammar{}, append(Options(), kong.Exit(func(int) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	k.Stdout = &out
	if _, err := k.Parse([]string{"serve", "--help"}); err != nil {
		t.Logf("kong after --help: %v", err)
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"(default 127.0.0.1:8080, $SKEIN_ADDR)", "(default 10s, $SKEIN_DRAIN)", "(default ./data, $SKEIN_DATA)",
		"(default UTC, $SKEIN_TIMEZONE)", "($SKEIN_DEV)", "($SKEIN_PUBLIC_URL)", "A flag beats its environment variable",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("--help lacks %q:\n%s", want, out.String())
		}
	}
}
