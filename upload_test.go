package skein_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestUploadsAreFoundHoweverTheLinkIsWritten(t *testing.T) {
	const hex = "0123456789abcdef0123456789abcdef"
	const link = "https://cdn.example/im/storage/uploads/" + hex + ".png"
	each := func(format string) string {
		var b strings.Builder
		for _, c := range []byte(link) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	twice := url.QueryEscape(url.QueryEscape(link))
	for name, tt := range map[string]struct {
		text  string
		found bool
	}{
		"a link":                         {link, true},
		"with a query":                   {link + "?w=1#x", true},
		"a path":                         {"/storage/uploads/" + hex + ".mp4", true},
		"the name alone":                 {hex + ".mp4", true},
		"without an extension":           {`{"file":"` + hex + `"}`, true},
		"in markdown":                    {"look: ![a](" + link + ")**!**", true},
		"in HTML":                        {`<img src="` + link + `">`, true},
		"without a space, in Chinese":    {"看这个" + link + "很好", true},
		"behind much text":               {strings.Repeat("lorem ipsum ", 99) + link, true},
		"before much text":               {link + strings.Repeat(" lorem ipsum", 99), true},
		"behind hex digits that are not": {"deadbeef/" + hex, true},
		"escaped slashes":                {strings.ReplaceAll(link, "/", `\/`), true},
		"slashes as \\u002f":             {strings.ReplaceAll(link, "/", `\u002f`), true},
		"slashes as \\u002F":             {strings.ReplaceAll(link, "/", `\u002F`), true},
		"a percent-encoded parameter":    {"https://x/?u=" + url.QueryEscape(link), true},
		"the same in small letters":      {"https://x/?u=" + strings.ToLower(url.QueryEscape(link)), true},
		"encoded twice":                  {"https://x/?u=" + twice, true},
		"slashes as entities":            {strings.ReplaceAll(link, "/", "&#x2f;"), true},
		"all of it percent-encoded":      {each("%%%02x"), true},
		"all of it encoded twice":        {strings.ReplaceAll(each("%%%02X"), "%", "%25"), true},
		"all of it as \\u":               {each(`\u%04x`), true},
		"all of it as entities":          {each("&#%d;"), true},
		"all of it as hex entities":      {each("&#x%X;"), true},
		"all of it, percent in JSON":     {strings.ReplaceAll(each("%%%02x"), "%", `\u0025`), true},
		"one digit encoded":              {strings.Replace(link, "/0", "/%30", 1), true},
		"a digit short":                  {link[:len(link)-len(hex)-4] + hex[1:] + ".png", false},
		"upper case is another path":     {strings.ToUpper(hex) + ".png", false},
		"cut in the middle":              {hex[:16] + " " + hex[16:], false},
		"no text":                        {"", false},
		"a bad escape":                   {"%3" + strings.Repeat("%zz", 40) + `\u00` + "&#;&#x;&#99999999999;%", false},
	} {
		for field, b := range map[string]skein.Body{
			"text": {Text: tt.text}, "url": {URL: tt.text}, "attr": {Attr: []byte(tt.text)},
		} {
			got, want := fmt.Sprint(b.Uploads()), "[]"
			if tt.found {
				want = "[" + hex + "]"
			}
			if got != want {
				t.Errorf("%s in %s %q: got %s, want %s", name, field, tt.text, got, want)
			}
		}
	}
}

func TestAllUploadsOfAMessageAreFoundEachOnce(t *testing.T) {
	var links []string
	for n := range 400 {
		links = append(links, fmt.Sprintf("/storage/uploads/%032x.png", n))
	}
	all := strings.Join(links, "\n")
	if got := len(skein.Body{URL: links[0], Text: all, Attr: []byte(all)}.Uploads()); got != len(links) {
		t.Errorf("of %d files, all named twice: got %d", len(links), got)
	}
}

func FuzzUploads(f *testing.F) {
	f.Add("%2f0123456789abcdef0123456789abcdef.png&#x2f;", 3)
	f.Fuzz(func(t *testing.T, text string, at int) {
		const hex = "0123456789abcdef0123456789abcdef"
		skein.UploadsIn([]byte(text), text)
		if at < 0 || at > len(text) {
			return
		}
		text = text[:at] + "/" + hex + ".png" + text[at:]
		if got := skein.UploadsIn(nil, text); !strings.Contains(fmt.Sprint(got), hex) {
			t.Errorf("%q: got %v, want %s among them", text, got, hex)
		}
	})
}

func BenchmarkUploadsInProse(b *testing.B) {
	for _, size := range []int{20, 200, 16 << 10} {
		body := skein.Body{Text: strings.Repeat("What a day! 你好 ", size)[:size]}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				body.Uploads()
			}
		})
	}
}
