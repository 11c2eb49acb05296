package words

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Hit is a word in a text, as byte offsets.
type Hit struct {
	From, To int
	Reject   bool
}

// Find returns the words in a text. At each place where words end it returns the longest one that
// is to be replaced, and each one that rejects. With first it stops at a word that rejects.
func (m *Matcher) Find(text string, first bool) []Hit {
	s := search{m: m, text: text, first: first}
	if !s.fast() {
		s = search{m: m, text: text, first: first}
		s.normalised()
	}
	s.end(false)
	return s.hits
}

// Verdict is what becomes of a text.
type Verdict int8

// Verdicts.
const (
	Pass Verdict = iota
	Replace
	Reject
)

func (v Verdict) String() string { return [...]string{"pass", "replace", "reject"}[v] }

// VerdictOf is what hits make of their text.
func VerdictOf(hits []Hit) Verdict {
	switch {
	case len(hits) == 0:
		return Pass
	case slices.ContainsFunc(hits, func(h Hit) bool { return h.Reject }):
		return Reject
	default:
		return Replace
	}
}

// Mask replaces words: each rune of them becomes *.
func Mask(text string, hits []Hit) string {
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Compare(a.From, b.From) })
	out := make([]byte, 0, len(text))
	at := 0
	for _, h := range hits {
		if h.To <= at {
			continue
		}
		h.From = max(h.From, at)
		out = append(out, text[at:h.From]...)
		for range utf8.RuneCountInString(text[h.From:h.To]) {
			out = append(out, '*')
		}
		at = h.To
	}
	return string(append(out, text[at:]...))
}

// search is one text being searched. Offsets are those of the text as it was written.
type search struct {
	m     *Matcher
	text  string
	first bool
	hits  []Hit
	done  bool

	state   uint32
	worded  bool // the rune read last continues a word
	begins  [MaxWordLength]begin
	count   uint   // symbols read
	pending uint32 // a state that ends a word whose last rune continues a word: the next rune decides
	to      int    // where the symbol read last ends
}

// begin is where one of the symbols read last begins.
type begin struct {
	at     int32
	inside bool // it continues a word that begins before it
}

// fast reads a text rune by rune. It reports false if the text must be normalised first.
func (s *search) fast() bool {
	m := s.m
	for i := 0; i < len(s.text) && !s.done; {
		r, size := rune(s.text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s.text[i:])
		}
		var code uint16
		if r < tableRunes {
			code = m.codes[r]
		} else {
			code = m.rare(r)
		}
		switch code & codeMask {
		case codeExpands:
			for _, code := range m.more[r] {
				s.read(code, i, i+size)
			}
		case codeComposes:
			return false
		default:
			s.read(code, i, i+size)
		}
		i += size
	}
	return true
}

// rare is the code of a rune beyond the table.
func (m *Matcher) rare(r rune) uint16 {
	if codes, ok := m.more[r]; ok {
		return codes[0]
	}
	if hidden(r) {
		return codeInvisible
	}
	return codeUnknown
}

// normalised reads the normalised text. A match begins and ends at whole segments of what was
// written.
func (s *search) normalised() {
	f := folding()
	var it norm.Iter
	it.InitString(norm.NFKC, s.text)
	for !it.Done() && !s.done {
		from := it.Pos()
		segment := it.Next()
		for len(segment) > 0 {
			r, size := utf8.DecodeRune(segment)
			segment = segment[size:]
			if stray(r) || hidden(r) {
				continue
			}
			s.readNormal(f, r, from, it.Pos())
		}
	}
}

func (s *search) readNormal(f *foldings, r rune, from, to int) {
	if codes, ok := s.m.more[r]; ok {
		for _, code := range codes {
			s.read(code, from, to)
		}
		return
	}
	code := uint16(codeUnknown)
	if r < tableRunes && f.kinds[r] != composes {
		code = s.m.codes[r]
	}
	s.read(code, from, to)
}

// read takes the next symbol, which stands from..to in the text.
func (s *search) read(code uint16, from, to int) {
	worded := code&codeWorded != 0
	code &= codeMask
	if code < codeFirst {
		s.readOther(code, worded)
		return
	}
	if s.pending != 0 {
		s.end(worded)
	}
	if worded && !s.worded && !s.m.skips {
		code++
	}
	s.begins[s.count%MaxWordLength] = begin{int32(from), s.worded && worded}
	s.count++
	s.worded, s.to = worded, to
	s.state = s.m.next(s.state, code)
	if s.state == 0 {
		return
	}
	if ends := s.m.ends[s.state]; ends != 0 {
		s.pending = ends
		if !worded {
			s.end(false)
		}
	}
}

// readOther takes a symbol that is in no word.
func (s *search) readOther(code uint16, worded bool) {
	if code == codeInvisible {
		return
	}
	if s.pending != 0 {
		s.end(worded)
	}
	if s.worded = worded; code == codeUnknown {
		s.state = 0
	}
}

// end takes the words that end at the symbol read last, now that it is known whether the rune
// after it continues the word.
func (s *search) end(continues bool) {
	state := s.pending
	s.pending = 0
	if continues && s.worded {
		return
	}
	found := false
	for ; state != 0 && !s.done; state = s.m.ends[s.m.fails[state]] {
		b := s.begins[(s.count-uint(s.m.depths[state]))%MaxWordLength]
		reject := s.m.acts[state] == rejects
		if !reject && found || b.inside {
			continue
		}
		found = found || !reject
		s.hits = append(s.hits, Hit{int(b.at), s.to, reject})
		s.done = reject && s.first
	}
}
