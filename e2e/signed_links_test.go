package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// Links to uploads of an app with --file-access signed open their file only with the signature,
// which whoever reads the message gets anew, and nobody else.
func TestLinksOfPrivateFilesAreSignedForThoseWhoReadTheMessage(t *testing.T) {
	t.Parallel()
	a := strict(t)
	setFileAccess := func(access string) {
		t.Helper()
		if out, errs, exit := skein(t, "app", "update", "--id", a.ID, "--data", a.s.Data, "--file-access", access); exit != 0 {
			t.Fatalf("skein app update --file-access %s: exit %d\n%s%s", access, exit, out, errs)
		}
	}
	setFileAccess("signed")
	tom, jerry, eve := a.user(t, "tom"), a.user(t, "jerry"), a.user(t, "eve")
	conv, evesOwn := a.group(t, tom, jerry), a.group(t, eve)
	content := realPNG(t)
	var link string
	eventually(t, "the server signs links", func() bool {
		a.s.upload(t, a.as(t, tom), multipartFile{"file", "a.png", content}).want(t, "upload", 0).into(t, &link)
		return strings.Contains(link, "?sig=")
	})
	bare, signature, _ := strings.Cut(link, "?")
	altered := bare + "?" + strings.Replace(signature, "sig=", "sig=f", 1)

	socket := a.login(t, jerry, "web")
	a.s.call(t, "POST", convPath(conv, "message"), a.as(t, tom), obj{"type": -2, "url": bare, "attr": obj{"preview": bare}}).want(t, "send a file of one's own", 0)
	pushed := socket.expect(t, "msg.new").message(t)
	for what, seen := range map[string]message{"pushed": pushed, "read": a.history(t, conv)[0]} {
		if seen.URL == nil || !strings.HasPrefix(*seen.URL, bare+"?sig=") || !strings.Contains(string(seen.Attr), bare+"?sig=") {
			t.Errorf("%s: got url %v, attr %s; want signed links to %s", what, seen.URL, seen.Attr, bare)
			continue
		}
		res, body := fetch(t, *seen.URL, nil)
		if res.StatusCode != 200 || string(body) != string(content) || !strings.HasPrefix(res.Header.Get("Cache-Control"), "private, max-age=") {
			t.Errorf("%s: GET %s: got %s, %d bytes, Cache-Control %q; want the file, private", what, *seen.URL, res.Status, len(body), res.Header.Get("Cache-Control"))
		}
		if res, part := fetch(t, *seen.URL, headers{"Range": "bytes=1-3"}); res.StatusCode != 206 || string(part) != string(content[1:4]) {
			t.Errorf("%s: bytes 1 to 3: got %s, %q", what, res.Status, part)
		}
	}
	for what, link := range map[string]string{"without a signature": bare, "altered": altered} {
		for _, h := range []headers{nil, {"Range": "bytes=1-3"}, {"If-None-Match": `"` + bare[strings.LastIndex(bare, "/")+1:][:32] + `"`}} {
			res, body := fetch(t, link, h)
			if res.StatusCode != http.StatusForbidden || !strings.Contains(string(body), `"code":4004`) || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %v: got %s %s, Cache-Control %q; want 4004, no-store", what, h, res.Status, body, res.Header.Get("Cache-Control"))
			}
		}
	}

	// Who knows the name of a file does not get a link by naming it.
	a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{jerry}})
	for client, conv := range map[string]string{eve: evesOwn, jerry: a.group(t, jerry)} {
		for what, link := range map[string]string{"a bare link": bare, "an altered one": altered} {
			a.s.call(t, "POST", convPath(conv, "message"), a.as(t, client), obj{"type": -1, "text": "see " + link}).want(t, what+" in a text", 4004)
			a.s.call(t, "POST", convPath(conv, "message"), a.as(t, client), obj{"type": -2, "url": link}).want(t, what+" as url", 4004)
			a.s.call(t, "PUT", userPath(client), a.as(t, client), obj{"ext": obj{"avatar": link}}).want(t, what+" in ext", 4004)
		}
	}
	late := a.login(t, eve, "web")
	late.ask(t, "msg.send", obj{"conv_id": evesOwn, "type": -2, "url": bare}).want(t, "a bare link by socket", 4004)
	a.s.call(t, "POST", convPath(evesOwn, "message"), a.as(t, eve), obj{"type": -2, "url": *pushed.URL}).want(t, "a link that opens the file is forwarded", 0)

	setFileAccess("public")
	eventually(t, "the file is public", func() bool {
		res, _ := fetch(t, bare, nil)
		return res.StatusCode == 200 && strings.HasPrefix(res.Header.Get("Cache-Control"), "public")
	})
}
