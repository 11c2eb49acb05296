package request

import (
	"strconv"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestAURLIsOneThatProgramsMayOpen(t *testing.T) {
	const name = "7de523065e29c5526b7f1f8b15030df3.jpg"
	for link, want := range map[string]bool{
		"http://a.example/x.jpg":                        true,
		"HTTPS://A.example":                             true,
		"https://a.example:8443/你 好?q=1#f":              true,
		"http://127.0.0.1:8080/storage/uploads/" + name: true,
		"http://[::1]/x":                                true,
		"/storage/uploads/" + name:                      true,
		"/storage/uploads/" + name + "?sig=6a1f-a_B-9":  true,
		"/chat/storage/uploads/" + name:                 true,
		"javascript:alert(1)":                           false,
		"JaVaScRiPt:alert(1)":                           false,
		" javascript:alert(1)":                          false,
		"java\nscript:alert(1)":                         false,
		"javascript://a.example/%0aalert(1)":            false,
		"data:text/html,<script>alert(1)</script>":      false,
		"vbscript:x":                                    false,
		"file:///etc/passwd":                            false,
		"ftp://a.example/x":                             false,
		"blob:https://a.example/x":                      false,
		"intent://a.example#Intent;end":                 false,
		"view-source:http://a.example":                  false,
		"feed:http://a.example":                         false,
		"//a.example/x.jpg":                             false,
		"///a.example/x.jpg":                            false,
		`/\a.example`:                                   false,
		`http:\\a.example`:                              false,
		`http://a.example\@b.example`:                   false,
		"http:a.example":                                false,
		"http:/a.example":                               false,
		"http:///a.example":                             false,
		"https://":                                      false,
		"https://:80/x":                                 false,
		"http://a@b.example":                            false,
		"http://a.example:x@b.example":                  false,
		"http://a.example%40b.example/":                 false,
		"http://a.example/\tx":                          false,
		"http://a.example/\u0085x":                      false,
		"http://a.example/\x7f":                         false,
		"http://a b.example/":                           false,
		"http://a.example:port/":                        false,
		"x.jpg":                                         false,
		"/x.jpg":                                        false,
		"../storage/uploads/" + name:                    false,
		"//evil/storage/uploads/" + name:                false,
		"/storage/uploads/" + name + "?x":               false,
		"/storage/uploads/../" + name:                   false,
		"storage/uploads/" + name:                       false,
	} {
		for typ := skein.TypeFile; typ <= 1; typ++ {
			if typ == 0 {
				continue
			}
			_, err := decoded[SendMessage](t, `{"conv_id":"c","text":"x","type":`+strconv.Itoa(typ)+`,"url":`+string(strict.AppendQuote(nil, link))+`}`).Body(false)
			if allowed := want || typ >= skein.TypeText; (err == nil) != allowed {
				t.Errorf("type %d, url %q: got %v, want allowed %v", typ, link, err, allowed)
			}
			if err != nil {
				checkFault(t, "url", link, err, skein.ErrMalformed, "url")
			}
		}
	}
}
