package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserTalk(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	tom.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	tom.shot("welcome-light")
	tom.enter(s, "Tom", "")
	tom.sees("No conversations yet")
	tom.shot("empty-light")
	jerry := c.tab(t, "Jerry", desk)
	jerry.enter(s, "Jerry", "")

	tom.talkTo("", "Jerry")
	tom.sees("Nothing said yet")
	tom.shot("quiet-light")
	jerry.until("the conversation of Tom", `document.querySelector(".conv")`)
	jerry.run(chromedp.Focus(chromedp.CSS(".list .scroller")))
	jerry.key("ArrowDown")
	jerry.key("Enter")
	jerry.until("the talk", `document.activeElement.id === "write"`)

	// Text, both ways; Shift+Enter is a line, and a link is a link.
	tom.say("Morning! Did the geese come by?")
	jerry.hears("Morning! Did the geese come by?")
	jerry.say("They did, at first light. 三十多只，排成人字形 🪿")
	tom.hears("Morning! Did the geese come by?", "They did, at first light. 三十多只，排成人字形 🪿")
	tom.run(chromedp.Focus(chromedp.CSS("#write")))
	tom.typed("So: a skein.")
	tom.key("Enter", shift)
	tom.typed("https://en.wiktionary.org/wiki/skein")
	tom.key("Enter")
	jerry.until("the link", `document.querySelector('.bubble a[href="https://en.wiktionary.org/wiki/skein"][rel~="noopener"]')`)

	// A picture, both ways.
	picture := painted(t)
	jerry.attach(picture)
	tom.until("the picture", `document.querySelector('.message:not(.own) img[src*="/storage/uploads/"]')?.naturalWidth === 480`)
	tom.say("What a sky.")
	tom.attach(picture)
	jerry.until("the picture back", `document.querySelector('.message:not(.own) img[src*="/storage/uploads/"]')?.naturalWidth === 480`)
	tom.say("(yours, sent back)")
	jerry.say("שלום, אפשר גם מימין לשמאל.")
	jerry.say("A long line stays inside its bubble: " + strings.Repeat("averyveryverylongword", 12) + " and wraps where it must.")
	tom.until("all of it", `document.querySelectorAll(".message").length === 9`)
	tom.until("all sent", `!document.querySelector(".message.sending, .message.failed")`)

	// The wire shows each frame, and what is in it.
	for _, frame := range []string{"login", "login.success", "conv.create.success", "msg.send", "msg.send.success", "msg.new"} {
		found := js[bool](tom, fmt.Sprintf(`(async () => {
			const list = document.querySelector('[data-test="frames"]');
			for (let y = 0; y <= list.scrollHeight; y += 200) {
				if (document.querySelector('.frame[data-type=%q]')) return true;
				list.scrollTop = y;
				await new Promise(requestAnimationFrame);
				await new Promise(requestAnimationFrame);
			}
			return false;
		})()`, frame))
		if !found {
			t.Errorf("the wire does not show %s", frame)
		}
	}
	tom.run(chromedp.Focus(chromedp.CSS(".wire input")))
	tom.typed("msg.send.success -ping")
	tom.until("the filter", `[...document.querySelectorAll(".frame")].every((f) => f.dataset.type === "msg.send.success")`)
	tom.key("Escape")
	tom.run(chromedp.Focus(chromedp.CSS(".wire input")))
	tom.typed("msg.new averyveryverylongword")
	tom.until("that frame alone", `document.querySelectorAll(".frame").length === 1 && document.querySelector(".frame").dataset.type === "msg.new"`)
	tom.key("ArrowDown")
	tom.key("End")
	tom.key("Enter")
	tom.until("the unfolded frame", `document.querySelector(".frame.open .json .k")?.innerText === "type"`)
	tom.until("its text", `document.querySelector(".frame.open .json").innerText.includes("averyveryverylongword")`)
	tom.run(chromedp.Focus(chromedp.CSS(".wire input")))
	tom.key("Escape")
	tom.do(`document.querySelector('[data-test="frames"]').scrollTop = 1e9`)
	tom.until("the frame among the others", `document.querySelectorAll(".frame").length > 1 && document.querySelector(".frame.open")`)
	tom.run(chromedp.Focus(chromedp.CSS("#write")))
	tom.shot("chat-light")
	tom.scheme("dark")
	tom.shot("chat-dark")
	tom.click(`[data-test="lang"]`)
	tom.sees("数据流")
	tom.click(`[data-test="lang"]`)
	tom.scheme("light")

	// The wire can be put away and fetched back.
	tom.click(`.talk [data-test="wire"]`)
	tom.until("no wire", `!document.querySelector(".pane.wire").checkVisibility()`)
	tom.click(`.talk [data-test="wire"]`)
	tom.until("the wire", `document.querySelector(".frame")?.checkVisibility()`)

	// Copies run as they are.
	tom.do(`navigator.clipboard.writeText = async (text) => { window.copied = text; }`)
	tom.do(`(() => { document.querySelector('.wire input').value = "msg.send "; document.querySelector('.wire input').dispatchEvent(new Event("input")); })()`)
	tom.until("a sent frame", `document.querySelector('.frame[data-type="msg.send"]')`)
	tom.do(`document.querySelector('.frame[data-type="msg.send"] button').click()`)
	tom.until("its copies", `[...document.querySelectorAll(".frame.open .acts button")].length === 2`)
	tom.do(`document.querySelector(".frame.open .acts button").click()`)
	tom.sees("Copied")
	line := js[string](tom, `window.copied`)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", line+" --silent --noproxy '*'").CombinedOutput(); err != nil || !bytes.HasPrefix(out, []byte(`{"code":0,`)) {
		t.Errorf("the copied line\n%s\nanswered %s (%v), want code 0", line, out, err)
	}
	c.silent(t)
}

