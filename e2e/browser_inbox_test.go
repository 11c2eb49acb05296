package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// row is an expression for the row of the list whose title contains a text.
func row(title string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".conv")].find((c) => c.querySelector(".title").innerText.includes(%q))`, title)
}

// unread waits until the row says how many are unread; empty: none.
func (p *tab) unread(title, want string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q unread with %s", want, title), fmt.Sprintf(`(%s)?.querySelector('[data-test="unread"]')?.innerText === %s`, row(title),
		map[bool]string{true: "undefined", false: fmt.Sprintf("%q", want)}[want == ""]))
}

// pick opens the conversation whose title contains a text.
func (p *tab) pick(title string) {
	p.t.Helper()
	p.until("the conversation "+title, row(title))
	p.run(chromedp.Focus(chromedp.CSS(".list .search input")))
	p.typed(title)
	p.until("that one alone", `document.querySelectorAll(".conv").length === 1`)
	p.key("Enter")
	p.until("the talk", fmt.Sprintf(`document.activeElement.id === "write" && document.querySelector(".talk h2")?.innerText.includes(%q)`, title))
	p.do(`(() => { const f = document.querySelector(".list .search input"); f.value = ""; f.dispatchEvent(new Event("input")); })()`)
}

// mark picks an entry of a conversation's menu.
func (p *tab) mark(title, act string) {
	p.t.Helper()
	p.until("the conversation "+title, row(title))
	p.do(fmt.Sprintf(`(%s).dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, clientX: 120, clientY: 200 }))`, row(title)))
	p.click(fmt.Sprintf(`.menu [data-act=%q]`, act))
	p.until("no menu", `!document.querySelector(".menu")`)
}

// ticks waits for the state of one's newest message.
func (p *tab) ticks(want string) {
	p.t.Helper()
	p.until("the newest message to be "+want, fmt.Sprintf(`[...document.querySelectorAll('.own [data-test="state"]')].at(-1)?.dataset.state === %q`, want))
}

func TestBrowserTicksFollowTheOther(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	tom.enter(s, "Tom", "")
	tom.talkTo("", "Jerry")
	tom.say("Are you there?")
	tom.ticks("sent")

	jerry := c.tab(t, "Jerry", desk)
	jerry.enter(s, "Jerry", "")
	tom.ticks("received")
	tom.until("the dot of who is online", `document.querySelector(".conv .dot") && document.querySelector(".talk h2").innerText.includes("online")`)
	jerry.pick("Tom")
	tom.ticks("read")

	// Who looks at something else has not read.
	jerry.talkTo("", "Alex")
	tom.say("And now?")
	tom.ticks("received")
	jerry.unread("Tom", "1")
	jerry.pick("Tom")
	tom.ticks("read")
	jerry.unread("Tom", "")
	c.silent(t)
}

func TestBrowserInbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := c.tab(t, "Tom", desk), c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(s, "Jerry", "")
	tom.talkTo("", "Jerry")
	for i, line := range []string{"First light at six.", "The lake is half frozen.", "Bring the long lens."} {
		tom.say(line)
		jerry.unread("Tom", fmt.Sprint(i+1))
	}
	jerry.until("the last line in the list", fmt.Sprintf(`(%s)?.querySelector(".last").innerText.includes("long lens")`, row("Tom")))
	jerry.until("the count in the title", `document.title.startsWith("(3) ")`)

	// A mention is told apart; muted counts are quiet; what is kept on top is first.
	tom.talkTo("Weekend flight plan", "Jerry", "Alex", "Iron")
	tom.say("Who drives?")
	tom.say("@Jerry you have the big car")
	jerry.unread("Weekend", "2")
	jerry.until("the mention", fmt.Sprintf(`(%s)?.querySelector(".badge.calls")`, row("Weekend")))
	tom.talkTo("Bird news", "Jerry", "Alex")
	tom.say("[automatic] 42 sightings today")
	jerry.unread("Bird news", "1")
	jerry.mark("Bird news", "mute")
	jerry.until("a quiet count", fmt.Sprintf(`(%s)?.querySelector(".badge.quiet")`, row("Bird news")))
	jerry.mark("Tom", "pin")
	jerry.until("Tom on top", `document.querySelector(".conv .title")?.innerText.includes("Tom")`)

	// All of it is the server's: it is there right after a reload.
	jerry.run(chromedp.Reload())
	jerry.unread("Tom", "3")
	jerry.unread("Weekend", "2")
	jerry.until("the mention again", fmt.Sprintf(`(%s)?.querySelector(".badge.calls")`, row("Weekend")))
	jerry.until("Tom on top again", `document.querySelector(".conv .title")?.innerText.includes("Tom")`)
	jerry.until("muted ones left out of the title", `document.title.startsWith("(5) ")`)

	// A draft stays with its conversation, on the server too.
	jerry.talkTo("", "Alex")
	jerry.run(chromedp.Focus(chromedp.CSS("#write")))
	jerry.typed("About the hide at the north shore")
	jerry.talkTo("", "Iron")
	jerry.until("the draft", `[...document.querySelectorAll(".last.draft")].some((e) => e.innerText === "Draft: About the hide at the north shore")`)
	jerry.shot("inbox-light")
	jerry.scheme("dark")
	jerry.shot("inbox-dark")
	jerry.scheme("light")
	jerry.run(chromedp.Reload())
	jerry.until("the draft again", `document.querySelector(".last.draft")`)
	jerry.pick("Alex")
	jerry.until("its text in the field", `document.querySelector("#write").value === "About the hide at the north shore"`)

	// Archived is out of the list, and back.
	jerry.mark("Bird news", "archive")
	jerry.until("one less", `document.querySelectorAll(".conv").length === 4`)
	jerry.click(`[data-test="archive"]`)
	jerry.until("the archive", `document.querySelectorAll(".conv").length === 1`)
	jerry.unread("Bird news", "1")
	jerry.mark("Bird news", "archive")
	jerry.until("no archive", `document.querySelectorAll(".conv").length === 5`)
	jerry.pick("Weekend")
	jerry.unread("Weekend", "")
	jerry.until("no mention", fmt.Sprintf(`!(%s).querySelector(".badge")`, row("Weekend")))

	// A cleared history is empty here and whole on the other side.
	jerry.pick("Tom")
	jerry.until("the talk", `document.querySelectorAll(".message").length === 3`)
	jerry.click(`[data-test="conversation"]`)
	jerry.click(`.menu [data-act="clear"]`)
	jerry.sees("Nothing said yet")
	tom.pick("Jerry")
	tom.hears("First light at six.", "The lake is half frozen.", "Bring the long lens.")
	tom.say("Still here?")
	jerry.hears("Still here?")
	c.silent(t)
}

func TestBrowserReadersOfAGroup(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := c.tab(t, "Tom", desk), c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(s, "Jerry", "")
	tom.talkTo("Flock", "Jerry", "Alex", "Iron")
	tom.say("Who reads this?")
	jerry.pick("Flock")
	tom.until("one reader", `[...document.querySelectorAll('.own [data-test="state"]')].at(-1)?.innerText === "Read by 1"`)
	tom.click(`.own [data-test="state"]`)
	tom.sees("1 of 3 have read it")
	tom.until("who it is", `[...document.querySelectorAll(".people li")].map((li) => li.innerText.split("\n").at(-1)).sort().join() === "Not received yet,Not received yet,Read"`)
	c.silent(t)
}

// More members than a page of them.
func TestBrowserManyMembers(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	tom.enter(s, "Tom", "")
	tom.talkTo("Flock", "Jerry", "Alex")
	demo := demoApp(s)
	ids := demo.users(t, 130)
	demo.must(t, "POST", convPath(js[string](tom, `location.hash.slice(3)`), "members"), map[string]any{"client_ids": ids})
	tom.until("133 members", `document.querySelector(".talk h2").innerText.includes("133")`)
	tom.click(`[data-test="details"]`)
	tom.until("a page of them", `document.querySelectorAll(".people li").length === 100`)
	tom.do(`document.querySelector(".people").scrollTop = 1e6`)
	tom.until("all of them", `document.querySelectorAll(".people li").length === 133`)
	tom.sees(ids[129])
	c.silent(t)
}
