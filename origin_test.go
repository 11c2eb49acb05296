package skein

import (
	"slices"
	"strings"
	"testing"
)

func TestAnOriginIsAllowedByItsPatternAndByNoOther(t *testing.T) {
	for name, tt := range map[string]struct {
		pattern, origin string
		want            bool
	}{
		"exact":                                  {"https://example.com", "https://example.com", true},
		"exact in other case":                    {"https://Example.COM", "https://example.com", true},
		"exact with the port that is implied":    {"https://example.com:443", "https://example.com", true},
		"exact with a port":                      {"https://example.com:8443", "https://example.com:8443", true},
		"another port":                           {"https://example.com", "https://example.com:8443", false},
		"another scheme":                         {"https://example.com", "http://example.com", false},
		"a name below an exact one":              {"https://example.com", "https://a.example.com", false},
		"a longer name":                          {"https://example.com", "https://example.com.evil", false},
		"a name with the other as its end":       {"https://example.com", "https://evilexample.com", false},
		"below the name":                         {"*.example.com", "https://a.example.com", true},
		"below the name by http":                 {"*.example.com", "http://a.example.com", true},
		"far below the name":                     {"*.example.com", "https://a.b.example.com", true},
		"not the name itself":                    {"*.example.com", "https://example.com", false},
		"not its end alone":                      {"*.example.com", "https://evilexample.com", false},
		"not with more behind it":                {"*.example.com", "https://a.example.com.evil", false},
		"not as the user of another host":        {"*.example.com", "https://a.example.com@evil.com", false},
		"not as the port of another host":        {"*.example.com", "https://evil.com:.example.com", false},
		"not behind a slash":                     {"*.example.com", "https://evil.com/.example.com", false},
		"not behind a backslash":                 {"*.example.com", `https://evil.com\.example.com`, false},
		"not behind a question mark":             {"*.example.com", "https://evil.com?.example.com", false},
		"not behind a hash":                      {"*.example.com", "https://evil.com#.example.com", false},
		"not with a dot at the end":              {"*.example.com", "https://a.example.com.", false},
		"not an empty label":                     {"*.example.com", "https://.example.com", false},
		"not on another port":                    {"*.example.com", "https://a.example.com:8443", false},
		"below the name on a port":               {"*.example.com:8443", "https://a.example.com:8443", true},
		"below the name by https alone":          {"https://*.example.com", "https://a.example.com", true},
		"below the name by https alone, by http": {"https://*.example.com", "http://a.example.com", false},
		"a wildcard is no scheme of an app":      {"*.example.com", "capacitor://a.example.com", false},
		"the scheme of an app":                   {"capacitor://localhost", "capacitor://localhost", true},
		"null":                                   {"*.example.com", "null", false},
		"null, listed":                           {"null", "null", false},
		"empty":                                  {"*.example.com", "", false},
		"a star":                                 {"*.example.com", "https://*.example.com", false},
		"two":                                    {"https://a.com", "https://a.com, https://b.com", false},
		"an IPv6 address":                        {"http://[::1]:3000", "http://[::1]:3000", true},
		"localhost":                              {"http://localhost:3000", "http://localhost:3000", true},
	} {
		if got := (Settings{AllowedOrigins: []string{"https://other.example", tt.pattern}}).AllowsOrigin(tt.origin); got != tt.want {
			t.Errorf("%s: %q against %q: got %v, want %v", name, tt.origin, tt.pattern, got, tt.want)
		}
	}
	if (Settings{}).AllowsOrigin("https://example.com") {
		t.Error("an app that lists no origin allows one")
	}
}

func TestOriginPatternsSayWhatIsWrong(t *testing.T) {
	got, err := OriginPatterns([]string{" https://Example.com:443 ", "https://example.com", "", "*.Example.com"})
	if want := []string{"https://example.com", "*.example.com"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for _, bad := range []string{
		"example.com", "*", "https://*", "*.com", "https://*.com", "https://example.com/", "https://example.com/path", "https://*example.com",
		"https://a.*.com", "*.", "*.example.com.", "null", "https://", "://a.com", "https://a.com:0x50", "https://a.com:", "https://a.com:99999",
		"https://例子.com", "https://user@a.com", "https://a com", strings.Repeat("a", 400),
	} {
		if got, err := OriginPatterns([]string{bad}); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}
