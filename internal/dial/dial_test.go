package dial_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/dial"
)

// names are what the resolver of the tests answers. Any other name it takes for an address of
// this machine, as some resolvers do with 127.1 or 2130706433.
var names = map[string][]string{
	"public.example":        {"93.184.215.14"},
	"public.example.":       {"93.184.215.14"},
	"six.example":           {"2606:2800:220:1::14"},
	"mapped.example":        {"::ffff:93.184.215.14"},
	"xn--bcher-kva.example": {"93.184.215.14"},
	"private.example":       {"10.1.2.3"},
	"mixed.example":         {"93.184.215.14", "127.0.0.1"},
	"mixed6.example":        {"93.184.215.14", "fd00::1"},
	"metadata.example":      {"169.254.169.254"},
	"wire.example":          {"168.63.129.16"},
	"mapped-loop.example":   {"::ffff:127.0.0.1"},
	"nat64.example":         {"64:ff9b::a01:203"},
	"link.example":          {"fe80::1%eth0"},
	"nothing.example":       {},
}

func resolve(_ context.Context, name string) ([]netip.Addr, error) {
	texts, ok := names[name]
	if !ok {
		texts = []string{"127.0.0.1"}
	}
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all, nil
}

// errStopped is what the connections of the tests end with: nothing leaves the machine.
var errStopped = errors.New("stopped")

// attempts makes a client and the list of addresses that it tried to connect to.
func attempts(allow ...string) (*http.Client, *[]string) {
	var tried []string
	o := dial.Options{Resolve: resolve, Connect: func(_ context.Context, _, addr string) (net.Conn, error) {
		tried = append(tried, addr)
		return nil, errStopped
	}}
	for _, text := range allow {
		o.Allow = append(o.Allow, netip.MustParsePrefix(text))
	}
	return dial.New(o), &tried
}

// forbidden are targets that no call may reach.
var forbidden = []string{
	// Loopback and this host.
	"http://127.0.0.1/", "http://127.0.0.1:8080/", "http://127.255.255.254/", "http://0.0.0.0/", "http://0.1.2.3/", "http://[::1]/", "http://[::]/",
	"http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://localhost.localdomain/", "http://ip6-localhost/",
	// Private, shared and link-local networks.
	"http://10.0.0.1/", "http://10.255.255.255/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.0.1/", "http://100.64.0.1/", "http://100.127.255.255/",
	"http://169.254.0.1/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[fec0::1]/",
	// Metadata of clouds.
	"http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials", "http://100.100.100.200/", "http://192.0.0.192/", "http://168.63.129.16/", "http://[fd00:ec2::254]/",
	"http://metadata.google.internal/", "http://metadata/", "http://[fe80::a9fe:a9fe]/",
	// Special purposes, multicast, reserved.
	"http://192.0.0.8/", "http://192.0.2.1/", "http://192.88.99.1/", "http://198.18.0.1/", "http://198.51.100.1/", "http://203.0.113.1/", "http://224.0.0.1/", "http://239.255.255.250/",
	"http://240.0.0.1/", "http://255.255.255.255/", "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/", "http://[2001:2::1]/", "http://[5f00::1]/", "http://[4000::1]/",
	// IPv4 within IPv6.
	"http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:10.0.0.1]/", "http://[::ffff:169.254.169.254]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[::7f00:1]/",
	"http://[::ffff:0:127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b::8.8.8.8]/", "http://[64:ff9b:1::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/",
	"http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", "http://[2001::1]/",
	// Other ways to write an IPv4 address.
	"http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://127.0.0.01/",
	"http://127.0.0.1./", "http://127.0.0.0x1/", "http://1.2.3.256/", "http://1.2.3.4.5/", "http://3232235521/", "http://00000177.0.0.1/", "http://127。0。0。1/", "http://127%2e0%2e0%2e1/",
	"http://①②⑦.⓪.⓪.①/", "http://１２７.０.０.１/", "http://ⓛocalhost/", "http://loc%61lhost/",
	// Tricks with the user, the host and the port.
	"http://public.example@127.0.0.1/", "http://user:password@public.example/", "http://127.0.0.1@public.example/", "http://public.example:80@127.0.0.1/", `http://public.example\@127.0.0.1/`,
	"http://public.example:0/", "http://public.example:65536/", "http://public.example:-1/", "http://public.example:http/", "http://:80/", "http:///etc/passwd",
	"http://[::1/", "http://::1/", "http://public.example..private/", "http://.public.example/", "http:// 127.0.0.1/", "http://127.0.0.1\t/", "http://public.example%00.private/", "http://[public.example]/",
	"http://" + strings.Repeat("a", 64) + ".example/", "http://" + strings.Repeat("a.", 130) + "example/", "http://-/", "http://./",
	// Other schemes.
	"file:///etc/passwd", "ftp://public.example/", "gopher://127.0.0.1:6379/_", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "http:public.example", "//public.example/", "public.example", "",
	"javascript:alert(1)", "ws://public.example/", "data:text/plain,x",
	// Names with such addresses, or with none.
	"http://private.example/", "http://mixed.example/", "http://mixed6.example/", "http://metadata.example/", "http://wire.example/", "http://mapped-loop.example/", "http://nat64.example/", "http://link.example/", "http://nothing.example/",
}

