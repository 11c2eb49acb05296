package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The chat as people use it, in a browser. SKEIN_SHOTS=1 keeps the pictures in
// docs/images.

// chrome is one headless browser; its tabs are contexts of their own.
type chrome struct {
	ctx  context.Context
	bugs *logBuffer // what pages wrote to their consoles, which should be nothing
}

func browse(t *testing.T) *chrome {
	t.Helper()
	bin, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no chromium: apt-get install chromium")
		}
		t.Skip("no chromium: apt-get install chromium")
	}
	profile, err := os.MkdirTemp("", "skein-chrome-")
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(bin), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(func() {
		cancel()
		cancelAlloc()
		_ = os.RemoveAll(profile) // a temp dir
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &chrome{ctx: ctx, bugs: &logBuffer{}}
}

// tab is one page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	name string
}

type size struct{ width, height int64 }

const shift = 8 // among the modifiers of a key

var (
	desk  = size{1440, 900}
	phone = size{390, 844}
)

// tab opens a page of its own browser context: its own storage, its own person.
func (c *chrome) tab(t *testing.T, name string, view size) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, name: name}
	// The first run opens the tab and must not have a limit of time.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.width, view.height)); err != nil {
		t.Fatalf("tab of %s: %v", name, err)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			fmt.Fprintf(c.bugs, "%s: %s\n", name, describe(ev.ExceptionDetails))
		case *runtime.EventConsoleAPICalled:
			fmt.Fprintf(c.bugs, "%s: console.%s", name, ev.Type)
			for _, arg := range ev.Args {
				fmt.Fprintf(c.bugs, " %s", arg.Value)
			}
			fmt.Fprintln(c.bugs)
		}
	})
	if err != nil {
		t.Fatalf("tab of %s: %v", name, err)
	}
	p.scheme("light")
	tell(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Shanghai"})
	// What the policy blocks is a bug of the page.
	tell(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `addEventListener("securitypolicyviolation", (e) => console.error(e.violatedDirective, e.blockedURI))`,
	})
	return p
}

// limited is the context of one step in the tab.
func (p *tab) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, patience)
}

func (p *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.failf("%v", err)
	}
}

// tell runs one command of the browser's own protocol.
func tell[P, R any](p *tab, cmd cdp.Command[P, R], params P) {
	p.t.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if _, err := chromedp.Call(ctx, cmd, params); err != nil {
		p.failf("%v", err)
	}
}

// js is the value of an expression in the page; promises are waited for.
func js[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.failf("%s: %v", expression, err)
	}
	return v
}

// do evaluates an expression for what it does.
func (p *tab) do(expression string) {
	p.t.Helper()
	js[chromedp.Void](p, expression)
}

// failf ends the test and shows what the page reads.
func (p *tab) failf(format string, args ...any) {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		text = err.Error()
	}
	if dir := os.Getenv("SKEIN_SHOTS"); dir != "" {
		if b, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot()); err == nil {
			_ = os.WriteFile(filepath.Join(os.TempDir(), "failed-"+p.name+".png"), b, 0o644) // a help for the eye
		}
	}
	p.t.Fatalf("tab of %s: %s\nthe page reads:\n%s", p.name, fmt.Sprintf(format, args...), text)
}

// until waits for a condition in the page.
func (p *tab) until(what, condition string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !js[bool](p, "Boolean("+condition+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.failf("waited %v for: %s", patience, what)
		}
	}
}

func (p *tab) sees(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("the text %q", text), fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// click clicks what the selector finds. The page may make it anew between the look
// and the click, which a person would not notice: then it looks again.
func (p *tab) click(selector string) {
	p.t.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	err := errors.New("not tried")
	for err != nil {
		err = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		if err != nil && !strings.Contains(err.Error(), "Could not find node") {
			p.failf("click %s: %v", selector, err)
		}
	}
}

func (p *tab) typed(text string) {
	p.t.Helper()
	tell(p, input.InsertText, input.InsertTextParams{Text: text})
}

// key presses one key as a keyboard does: what a page does with the key down
// decides whether its text is typed.
func (p *tab) key(key string, modifiers ...int64) {
	p.t.Helper()
	code := map[string]int64{"Enter": 13, "Escape": 27, "End": 35, "ArrowUp": 38, "ArrowDown": 40, "/": 191}[key]
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, WindowsVirtualKeyCode: code}
	for _, m := range modifiers {
		down.Modifiers |= m
	}
	switch key {
	case "Enter":
		down.Text = "\r"
	case "/":
		down.Text = key
	default:
		down.Type = input.DispatchKeyEventTypeRawKeyDown
	}
	tell(p, input.DispatchKeyEvent, down)
	tell(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, WindowsVirtualKeyCode: code})
}