// Ten thousand messages: few are in the page, and what one reads stays put while
// older ones load and new ones come.
func TestBrowserLongTalk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("ten thousand messages")
	}
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	tom.enter(s, "Tom", "")
	tom.talkTo("", "Jerry")
	conv := js[string](tom, `location.hash.slice(3)`)
	const many = 10_000
	fillTalk(t, s, conv, many)
	tom.until("the newest", fmt.Sprintf(`[...document.querySelectorAll(".bubble")].at(-1)?.innerText.startsWith("line %d ")`, many))

	tom.run(chromedp.Reload())
	tom.until("the newest again", fmt.Sprintf(`[...document.querySelectorAll(".bubble")].at(-1)?.innerText.startsWith("line %d ")`, many))
	// Up through some pages: after each load the line at the top edge is where it was.
	worst := js[float64](tom, `(async () => {
		const list = document.querySelector('[data-test="messages"]');
		const frame = () => new Promise(requestAnimationFrame);
		let worst = 0;
		for (let i = 0; i < 40; i++) {
			list.scrollTop -= 400;
			await frame(); await frame();
			const edge = list.getBoundingClientRect().top;
			const row = [...document.querySelectorAll(".message")].find((m) => m.getBoundingClientRect().top >= edge);
			const seq = row.dataset.seq, was = row.getBoundingClientRect().top;
			await new Promise((r) => setTimeout(r, 30));
			await frame();
			const now = document.querySelector('.message[data-seq="' + seq + '"]').getBoundingClientRect().top;
			worst = Math.max(worst, Math.abs(now - was));
		}
		return worst;
	})()`)
	if worst > 2 {
		t.Errorf("while older messages loaded the reader's line moved by %.1f px, want it to stay", worst)
	}
	rows := js[int](tom, `document.querySelectorAll(".message").length`)
	first := js[int](tom, `Number(document.querySelector(".message").dataset.seq)`)
	if rows > 120 || first > many-200 {
		t.Errorf("scrolled up to seq %d with %d rows in the page, want further up than %d and at most 120 rows", first, rows, many-200)
	}
	// A new line does not pull the reader down; the button says that it came.
	before := js[float64](tom, `document.querySelector('[data-test="messages"]').scrollTop`)
	jerry := demoApp(s)
	s.once(t, "POST", "/im/conversations/"+conv+"/message", jerry.server(), map[string]any{"from_client": "Jerry", "type": -1, "text": "news"})
	tom.sees("1 new")
	after := js[float64](tom, `document.querySelector('[data-test="messages"]').scrollTop`)
	if before != after {
		t.Errorf("a new message moved the reader from %v to %v", before, after)
	}
	tom.shot("long-light")
	tom.click(".to-end")
	tom.until("the end", `[...document.querySelectorAll(".bubble")].at(-1)?.innerText === "news"`)
	c.silent(t)
}

// fillTalk says n numbered lines of differing length as Jerry, over several sockets' worth
// of one socket: the demo app has no rate limits.
func fillTalk(t *testing.T, s *server, conv string, n int) {
	t.Helper()
	jerry := demoApp(s).login(t, "Jerry", "filler")
	const window = 200
	for sent := 0; sent < n; sent += window {
		for i := range min(window, n-sent) {
			text := fmt.Sprintf("line %d %s", sent+i+1, strings.Repeat("of a long talk ", (sent+i)*7%9))
			if _, err := jerry.Post("msg.send", map[string]any{"conv_id": conv, "type": -1, "text": text}); err != nil {
				t.Fatal(err)
			}
		}
		for range min(window, n-sent) {
			a := jerry.next(t)
			for a.Type == "conv.read" { // who looks on reads along
				a = jerry.next(t)
			}
			if a.Type != "msg.send.success" {
				t.Fatalf("fill: got %s", a)
			}
		}
	}
	jerry.Drop()
}