func TestForbiddenTargetsAreNotConnectedTo(t *testing.T) {
	for _, target := range forbidden {
		client, tried := attempts()
		answer, err := client.Get(target)
		if err == nil {
			_ = answer.Body.Close()
		}
		if err == nil || len(*tried) != 0 || errors.Is(err, errStopped) {
			t.Errorf("%s: got %v, connections to %q; want an error and none", target, err, *tried)
		}
	}
}

func TestPublicTargetsAreConnectedToByAddress(t *testing.T) {
	for target, want := range map[string]string{
		"http://public.example/":                    "93.184.215.14:80",
		"https://public.example/":                   "93.184.215.14:443",
		"http://public.example./":                   "93.184.215.14:80",
		"http://PUBLIC.example:8443/a?b=c":          "93.184.215.14:8443",
		"http://public.example#@127.0.0.1:0/":       "93.184.215.14:80",
		"https://six.example/":                      "[2606:2800:220:1::14]:443",
		"http://mapped.example/":                    "93.184.215.14:80",
		"http://xn--bcher-kva.example/":             "93.184.215.14:80",
		"http://8.8.8.8/":                           "8.8.8.8:80",
		"http://[2606:4700::1111]:1/":               "[2606:4700::1111]:1",
		"http://[::ffff:8.8.8.8]/":                  "8.8.8.8:80",
		"http://172.15.255.255/":                    "172.15.255.255:80",
		"http://172.32.0.1/":                        "172.32.0.1:80",
		"http://100.63.255.255/":                    "100.63.255.255:80",
		"http://public.example:/":                   "93.184.215.14:80",
		"http://public.example:65535/127.0.0.1/../": "93.184.215.14:65535",
	} {
		client, tried := attempts()
		names["PUBLIC.example"] = names["public.example"]
		_, err := client.Get(target)
		if !errors.Is(err, errStopped) || !slices.Equal(*tried, []string{want}) {
			t.Errorf("%s: got %v, connections to %q; want one to %s", target, err, *tried, want)
		}
	}
}

func TestAnAllowedNetworkIsReachedAndNoOther(t *testing.T) {
	for name, tt := range map[string]struct {
		allow, target string
		reached       bool
	}{
		"an allowed address":                     {"127.0.0.0/8", "http://127.0.0.1/", true},
		"its mapped form":                        {"127.0.0.0/8", "http://[::ffff:127.0.0.1]/", true},
		"a name with it":                         {"10.0.0.0/8", "http://private.example/", true},
		"a name with it beside a public one":     {"127.0.0.0/8", "http://mixed.example/", true},
		"another private network":                {"10.0.0.0/8", "http://192.168.0.1/", false},
		"a public address still":                 {"10.0.0.0/8", "http://8.8.8.8/", true},
		"IPv6 loopback is not that of IPv4":      {"127.0.0.0/8", "http://[::1]/", false},
		"NAT64 to a public address":              {"64:ff9b::/96", "http://[64:ff9b::8.8.8.8]/", true},
		"NAT64 to a private address":             {"64:ff9b::/96", "http://[64:ff9b::10.1.2.3]/", false},
		"6to4 of a private address":              {"2002::/16", "http://[2002:a01:203::1]/", false},
		"a zone":                                 {"fe80::/10", "http://[fe80::1%25eth0]/", false},
		"an odd way to write an allowed address": {"127.0.0.0/8", "http://127.1/", false},
		"another scheme":                         {"127.0.0.0/8", "ftp://127.0.0.1/", false},
	} {
		client, tried := attempts(tt.allow)
		_, err := client.Get(tt.target)
		if reached := len(*tried) > 0; reached != tt.reached || errors.Is(err, errStopped) != tt.reached {
			t.Errorf("%s: %s with %s allowed: got %v, connections to %q; want reached %v", name, tt.target, tt.allow, err, *tried, tt.reached)
		}
	}
}

