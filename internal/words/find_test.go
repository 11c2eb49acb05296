package words

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/skein-im/skein"
)

func compile(t testing.TB, list skein.WordList) *Matcher {
	t.Helper()
	m, err := Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTextsAreMasked(t *testing.T) {
	list := skein.WordList{Replace: []string{"傻瓜", "bad", "Straße", "café", "hello world", "2024", "がく", "微信", "v信", "x傻", "c++", "한글", "fi"}}
	strict, loose := compile(t, list), list
	loose.IgnoreSeparators = true
	for name, tt := range map[string]struct{ text, want, ignoring string }{
		"nothing":                      {"hello there", "hello there", ""},
		"a Chinese word":               {"你是傻瓜吗", "你是**吗", ""},
		"case":                         {"BaD", "***", ""},
		"full width":                   {"ｂａｄ！", "***！", ""},
		"a Latin word inside another":  {"badge embad", "badge embad", ""},
		"beside Chinese":               {"你bad我", "你***我", ""},
		"beside punctuation":           {"(bad).", "(***).", ""},
		"digits are words":             {"120245 2024年", "120245 ****年", ""},
		"zero width inside":            {"b\u200ba\ufeffd", "*****", ""},
		"zero width does not separate": {"x\u200bbad bad\u2060x", "x\u200bbad bad\u2060x", ""},
		"a stroke through each letter": {"b\u0336a\u0336d", "*****", ""},
		"a mark that composes":         {"bád bad́", "bád ****", ""},
		"composed and decomposed":      {"café cafe\u0301 cafe", "**** ***** cafe", ""},
		"full folding":                 {"STRASSE", "*******", ""},
		"mathematical letters":         {"𝐛𝐚𝐝 𝓫𝓪𝓭", "*** ***", ""},
		"circled letters":              {"ⓑⓐⓓ", "***", ""},
		"a ligature":                   {"ﬁ fire", "* fire", ""},
		"half-width kana":              {"ｶﾞｸ ガク がく", "ｶﾞｸ ガク **", ""},
		"Hangul jamo":                  {"\u1112\u1161\u11ab글 한글", "**** **", ""},
		"two scripts in a word":        {"加v信 加wv信 wx傻 x傻", "加** 加wv信 wx傻 **", ""},
		"a space in a word":            {"hello\u3000world hello world", "*********** ***********", ""},
		"separators inside":            {"傻 瓜 b.a-d", "傻 瓜 b.a-d", "*** *****"},
		"emoji inside":                 {"傻😀瓜", "傻😀瓜", "***"},
		"separators between words":     {"sub ad, bad", "sub ad, ***", ""},
		"punctuation of the word":      {"c++ c", "*** c", "*++ *"},
		"overlapping":                  {"x傻瓜", "***", ""},
		"controls":                     {"b\x01ad", "****", ""},
		"broken UTF-8":                 {"b\xffad bad", "b\xffad ***", "**** ***"},
		"variation selectors and tags": {"傻\ufe0f瓜 b\U000e0061ad", "*** ****", ""},
	} {
		if tt.ignoring == "" {
			tt.ignoring = tt.want
		}
		if got := Mask(tt.text, strict.Find(tt.text, false)); got != tt.want {
			t.Errorf("%s: %q: got %q, want %q", name, tt.text, got, tt.want)
		}
		if got := Mask(tt.text, compile(t, loose).Find(tt.text, false)); got != tt.ignoring {
			t.Errorf("%s, separators ignored: %q: got %q, want %q", name, tt.text, got, tt.ignoring)
		}
	}
}

func TestAWordThatRejectsIsFoundAmongOthers(t *testing.T) {
	m := compile(t, skein.WordList{Replace: []string{"abc", "不好", "both"}, Reject: []string{"b", "不好意", "both"}})
	for text, want := range map[string]bool{"abc": false, "a b": true, "不好": false, "不好意思": true, "both": true, "BOTH ": true} {
		hits := m.Find(text, true)
		if got := slices.ContainsFunc(hits, func(h Hit) bool { return h.Reject }); got != want {
			t.Errorf("%q: got %v, want rejected %v", text, hits, want)
		}
	}
}

// TestTheMatcherFindsWhatAPlainSearchFinds compares it with a search that tries every word at every place.
func TestTheMatcherFindsWhatAPlainSearchFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []rune("aab的的是e\u0301\u0336ﬁfi\u200b -Éé가각ᄀ")
	random := func(n int) string {
		w := make([]rune, n)
		for i := range w {
			w[i] = letters[r.IntN(len(letters))]
		}
		return string(w)
	}
	f := folding()
	for range 300 {
		list := skein.WordList{IgnoreSeparators: r.IntN(2) == 0}
		for range 1 + r.IntN(8) {
			if w := random(1 + r.IntN(4)); len(f.symbols(strings.TrimSpace(w), list.IgnoreSeparators)) > 0 {
				list.Reject = append(list.Reject, w)
			}
		}
		m := compile(t, list)
		for range 20 {
			text := random(r.IntN(14))
			if got, want := len(m.Find(text, true)) > 0, plain(f, list, text); got != want {
				t.Fatalf("words %q, separators ignored %v, text %q: got %v, want %v", list.Reject, list.IgnoreSeparators, text, got, want)
			}
		}
	}
}