// enter opens the page and picks a name.
func (p *tab) enter(s *server, name, nickname string) {
	p.t.Helper()
	p.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	p.typed(name)
	if nickname != "" {
		p.run(chromedp.Focus(chromedp.CSS("#nickname")))
		p.typed(nickname)
	}
	p.key("Enter")
	p.until("the login", `document.querySelector(".pane.list") && !document.querySelector(".list .skeleton")`)
}

// talkTo opens a conversation by the dialog.
func (p *tab) talkTo(title string, names ...string) {
	p.t.Helper()
	p.click(`[data-test="new"]`)
	p.run(chromedp.WaitVisible(chromedp.CSS("#who")))
	p.typed(strings.Join(names, " "))
	if title != "" {
		p.run(chromedp.Focus(chromedp.CSS("#group-name")))
		p.typed(title)
	}
	p.key("Enter")
	p.until("the conversation", `!document.querySelector("dialog") && document.activeElement.id === "write"`)
}

func (p *tab) say(text string) {
	p.t.Helper()
	p.run(chromedp.Focus(chromedp.CSS("#write")))
	p.typed(text)
	p.key("Enter")
}

// said is the texts of the talk, in order, as far as they are in the page.
func (p *tab) said() []string {
	p.t.Helper()
	return js[[]string](p, `[...document.querySelectorAll(".message .bubble")].map((e) => e.innerText)`)
}

func (p *tab) hears(want ...string) {
	p.t.Helper()
	var got []string
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if got = p.said(); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.failf("the talk is\n%q\nwant\n%q", got, want)
}

// attach puts a picture into the file field as the picker would.
func (p *tab) attach(file string) {
	p.t.Helper()
	p.run(chromedp.SetUploadFiles(chromedp.CSS(`[data-test="file"]`), []string{file}))
}

// shot keeps a picture of the page, and checks the contrast of what it shows.
func (p *tab) shot(name string) {
	p.t.Helper()
	tell(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: 1, Y: 1})
	// The pointer out of the way, fonts in, pictures decoded, layout settled.
	p.do(`(async () => {
		await document.fonts.ready;
		await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
		for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
	})()`)
	p.legible(name)
	if os.Getenv("SKEIN_SHOTS") == "" {
		return
	}
	b, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join("..", "docs", "images", name+".png")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// contrast finds texts in sight that hold less than 4.5:1 against what is behind.