// TestCheckRefusesWhatNeedsNoLookup holds the check of a URL, when an endpoint is created, against
// the list: it must pass names alone, whose addresses only the dial can judge.
func TestCheckRefusesWhatNeedsNoLookup(t *testing.T) {
	byName := 0
	for _, target := range forbidden {
		err := dial.Options{}.Check(target)
		if err != nil && !errors.Is(err, dial.ErrRefused) {
			t.Errorf("%s: got %v, want ErrRefused", target, err)
		}
		if err == nil {
			byName++
		}
	}
	if byName > 25 {
		t.Errorf("%d of %d forbidden targets passed the check; only names may", byName, len(forbidden))
	}
	if err := (dial.Options{}).Check("https://public.example/" + strings.Repeat("a", dial.MaxURL)); !errors.Is(err, dial.ErrRefused) {
		t.Errorf("a long URL: got %v, want ErrRefused", err)
	}
	if err := (dial.Options{}).Check("https://public.example/hook?a=b"); err != nil {
		t.Errorf("a public URL: got %v", err)
	}
}

func TestANameIsLookedUpOnceAndDialledAtThatAddress(t *testing.T) {
	var lookups atomic.Int32
	var tried []string
	client := dial.New(dial.Options{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			if lookups.Add(1) == 1 {
				return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Connect: func(_ context.Context, _, addr string) (net.Conn, error) {
			tried = append(tried, addr)
			return nil, errStopped
		},
	})
	_, err := client.Get("http://rebinding.example/")
	if !errors.Is(err, errStopped) || lookups.Load() != 1 || !slices.Equal(tried, []string{"93.184.215.14:80"}) {
		t.Errorf("the first call: got %v after %d lookups, connections to %q", err, lookups.Load(), tried)
	}
	if _, err := client.Get("http://rebinding.example/"); !errors.Is(err, dial.ErrRefused) || len(tried) != 1 {
		t.Errorf("the second call, when the name has another address: got %v, connections to %q", err, tried)
	}
}

func TestTheErrorDoesNotTellThePrivateAddressOfAName(t *testing.T) {
	client, _ := attempts()
	if _, err := client.Get("http://private.example/"); err == nil || strings.Contains(err.Error(), "10.1.2.3") {
		t.Errorf("got %v, want an error without the address", err)
	}
}

// local is a server on this machine and a client that may reach it.
func local(t *testing.T, answer int64, handler http.HandlerFunc) (*http.Client, string) {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := dial.New(dial.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Answer: answer, Timeout: time.Minute})
	t.Cleanup(client.CloseIdleConnections)
	return client, server.URL
}

func TestARedirectIsTheAnswer(t *testing.T) {
	for _, to := range []string{"/second", "http://169.254.169.254/", "file:///etc/passwd"} {
		var calls atomic.Int32
		client, url := local(t, 0, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		answer, err := client.Post(url, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatalf("redirect to %s: %v", to, err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusTemporaryRedirect || calls.Load() != 1 {
			t.Errorf("redirect to %s: got status %d after %d calls, want 307 after 1", to, answer.StatusCode, calls.Load())
		}
	}
}

func TestTheEnvironmentNamesNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	client, tried := attempts()
	_, err := client.Get("http://public.example/")
	if !errors.Is(err, errStopped) || !slices.Equal(*tried, []string{"93.184.215.14:80"}) {
		t.Errorf("got %v, connections to %q, want one to the target", err, *tried)
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		size int
		want error
	}{
		"as long as it may be":  {100, nil},
		"a byte longer":         {101, dial.ErrTooLarge},
		"far longer":            {1 << 20, dial.ErrTooLarge},
		"an answer of no bytes": {0, nil},
	} {
		client, url := local(t, 100, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", tt.size))
		})
		answer, err := client.Get(url)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if !errors.Is(err, tt.want) || len(got) != min(tt.size, 100) {
			t.Errorf("%s: read %d bytes and %v, want %d and %v", name, len(got), err, min(tt.size, 100), tt.want)
		}
	}
}