// plain reports whether a word is in a text.
func plain(f *foldings, list skein.WordList, text string) bool {
	type seen struct {
		r    rune
		edge bool // a word may begin here
	}
	var all []seen
	last := false
	for _, r := range norm.NFKC.String(text) {
		if stray(r) {
			continue
		}
		for _, r := range f.of(r, nil) {
			w := r < tableRunes && f.worded[r]
			all = append(all, seen{r, !w || !last})
			last = w
		}
	}
	kept := all[:0:0]
	for i, s := range all {
		if list.IgnoreSeparators && separates(s.r) {
			if i+1 < len(all) {
				all[i+1].edge = true
			}
			continue
		}
		kept = append(kept, s)
	}
	for _, w := range list.Reject {
		word := f.symbols(strings.TrimSpace(w), list.IgnoreSeparators)
		for i := 0; i+len(word) <= len(kept); i++ {
			same := kept[i].edge && (i+len(word) == len(kept) || kept[i+len(word)].edge)
			for j := range word {
				same = same && kept[i+j].r == word[j]
			}
			if same {
				return true
			}
		}
	}
	return false
}

func TestHostileTextsEndInTime(t *testing.T) {
	var nested []string
	for n := 1; n <= MaxWordLength; n++ {
		nested = append(nested, strings.Repeat("的", n), strings.Repeat("a", n))
	}
	m := compile(t, skein.WordList{Replace: nested, IgnoreSeparators: true})
	for name, text := range map[string]string{
		"the same rune": strings.Repeat("的", skein.MaxText/3), "the same letter": strings.Repeat("a ", skein.MaxText/2),
		"marks": "a" + strings.Repeat("\u0301", skein.MaxText/2), "zero width": "a" + strings.Repeat("\u200b", skein.MaxText/3) + "b",
		"expansions": strings.Repeat("\ufdfa", skein.MaxText/3),
	} {
		if got := Mask(text, m.Find(text, false)); len(got) > len(text) {
			t.Errorf("%s: got a longer text of %d bytes", name, len(got))
		}
	}
}

func FuzzFind(f *testing.F) {
	m, err := Compile(skein.WordList{Replace: []string{"bad", "傻瓜", "fi"}, Reject: []string{"不好", "ﷺ"}, IgnoreSeparators: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("b\u200bad 傻 瓜\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		hits := m.Find(text, false)
		for _, h := range hits {
			if h.From < 0 || h.To > len(text) || h.From >= h.To {
				t.Fatalf("%q: got %v", text, h)
			}
		}
		if masked := Mask(text, hits); len(hits) == 0 != (masked == text) && !strings.Contains(text, "*") {
			t.Fatalf("%q: got %q for %v", text, masked, hits)
		}
	})
}

func TestListsAreBounded(t *testing.T) {
	for name, list := range map[string]skein.WordList{
		"an empty word":        {Replace: []string{""}},
		"a blank word":         {Replace: []string{" \t"}},
		"an invisible word":    {Reject: []string{"\u200b"}},
		"a word too long":      {Reject: []string{strings.Repeat("a", MaxWordLength+1)}},
		"separators alone":     {Reject: []string{"--"}, IgnoreSeparators: true},
		"too many words":       {Reject: make([]string, MaxWords+1)},
		"more bytes than 2 MB": {Replace: slices.Repeat([]string{strings.Repeat("的", MaxWordLength)}, MaxListBytes/3/MaxWordLength+1)},
	} {
		if name == "too many words" {
			for i := range list.Reject {
				list.Reject[i] = "a"
			}
		}
		if _, err := Compile(list); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// randomWords are n words, two thirds of them Chinese.
func randomWords(n int) []string {
	r := rand.New(rand.NewPCG(1, 1))
	seen := make(map[string]bool, n)
	all := make([]string, 0, n)
	for len(all) < n {
		var w []rune
		if r.IntN(3) > 0 {
			for range 2 + r.IntN(4) {
				w = append(w, ideograph(r))
			}
		} else {
			for range 4 + r.IntN(8) {
				w = append(w, rune('a'+r.IntN(26)))
			}
		}
		if !seen[string(w)] {
			seen[string(w)] = true
			all = append(all, string(w))
		}
	}
	return all
}

// ideograph is one of 6,000, some often and most seldom, as in Chinese.
func ideograph(r *rand.Rand) rune { return 0x4e00 + rune(r.ExpFloat64()*700)%6000 }

func BenchmarkFind100000Words(b *testing.B) {
	m := compile(b, skein.WordList{Replace: randomWords(MaxWords)})
	r := rand.New(rand.NewPCG(2, 2))
	chinese, latin := make([]string, 256), make([]string, 256)
	for i := range chinese {
		var c, l []rune
		for range 100 {
			c = append(c, ideograph(r))
			l = append(l, []rune("etaoinshrdlu etaoin abcdefghijklmnopqrstuvwxyz ")[r.IntN(47)])
		}
		chinese[i], latin[i] = string(c), string(l)
	}
	for name, texts := range map[string][]string{"Chinese": chinese, "Latin": latin} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(float64(m.Size())/(1<<20), "MiB")
			for i := 0; b.Loop(); i++ {
				m.Find(texts[i%256], true)
			}
		})
	}
}

func BenchmarkCompile100000Words(b *testing.B) {
	list := skein.WordList{Replace: randomWords(MaxWords)}
	for b.Loop() {
		compile(b, list)
	}
}
