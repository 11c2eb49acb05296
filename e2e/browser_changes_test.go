package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// messageOf is an expression for the message that says a text.
func messageOf(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".message")].find((m) => m.querySelector(".bubble")?.lastChild.textContent.includes(%q))`, text)
}

// menuOf opens the menu of the message that says a text.
func (p *tab) menuOf(text string) {
	p.t.Helper()
	p.until("the message "+text, fmt.Sprintf(`(%s)?.querySelector(".act")`, messageOf(text)))
	p.do(fmt.Sprintf(`(%s).querySelector(".act").click()`, messageOf(text)))
	p.until("its menu", `document.querySelector(".menu")`)
}

// does picks an entry of the menu of the message that says a text.
func (p *tab) does(text, act string) {
	p.t.Helper()
	p.menuOf(text)
	p.click(fmt.Sprintf(`.menu [data-act=%q]`, act))
	p.until("no menu", `!document.querySelector(".menu")`)
}

// rid waits until a text is nowhere in the page.
func (p *tab) rid(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("no %q in the page", text), fmt.Sprintf(`!document.documentElement.innerHTML.includes(%q)`, text))
}

// pair is a talk of Tom and Jerry, open on both sides.
func pair(t *testing.T, s *server, c *chrome) (tom, jerry *tab) {
	t.Helper()
	tom, jerry = c.tab(t, "Tom", desk), c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(s, "Jerry", "")
	tom.talkTo("", "Jerry")
	jerry.pick("Tom")
	return tom, jerry
}

func TestBrowserChanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := pair(t, s, c)
	tom.say("Meet at the notrh shore?")
	tom.say("Six o'clock, by the boat house.")
	tom.say("The door code is 4711")
	jerry.hears("Meet at the notrh shore?", "Six o'clock, by the boat house.", "The door code is 4711")

	// An edit, with ArrowUp or by the menu.
	tom.does("notrh", "edit")
	tom.until("the text to edit", `document.querySelector("#write").value === "Meet at the notrh shore?"`)
	tom.do(`document.querySelector("#write").value = ""`)
	tom.typed("Meet at the north shore?")
	tom.key("Enter")
	jerry.until("the edit", fmt.Sprintf(`(%s)?.querySelector(".edited")?.innerText === "edited"`, messageOf("north shore")))
	tom.until("the edit", fmt.Sprintf(`(%s)?.querySelector(".edited")`, messageOf("north shore")))
	jerry.rid("notrh")

	// Reactions: set, counted, taken back.
	jerry.menuOf("Six o'clock")
	jerry.click(`.menu [data-emoji="👍"]`)
	tom.until("the reaction", `document.querySelector('.reaction[data-emoji="👍"]')?.innerText.replace(/\s/g, "") === "👍1"`)
	tom.click(`.reaction[data-emoji="👍"]`)
	jerry.until("both", `document.querySelector('.reaction[data-emoji="👍"]')?.innerText.replace(/\s/g, "") === "👍2"`)
	tom.menuOf("Six o'clock")
	tom.click(`.menu [data-emoji="🎉"]`)
	jerry.until("another", `document.querySelectorAll(".reaction").length === 2`)
	tom.click(`.reaction[data-emoji="🎉"]`)
	jerry.until("it is taken back", `document.querySelectorAll(".reaction").length === 1`)

	// An answer shows what it answers.
	jerry.does("The door code", "reply")
	jerry.typed("Thanks, noted.")
	jerry.key("Enter")
	tom.until("the quote", fmt.Sprintf(`(%s)?.querySelector(".quote")?.innerText.includes("4711")`, messageOf("Thanks, noted.")))

	// A pin stands above the talk on both sides.
	jerry.does("Six o'clock", "pin")
	for _, p := range []*tab{tom, jerry} {
		p.until("the pin", `document.querySelector('[data-test="pinned"]').checkVisibility() && document.querySelector('[data-test="pinned"]').innerText.includes("boat house")`)
	}

	// What the other writes just now.
	jerry.run(chromedp.Focus(chromedp.CSS("#write")))
	jerry.typed("An")
	tom.until("who writes", `document.querySelector('[data-test="typing"]').innerText === "Jerry is writing…"`)

	tom.menuOf("Six o'clock")
	tom.until("the boxes ticked", `document.querySelector('.menu [data-emoji="👍"]')?.ariaChecked === "true"`)
	tom.shot("changes-light")
	tom.scheme("dark")
	tom.shot("changes-dark")
	tom.scheme("light")
	tom.key("Escape")
	tom.until("no menu", `!document.querySelector(".menu")`)
	jerry.do(`(() => { const f = document.querySelector("#write"); f.value = ""; f.dispatchEvent(new Event("input")); })()`)
	tom.until("nobody writes", `document.querySelector('[data-test="typing"]').innerText === ""`)

	// A recall takes the text from both, and from the quote.
	tom.does("The door code", "undo")
	tom.sees("You recalled a message")
	jerry.sees("Tom recalled a message")
	tom.rid("4711")
	jerry.rid("4711")
	jerry.until("a quote without a text", fmt.Sprintf(`(%s)?.querySelector(".quote")?.innerText.includes("Recalled message")`, messageOf("Thanks, noted.")))
	jerry.shot("recalled-light")
	tom.do(`document.querySelector(".message.recalled .link").click()`)
	tom.until("the text to write anew", `document.querySelector("#write").value === "The door code is 4711"`)
	tom.do(`(() => { const f = document.querySelector("#write"); f.value = ""; f.dispatchEvent(new Event("input")); })()`)
	// Recalling what is pinned takes the pin away.
	tom.does("Six o'clock", "undo")
	for _, p := range []*tab{tom, jerry} {
		p.until("no pin", `!document.querySelector('[data-test="pinned"]').checkVisibility()`)
	}

	// Deleted for oneself: gone here, there on the other side, also after a reload.
	tom.does("Thanks, noted.", "bin")
	tom.rid("Thanks, noted.")
	tom.run(chromedp.Reload())
	tom.until("the talk again", fmt.Sprintf(`(%s)?.querySelector(".edited")`, messageOf("north shore")))
	tom.until("no text of what was deleted", `document.querySelectorAll(".bubble").length === 1`)
	tom.rid("Thanks, noted.")
	tom.sees("You recalled a message")
	jerry.hears("Meet at the north shore?", "Tom\nRecalled message\nThanks, noted.")
	c.silent(t)
}

// Hands: the talk by keyboard alone.
func TestBrowserChangesByKeyboard(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := pair(t, s, c)
	tom.say("one")
	tom.say("tow")
	jerry.hears("one", "tow")
	tom.until("both sent", `document.querySelectorAll(".message").length === 2 && !document.querySelector(".message.sending")`)
	tom.key("ArrowUp")
	tom.until("the newest to edit", `document.querySelector("#write").value === "tow"`)
	tom.key("Escape")
	tom.until("the field empty again", `document.querySelector("#write").value === "" && !document.querySelector(".about button")`)
	tom.key("ArrowUp")
	tom.do(`document.querySelector("#write").select()`)
	tom.typed("two")
	tom.key("Enter")
	jerry.hears("one", "two")

	tom.run(chromedp.Focus(chromedp.CSS(`[data-test="messages"]`)))
	tom.key("ArrowUp")
	tom.key("ArrowUp")
	tom.until("the first message", `document.activeElement.matches(".message") && document.activeElement.innerText.includes("one")`)
	tom.key("Enter")
	tom.until("its menu, on the first reaction", `document.activeElement.dataset.emoji === "👍"`)
	tom.key("Enter")
	jerry.until("the reaction", `document.querySelector(".reaction")`)
	tom.until("back at the message", `document.activeElement.matches(".message")`)
	c.silent(t)
}
