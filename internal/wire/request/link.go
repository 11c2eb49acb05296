package request

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/skein-im/skein"
)

// uploadLink is a link to an upload without its host, as from a page of the same one.
var uploadLink = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*` + skein.UploadsPath + `[0-9a-f]{32}\.[a-z0-9]{1,8}$`)

// checkLink holds the url of a documented type that has one to http and https, with a
// host and nobody's name before it, or to an upload: programs open it as it stands. A
// type of the developer's own is read by programs of the developer's own. Errors:
// skein.ErrMalformed.
func checkLink(msgType int, link string) error {
	if link == "" || msgType >= skein.TypeText || uploadLink.MatchString(link) {
		return nil
	}
	if strings.ContainsFunc(link, func(r rune) bool { return unicode.IsControl(r) || r == '\\' || r == unicode.ReplacementChar }) {
		return skein.Malformed("url", "must not hold control characters or backslashes")
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return skein.Malformed("url", "must be an http or https address, or a link to an upload")
	}
	return nil
}
