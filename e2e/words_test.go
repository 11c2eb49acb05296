package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// An operator gives an app a list of words: REST and socket follow, and no other app is concerned.
func TestWordsOfAnAppAreReplacedOrRefused(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a, other := createApp(t, s), createApp(t, s)
	op := owner(t, s, "words"+a.ID)
	path := "/admin/apps/" + a.ID + "/words"
	tom, jerry := a.user(t, "Tom"), a.user(t, "Jerry")
	conv := a.group(t, tom, jerry)
	if got := op.call(t, "GET", path, ""); got.Code != 4014 {
		t.Errorf("an app without a list: got %s, want 4014", got)
	}
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"forbidden%d"`, i)
	}
	info := op.must(t, "PUT", path, `{"replace":["傻瓜","bad",`+strings.Join(many, ",")+`],"reject":["worst"]}`) // larger than other bodies may be
	if info.field("replace") != float64(20_002) {
		t.Errorf("got %s", info)
	}
	if got := op.must(t, "POST", path+"/test", `{"text":"ＢＡＤ, badly"}`); got.field("text") != "***, badly" || got.field("verdict") != "replace" {
		t.Errorf("a test: got %s", got)
	}
	eventually(t, "the list is in force", func() bool { return a.send(t, conv, tom, "bad").text("msg_id") != "" && a.last(t, conv) == "***" })

	c := a.login(t, tom, "phone")
	j := a.login(t, jerry, "phone")
	sent := c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "你这傻\u200b瓜", "client_msg_id": "w1"}).want(t, "by socket", 0)
	j.expectText(t, "你这***")
	again := c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "你这傻\u200b瓜", "client_msg_id": "w1"}).want(t, "its retry", 0)
	if sent.text("msg_id") != again.text("msg_id") {
		t.Errorf("a retry: got %s, want %s", again, sent)
	}
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "WORST forbidden7"}).want(t, "a word that rejects, by socket", 4015)
	a.call(t, "POST", convPath(conv, "message"), obj{"from_client": tom, "type": -1, "text": "the worst"}).want(t, "by REST", 4015)
	oTom, oJerry := other.user(t, "Tom"), other.user(t, "Jerry")
	oConv := other.group(t, oTom, oJerry)
	other.send(t, oConv, oTom, "bad worst")
	if got := other.last(t, oConv); got != "bad worst" {
		t.Errorf("another app: got %q", got)
	}

	op.must(t, "DELETE", path, "")
	eventually(t, "the list is gone", func() bool { a.send(t, conv, tom, "bad"); return a.last(t, conv) == "bad" })
}

// last is the text of the newest message.
func (a *app) last(t *testing.T, conv string) string {
	t.Helper()
	all := a.history(t, conv)
	return all[len(all)-1].text()
}
