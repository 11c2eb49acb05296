package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// chrome is one headless browser; its tabs are contexts of their own. Tests share a
// browser, which takes longer to start than most of them.
type chrome struct {
	ctx  context.Context
	bugs *logBuffer // what pages wrote to their consoles, which should be nothing
}

// sharedBrowser is the one of all tests that need no flags of their own.
var sharedBrowser struct {
	once sync.Once
	ctx  context.Context
	end  func() // nil: it did not start
	err  error
}

// browserProgram is the browser's program; empty: there is none. The headless shell draws the same
// pages for a third of the CPU time, since it has no windows, toolbars and services of its own.
func browserProgram() string {
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// browsing are the tests that use a browser now: as many as two cores can draw for
// without one of them waiting for a minute.
var browsing = make(chan struct{}, 2)

// browse is the shared browser, or with flags one of the test's own. It waits until few
// enough tests use one.
func browse(t *testing.T, more ...chromedp.ExecAllocatorOption) *chrome {
	t.Helper()
	browsing <- struct{}{}
	t.Cleanup(func() { <-browsing })
	if browserProgram() == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no chromium: apt-get install chromium-headless-shell")
		}
		t.Skip("no chromium: apt-get install chromium-headless-shell")
	}
	if len(more) > 0 {
		ctx, end, err := startBrowser(more...)
		if err != nil {
			t.Fatalf("start chromium: %v", err)
		}
		t.Cleanup(end)
		return &chrome{ctx: ctx, bugs: &logBuffer{}}
	}
	b := &sharedBrowser
	b.once.Do(func() { b.ctx, b.end, b.err = startBrowser() })
	if b.err != nil {
		t.Fatalf("start chromium: %v", b.err)
	}
	return &chrome{ctx: b.ctx, bugs: &logBuffer{}}
}

// endSharedBrowser ends it if any test has used it.
func endSharedBrowser() {
	if sharedBrowser.end != nil {
		sharedBrowser.end()
	}
}

func startBrowser(more ...chromedp.ExecAllocatorOption) (context.Context, func(), error) {
	profile, err := os.MkdirTemp(tempDir, "chrome-")
	if err != nil {
		return nil, nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.UserDataDir(profile), chromedp.ExecPath(browserProgram()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), append(opts, more...)...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	end := func() {
		cancel()
		cancelAlloc()
		_ = os.RemoveAll(profile) // a temp dir
	}
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, nil, err
	}
	return ctx, end, nil
}

// slowly is how long a step in a page may take: pages of several tests are drawn at once.
const slowly = 3 * patience

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
	return context.WithTimeout(p.ctx, slowly)
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
	for deadline := time.Now().Add(slowly); !js[bool](p, "Boolean("+condition+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.failf("waited %v for: %s", slowly, what)
		}
	}
}

func (p *tab) sees(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("the text %q", text), fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// click clicks the element that the selector finds. The page may replace or move it before the
// click arrives. A person would click again then, and so does click.
func (p *tab) click(selector string) {
	p.t.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	for hit := false; !hit; {
		p.do(fmt.Sprintf(`window.hit = false;
			addEventListener("click", (e) => { window.hit = e.target.closest(%q) !== null }, { capture: true, once: true })`, selector))
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		if err != nil && !strings.Contains(err.Error(), "Could not find node") {
			p.failf("click %s: %v", selector, err)
		}
		hit = err == nil && js[bool](p, `window.hit !== false`) // not set: the click led to another page
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
	deadline := time.Now().Add(slowly)
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
