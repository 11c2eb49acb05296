package request

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/skein-im/skein"
)

// uploadLink is a link to an upload without its host, as from a page of the same one. It may be
// signed.
var uploadLink = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*` + skein.UploadsPath + `[0-9a-f]{32}\.[a-z0-9]{1,8}(\?sig=[A-Za-z0-9_-]{1,64})?$`)

// checkLink checks the url of a message of a documented type: an http or https address with
// a host and without user information, or a link to an upload. Client programs open such a
// url as it is. The developer's own types may have any url. Errors: skein.ErrMalformed.
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
