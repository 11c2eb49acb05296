package words

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skein-im/skein"
)

// Bounds of a list.
const (
	MaxWords      = 100_000
	MaxWordLength = 64      // characters
	MaxListBytes  = 2 << 20 // of all words together
	maxCode       = 1<<15 - 2
)

// Codes of runes. What is greater is the number of a rune that occurs in the list.
const (
	codeUnknown   = iota // a rune that is in no word
	codeInvisible        // left out
	codeSeparator        // left out, but ends a word
	codeExpands          // see Matcher.more
	codeComposes         // the text must be normalised first
	codeFirst
)

// A rune that continues words has two codes, unless separators are left out: the second one is for
// where a word begins. So the automaton does not look for Latin words inside others.
const (
	codeMask   = 1<<15 - 1
	codeWorded = 1 << 15 // the rune continues a word; see worded
)

// Matcher finds the words of a list: an Aho–Corasick automaton over runes. Safe for concurrent
// use; nothing changes after Compile.
type Matcher struct {
	codes [tableRunes]uint16 // of each rune of planes 0 and 1
	more  map[rune][]uint16  // of runes that expand, compose, or are beyond the table
	skips bool               // separators are left out

	automaton
}

// Compile makes the matcher of a list. Errors: skein.ErrMalformed and skein.ErrTooLarge about the
// field replace or reject.
func Compile(list skein.WordList) (*Matcher, error) {
	f := folding()
	words := make([]word, 0, len(list.Replace)+len(list.Reject))
	alphabet := alphabet{f: f, codes: make(map[rune]uint16), next: codeFirst, skips: list.IgnoreSeparators}
	bytes := 0
	for _, part := range [...]struct {
		field  string
		texts  []string
		action action
	}{{"replace", list.Replace, replaces}, {"reject", list.Reject, rejects}} {
		for _, text := range part.texts {
			bytes += len(text)
			if len(words) == MaxWords || bytes > MaxListBytes {
				return nil, &skein.Fault{Err: skein.ErrTooLarge, Field: part.field, Detail: "at most 100000 words and 2 MiB in all"}
			}
			runes := f.symbols(strings.TrimSpace(text), list.IgnoreSeparators)
			if len(runes) == 0 || len(runes) > MaxWordLength {
				return nil, skein.Malformed(part.field, "a word must have 1 to 64 letters or digits")
			}
			words = append(words, word{action: part.action, codes: alphabet.encode(runes)})
			if alphabet.next > maxCode {
				return nil, &skein.Fault{Err: skein.ErrTooLarge, Field: part.field, Detail: "too many different characters"}
			}
		}
	}
	m := &Matcher{more: make(map[rune][]uint16), skips: list.IgnoreSeparators}
	m.encode(f, alphabet.codes)
	m.build(words, int(alphabet.next))
	return m, nil
}

// alphabet gives codes to the runes of a list, in the order in which they come.
type alphabet struct {
	f     *foldings
	codes map[rune]uint16
	next  uint16 // the next free code
	skips bool   // separators are left out
}

// encode writes a word in codes.
func (a *alphabet) encode(runes []rune) []uint16 {
	codes := make([]uint16, len(runes))
	inWord := false
	for i, r := range runes {
		code, known := a.codes[r]
		continues := a.f.continuesWord(r)
		if !known {
			code = a.next
			a.codes[r] = code
			if a.next++; continues {
				a.next++
			}
		}
		if codes[i] = code; continues && !inWord && !a.skips {
			codes[i]++
		}
		inWord = continues
	}
	return codes
}

// encode fills the tables of codes.
func (m *Matcher) encode(f *foldings, alphabet map[rune]uint16) {
	m.codes = f.codes
	for r, k := range f.kinds {
		if m.skips && k == separator {
			m.codes[r] = codeSeparator
		}
	}
	set := func(r rune, code uint16) {
		if k := f.kinds[r]; k == symbol || k == separator {
			m.codes[r] = code | m.codes[r]&codeWorded
		}
	}
	for r, code := range alphabet {
		if r >= tableRunes || f.kinds[r] == composes {
			m.more[r] = []uint16{code}
			continue
		}
		set(r, code)
		for _, source := range f.sources[r] {
			set(source, code)
		}
	}
	for r, runes := range f.more {
		m.more[r] = m.expand(f, alphabet, runes)
	}
}

// expand is the codes of a rune that reads as several.
func (m *Matcher) expand(f *foldings, alphabet map[rune]uint16, runes []rune) []uint16 {
	codes := make([]uint16, len(runes))
	for i, r := range runes {
		if codes[i] = alphabet[r]; m.skips && separates(r) {
			codes[i] = codeSeparator
		}
		if f.continuesWord(r) {
			codes[i] |= codeWorded
		}
	}
	return codes
}

// Size is about how many bytes of memory the matcher takes.
func (m *Matcher) Size() int64 {
	const perExpansion = 80
	return int64(len(m.codes)*2 + len(m.more)*perExpansion + m.size())
}

// action is what a word does to a text.
type action int8

const (
	none action = iota
	replaces
	rejects
)

// word is a word of a list as it is compared.
type word struct {
	codes  []uint16
	action action
}

func compareWords(a, b word) int {
	return cmp.Or(slices.Compare(a.codes, b.codes), cmp.Compare(b.action, a.action))
}
