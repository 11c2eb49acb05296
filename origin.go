package skein

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxOrigins bounds the allowed origins of an app.
const maxOrigins = 100

// AllowsOrigin reports whether pages of this origin, as browsers send it, may call
// the app. "null", which any page can have itself called, never is.
func (s Settings) AllowsOrigin(origin string) bool {
	o, err := parseOrigin(origin, false)
	if err != nil {
		return false
	}
	for _, allowed := range s.AllowedOrigins {
		if p, err := parseOrigin(allowed, true); err == nil && p.allows(o) {
			return true
		}
	}
	return false
}

// OriginPatterns are the patterns of a list as AllowsOrigin compares them, each
// once. A pattern is an exact origin, such as https://example.com:8443, or all
// hosts below a name: *.example.com by http and https, https://*.example.com by
// https alone. Errors say which pattern is wrong and why.
func OriginPatterns(list []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, text := range list {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := parseOrigin(text, true)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		if text = p.String(); !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	if len(out) > maxOrigins {
		return nil, fmt.Errorf("%d are more than %d", len(out), maxOrigins)
	}
	return out, nil
}

// origin is an origin or a pattern of origins.
type origin struct {
	scheme string // empty: http or https
	below  bool   // host stands for all names below it
	host   string // lower case; an IPv6 address in brackets
	port   string // empty: the scheme's
}

func (o origin) String() string {
	text := o.host
	if o.below {
		text = "*." + text
	}
	if o.port != "" {
		text += ":" + o.port
	}
	if o.scheme != "" {
		text = o.scheme + "://" + text
	}
	return text
}

// allows reports whether the pattern o covers the origin of a page.
func (o origin) allows(page origin) bool {
	if o.scheme == "" && page.scheme != "http" && page.scheme != "https" || o.scheme != "" && o.scheme != page.scheme || o.port != page.port {
		return false
	}
	if !o.below {
		return o.host == page.host
	}
	name, ok := strings.CutSuffix(page.host, "."+o.host)
	return ok && name != ""
}

var (
	errOriginForm   = errors.New("is not an origin such as https://example.com or *.example.com, without a path")
	errOriginScheme = errors.New("needs its scheme, such as https://example.com")
	errOriginNull   = errors.New("is the origin of every sandboxed page and cannot be allowed")
	errOriginAll    = errors.New("covers too much: name at least two labels, such as *.example.com")
)

// parseOrigin reads an origin or, where they are allowed, a pattern.
func parseOrigin(text string, patterns bool) (origin, error) {
	if len(text) > 300 {
		return origin{}, errOriginForm
	}
	text = strings.ToLower(text)
	if text == "null" {
		return origin{}, errOriginNull
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	}
	o := origin{scheme: scheme}
	if patterns {
		rest, o.below = strings.CutPrefix(rest, "*.")
	}
	switch {
	case patterns && rest == "*":
		return origin{}, errOriginAll
	case found && !validScheme(scheme):
		return origin{}, errOriginForm
	case !found && !o.below:
		return origin{}, errOriginScheme
	}
	if !o.splitPort(rest) || !validOriginHost(o.host) {
		return origin{}, errOriginForm
	}
	if o.below && o.host != "localhost" && (!strings.Contains(o.host, ".") || o.host[0] == '[') {
		return origin{}, errOriginAll
	}
	return o, nil
}

// splitPort sets host and port; the port that the scheme implies is left out.
func (o *origin) splitPort(rest string) bool {
	o.host = rest
	at := strings.LastIndexByte(rest, ':')
	if at < 0 || strings.HasSuffix(rest, "]") {
		return true
	}
	o.host, o.port = rest[:at], rest[at+1:]
	n, err := strconv.ParseUint(o.port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != o.port {
		return false
	}
	if o.scheme == "http" && n == 80 || o.scheme == "https" && n == 443 {
		o.port = ""
	}
	return true
}

func validScheme(s string) bool {
	for i := range len(s) {
		letter := 'a' <= s[i] && s[i] <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

// validOriginHost reports whether a host is a name, in the form browsers send, or an
// address.
func validOriginHost(host string) bool {
	inner, bracket := strings.CutPrefix(host, "[")
	if bracket {
		inner, bracket = strings.CutSuffix(inner, "]")
		return bracket && inner != "" && strings.Trim(inner, "0123456789abcdef:.") == ""
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