const contrast = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const rgba = (css) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = css;
		canvas.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
		return [r, g, b, a / 255];
	};
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
	const behind = (el) => {
		const layers = [];
		for (let e = el; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
	};
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
		if (el.closest(".off-screen, .skip, :disabled, dialog:not([open])")) continue;
		const back = behind(el);
		const r = ratio(over(rgba(getComputedStyle(el).color), back), back);
		if (r < 4.5) bad.push(r.toFixed(2) + " " + el.className + " " + walk.currentNode.data.slice(0, 40));
	}
	for (const el of document.querySelectorAll("input, textarea")) {
		if (!el.checkVisibility()) continue;
		const r = ratio(rgba(getComputedStyle(el, "::placeholder").color), behind(el));
		if (r < 4.5) bad.push(r.toFixed(2) + " placeholder of " + (el.id || el.ariaLabel));
	}
	return bad;
})()`

func (p *tab) legible(where string) {
	p.t.Helper()
	if bad := js[[]string](p, contrast); len(bad) > 0 {
		p.t.Errorf("%s: contrast under 4.5:1\n%s", where, strings.Join(bad, "\n"))
	}
	if nameless := js[[]string](p, `[...document.querySelectorAll("button, a[href], input, textarea, dialog, nav, main, aside, [role=listbox], img")]
		.filter((el) => el.checkVisibility() && !(el.ariaLabel || el.title || el.alt || el.innerText?.trim() || el.labels?.length))
		.map((el) => el.outerHTML.slice(0, 120))`); len(nameless) > 0 {
		p.t.Errorf("%s: without a name for who does not see it:\n%s", where, strings.Join(nameless, "\n"))
	}
	if js[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
		p.t.Errorf("%s: the page scrolls sideways", where)
	}
}

func (p *tab) scheme(v string) {
	p.t.Helper()
	tell(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: v}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

func describe(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

// silent fails the test for anything a page wrote to its console or its policy
// blocked.
func (c *chrome) silent(t *testing.T) {
	t.Helper()
	if bugs := c.bugs.tail(0); bugs != "" {
		t.Errorf("the pages complained:\n%s", bugs)
	}
}

// painted is a picture to send: a sky at dusk.
func painted(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 480, 300))
	for y := range 300 {
		for x := range 480 {
			c := color.RGBA{uint8(47 + y*2/3), uint8(111 + y/4), uint8(160 - y/6), 255}
			if d := (x-340)*(x-340) + (y-210)*(y-210); d < 30*30 {
				c = color.RGBA{250, 226, 178, 255}
			}
			if hill := 245 - int(30*math.Sin(float64(x)/95)); y > hill {
				c = color.RGBA{30, 52, 62, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dusk.png")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBrowserTalk(t *testing.T) {
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
	tom.do(`document.querySelector('[data-test="frames"]').scrollTop = 1e9`)
	tom.run(chromedp.Focus(chromedp.CSS(`[data-test="frames"]`)))
	tom.key("End")
	tom.key("Enter")
	tom.until("the unfolded frame", `document.querySelector(".frame.open .json .k")?.innerText === "type"`)
	tom.until("its text", `document.querySelector(".frame.open .json").innerText.includes("averyveryverylongword")`)
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

func TestBrowserServerLoss(t *testing.T) {
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	jerry := c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(s, "Jerry", "")
	tom.talkTo("", "Jerry")
	tom.say("one")
	jerry.until("the conversation", `document.querySelector(".conv")`)
	jerry.click(".conv")
	jerry.hears("one")
	jerry.say("two")
	tom.hears("one", "two")

	s.Kill(t)
	for _, p := range []*tab{tom, jerry} {
		p.until("the offline bar", `!document.querySelector('[data-test="offline"]').hidden`)
		p.until("its countdown", `/Next try in \d+ s|Trying again/.test(document.querySelector('[data-test="offline"]').innerText)`)
	}
	// What is written now waits.
	tom.say("three")
	tom.say("four")
	jerry.say("five")
	tom.until("the waiting messages", `document.querySelectorAll(".message.own.sending").length === 2`)
	tom.sees("Waiting for the connection")
	tom.until("a countdown to show", `/Next try in [1-9]/.test(document.querySelector('[data-test="offline"]').innerText)`)
	tom.shot("offline-light")

	s.Restart(t)
	for _, p := range []*tab{tom, jerry} {
		p.do(`[...document.querySelectorAll('[data-test="offline"] button')].forEach((b) => b.click())`)
		p.until("the bar to go", `document.querySelector('[data-test="offline"]').hidden`)
		p.until("five lines, sent", `document.querySelectorAll(".message").length === 5 && !document.querySelector(".message.sending, .message.failed")`)
	}
	a, b := tom.said(), jerry.said()
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("Tom reads %q, Jerry %q: want the same order", a, b)
	}
	for _, line := range []string{"one", "two", "three", "four", "five"} {
		if n := strings.Count(" "+strings.Join(a, "  ")+" ", " "+line+" "); n != 1 {
			t.Errorf("after the restart %q is there %d times in %q, want once", line, n, a)
		}
	}
	if at := strings.Join(a, " "); strings.Index(at, "three") > strings.Index(at, "four") {
		t.Errorf("after the restart Tom's lines are out of order: %q", a)
	}
	// The talk goes on, live.
	jerry.say("six")
	tom.until("the sixth", `[...document.querySelectorAll(".bubble")].at(-1).innerText === "six"`)
	c.silent(t)
}

func TestBrowserStates(t *testing.T) {
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

// A reader whose browser speaks Chinese gets the page in Chinese.
func TestBrowserChinese(t *testing.T) {
	s := start(t)
	c := browse(t)
	ming, hong := c.tab(t, "ming", desk), c.tab(t, "hong", desk)
	for _, p := range []*tab{ming, hong} {
		tell(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: js[string](p, `navigator.userAgent`), AcceptLanguage: "zh-CN,zh",
		})
	}
	ming.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	ming.sees("用户 ID")
	ming.shot("welcome-zh-light")
	ming.enter(s, "xiaoming", "小明")
	hong.enter(s, "xiaohong", "小红")
	ming.talkTo("", "xiaohong")
	ming.say("早上好！昨晚的雁群看到了吗？")
	hong.until("the conversation", `document.querySelector(".conv")`)
	hong.click(".conv")
	hong.until("the name", `document.querySelector(".talk h2").innerText.includes("小明")`)
	hong.say("看到了，天刚亮就从湖面上飞过去了，排成“人”字。")
	hong.attach(painted(t))
	ming.until("the picture", `document.querySelector('.message:not(.own) img')?.naturalWidth === 480`)
	ming.say("真好看 🪿 下次叫上我。")
	ming.until("all sent", `document.querySelectorAll(".message").length === 4 && !document.querySelector(".message.sending")`)
	ming.sees("小红")
	ming.shot("chat-zh-light")
	ming.scheme("dark")
	ming.shot("chat-zh-dark")
	ming.scheme("light")
	ming.run(chromedp.EmulateViewport(900, 700))
	ming.until("two panes", `!document.querySelector(".pane.wire").checkVisibility()`)
	ming.shot("tablet-light")
	// A refusal is in the reader's language too.
	ming.click(`[data-test="new"]`)
	ming.run(chromedp.WaitVisible(chromedp.CSS("#who")))
	ming.typed("nobody")
	ming.key("Enter")
	ming.sees("错误码 211")
	ming.sees("未知用户")
	c.silent(t)
}

// Markup, odd addresses and odd types are only ever text.
func TestBrowserHostileMessages(t *testing.T) {
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
	send(map[string]any{"type": -2, "url": "javascript:alert(1)"})
	send(map[string]any{"type": -2, "url": "data:text/html,<script>alert(1)</script>"})
	send(map[string]any{"type": -2, "url": "http://pictures.example/x.png"})
	send(map[string]any{"type": -2, "url": "https://pictures.example/x.png"})
	send(map[string]any{"type": -6, "url": "javascript:alert(1)"})
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

// Ten thousand messages: few are in the page, and what one reads stays put while
// older ones load and new ones come.
func TestBrowserLongTalk(t *testing.T) {
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
			if _, err := jerry.post("msg.send", map[string]any{"conv_id": conv, "type": -1, "text": text}); err != nil {
				t.Fatal(err)
			}
		}
		for range min(window, n-sent) {
			if a := jerry.next(t); a.Type != "msg.send.success" {
				t.Fatalf("fill: got %s", a)
			}
		}
	}
	jerry.drop()
}

// The pairs of tokens that carry text, in both schemes.
func TestBrowserTokens(t *testing.T) {
	s := start(t)
	c := browse(t)
	p := c.tab(t, "tokens", desk)
	p.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		p.do(`(() => {
			const pairs = [];
			for (const back of ["paper", "raised", "sunken", "accent-soft", "warn-soft", "danger-soft"])
				for (const front of ["ink", "accent", "danger"]) pairs.push([front, back]);
			for (const back of ["paper", "raised", "sunken", "accent-soft"])
				for (const front of ["muted", "ok", "warn", "violet"]) pairs.push([front, back]);
			pairs.push(["on-accent", "accent"], ["paper", "ink"]);
			const box = document.createElement("main");
			for (const [front, back] of pairs) {
				const el = document.createElement("p");
				el.style.color = "var(--" + front + ")";
				el.style.background = "var(--" + back + ")";
				el.className = front + " on " + back;
				el.textContent = "Skein";
				box.append(el);
			}
			document.body.replaceChildren(box);
		})()`)
		if bad := js[[]string](p, contrast); len(bad) > 0 {
			t.Errorf("%s: pairs under 4.5:1\n%s", scheme, strings.Join(bad, "\n"))
		}
	}
	c.silent(t)
}
