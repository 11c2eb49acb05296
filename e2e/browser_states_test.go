package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserStates(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)

	// A name the server refuses: what happened, the code, what to do.
	tom.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	tom.typed("not a name")
	tom.key("Enter")
	tom.sees("code 212")
	tom.shot("error-name-light")
	tom.do(`document.querySelector("#name").select()`)
	tom.typed("Tom")
	tom.key("Enter")
	tom.until("the login", `document.querySelector(".pane.list")`)

	// Nobody of that name.
	tom.click(`[data-test="new"]`)
	tom.run(chromedp.WaitVisible(chromedp.CSS("#who")))
	tom.typed("Nobody")
	tom.key("Enter")
	tom.sees("code 211")
	tom.shot("error-light")
	tom.key("Escape")
	tom.until("no dialog", `!document.querySelector("dialog")`)

	// A name of 64 characters, a nickname in another script, a group.
	long := strings.Repeat("Abcdefgh", 8)
	other := c.tab(t, "long", phone)
	other.enter(s, long, "")
	other.shot("phone-empty")
	arab := c.tab(t, "arab", phone)
	arab.enter(s, "Leila", "ليلى 🌙")
	tom.talkTo("Weekend flight plan", "Jerry", "Leila", long)
	for _, p := range []*tab{other, arab} {
		p.until("the group", `document.querySelector(".conv")`)
		p.shot("phone-list")
		p.click(".conv")
		p.run(chromedp.WaitVisible(chromedp.CSS("#write")))
	}
	tom.say("Who brings the thermos?")
	other.say("I do. And sandwiches, and a map, and a second thermos in case the first one is not enough.")
	arab.say("سأحضر الشاي 🫖")
	arab.say("👍")
	arab.until("the talk", `document.querySelectorAll(".message").length === 4 && !document.querySelector(".sending")`)
	tom.until("the names", `document.body.innerText.includes("ليلى")`)
	tom.shot("group-light")
	arab.shot("phone-talk")
	arab.scheme("dark")
	arab.shot("phone-talk-dark")
	arab.click(`.talk [data-test="wire"]`)
	arab.until("the wire", `document.querySelector(".pane.wire").checkVisibility() && !document.querySelector(".pane.talk").checkVisibility()`)
	arab.shot("phone-wire-dark")
	arab.click(`[data-test="wire-back"]`)
	arab.until("the talk again", `document.querySelector(".pane.talk").checkVisibility()`)
	arab.click(`[data-test="back"]`)
	arab.until("the list again", `document.querySelector(".pane.list").checkVisibility() && !document.querySelector(".pane.talk").checkVisibility()`)

	// A file that is no picture is refused, and says so.
	fake := filepath.Join(t.TempDir(), "fake.png")
	if err := os.WriteFile(fake, []byte("<html><script>alert(1)</script></html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	tom.attach(fake)
	tom.until("the failure", `document.querySelector(".message.failed .meta")?.innerText.includes("4601")`)
	tom.shot("failed-light")
	tom.click(".message.failed .link:last-of-type")
	tom.until("no failure", `!document.querySelector(".message.failed")`)

	tom.click(`[data-test="details"]`)
	tom.until("the members", `document.querySelectorAll(".people li").length === 4`)
	tom.shot("members-light")
	tom.key("Escape")

	// Hands: / searches, Esc leads back, arrows move.
	tom.do(`document.activeElement.blur()`)
	tom.key("/")
	tom.until("the search", `document.activeElement.type === "search"`)
	tom.typed("nothing of the sort")
	tom.sees("Nothing found")
	tom.key("Escape")
	tom.until("the field", `document.activeElement.id === "write"`)
	tom.until("the list again", `document.querySelector(".conv")`)

	// Another login of the same device ends this one, and says why; signing in
	// again wins it back.
	device := js[string](tom, `sessionStorage.getItem("skein.device")`)
	rival := demoApp(s).login(t, "Tom", device)
	tom.sees("Signed out")
	tom.shot("kicked-light")
	tom.click(`[data-test="offline"] button`)
	tom.until("the bar to go", `document.querySelector('[data-test="offline"]').hidden`)
	rival.closed(t, 4401)
	c.silent(t)
}

// Markup, odd addresses and odd types are only ever text.
func TestBrowserHostileMessages(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	tom.enter(s, "Tom", "")
	tom.talkTo("", "Jerry")
	conv := js[string](tom, `location.hash.slice(3)`)
	demo := demoApp(s)
	send := func(m map[string]any) {
		t.Helper()
		m["from_client"] = "Jerry"
		if a := s.once(t, "POST", "/im/conversations/"+conv+"/message", demo.server(), m); a.Code != 0 {
			t.Fatalf("send %v: code %d", m, a.Code)
		}
	}
	send(map[string]any{"type": -1, "text": `<img src=x onerror="alert(1)"><b>bold</b> javascript:alert(1) &amp;`})
	for _, url := range []string{"javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//pictures.example/x.png"} {
		for typ := -6; typ <= -2; typ++ {
			a := s.once(t, "POST", "/im/conversations/"+conv+"/message", demo.server(), map[string]any{"from_client": "Jerry", "type": typ, "url": url})
			a.want(t, "url "+url, 4406)
		}
	}
	send(map[string]any{"type": -2, "url": "http://pictures.example/x.png"})
	send(map[string]any{"type": -2, "url": "https://pictures.example/x.png"})
	send(map[string]any{"type": 42, "attr": map[string]any{"width": "1e9", "__proto__": 1}})
	send(map[string]any{"type": -1, "text": "the end"})
	tom.sees("the end")
	bad := js[int](tom, `document.querySelectorAll('.talk img, .talk b, .bubble a:not([href^="http"])').length`)
	if bad != 0 {
		t.Errorf("the talk holds %d elements made by messages, want none", bad)
	}
	tom.sees("Show picture from pictures.example")
	tom.sees(`<img src=x onerror="alert(1)">`)
	tom.shot("hostile-light")
	c.silent(t)
}
