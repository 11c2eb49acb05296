package e2e

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// listings are the paths of one client's listings with cursors, each with more than one page.
func listings(client, conv string) map[string]string {
	return map[string]string{
		"conv.list":         userPath(client, "conversations?size=1"),
		"conv.members":      convPath(conv, "members?size=1"),
		"conv.members.list": convPath(conv, "memberships?size=1"),
		"conv.query":        where(`[["conv_type","=",3]]`, "size=1"),
		"conv.readers":      convPath(conv, "readers?seq=1&size=1"),
		"user.list":         "/im/users?size=1",
		"sync":              userPath(client, "sync?limit=1"),
	}
}

func TestACursorIsGoodForItsOpItsClientAndItsAppAlone(t *testing.T) {
	t.Parallel()
	a := strict(t)
	b := createApp(t, a.s)
	tom, jerry := a.user(t, "tom"), a.user(t, "jerry")
	conv := a.group(t, tom, jerry)
	a.send(t, conv, jerry, "hi")
	a.group(t, tom, jerry)
	theirs := ""
	for _, client := range []string{tom, jerry} {
		b.must(t, "POST", "/im/users", obj{"client_id": client})
	}
	for range 2 {
		theirs = b.group(t, tom, jerry)
	}
	b.send(t, theirs, jerry, "hi")
	with := func(path, cursor string) string {
		sep := "&"
		if !strings.Contains(path, "?") {
			sep = "?"
		}
		return path + sep + "cursor=" + url.QueryEscape(cursor)
	}
	refused := func(what string, got *answer) {
		t.Helper()
		if got.want(t, what, 4406); !strings.Contains(got.Message, "cursor") {
			t.Errorf("%s: %s does not name the cursor", what, got)
		}
	}
	mine := listings(tom, conv)
	for op, path := range mine {
		cursor := a.must(t, "GET", path, nil).text("next_cursor")
		a.must(t, "GET", with(path, cursor), nil)
		for other, elsewhere := range mine {
			if other != op {
				refused("the cursor of "+op+" for "+other, a.call(t, "GET", with(elsewhere, cursor), nil))
			}
		}
		refused(op+" in another app", b.call(t, "GET", with(listings(tom, theirs)[op], cursor), nil))
		switch op {
		case "conv.list", "sync":
			refused(op+" of another client", a.call(t, "GET", with(listings(jerry, conv)[op], cursor), nil))
		case "user.list": // of the backend alone
		default:
			refused(op+" as a client", a.s.call(t, "GET", with(path, cursor), a.as(t, tom), nil))
			own := a.s.call(t, "GET", path, a.as(t, tom), nil).want(t, op, 0).text("next_cursor")
			refused(op+" as another client", a.s.call(t, "GET", with(path, own), a.as(t, jerry), nil))
		}
	}
}

func TestAPageCursorOfAnEarlierVersionIsRefused(t *testing.T) {
	t.Parallel()
	a := strict(t)
	tom := a.user(t, "tom")
	conv := a.group(t, tom)
	earlier := base64.RawURLEncoding.EncodeToString(append(make([]byte, 23), 1, 0))
	for op, path := range listings(tom, conv) {
		a.call(t, "GET", path+"&cursor="+earlier, nil).want(t, op, 4406)
	}
}
