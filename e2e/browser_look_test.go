package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

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

// contrast finds visible texts with a contrast of less than 4.5:1 to their background.
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

// The pairs of tokens that carry text, in both schemes.
func TestBrowserTokens(t *testing.T) {
	t.Parallel()
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
