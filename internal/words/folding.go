package words

import (
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// tableRunes is how many runes have an entry in the tables: planes 0 and 1. Beyond them are rare
// ideographs, which have no case, and variants of some of them.
const tableRunes = 0x20000

// kind is how a rune of a text is read.
type kind int8

const (
	symbol    kind = iota // itself, or the rune that it folds to
	invisible             // left out, as if it were not there
	separator             // white space, punctuation or a symbol
	expands               // reads as several runes, such as ﬁ
	composes              // may compose with the rune before it: only the normalised text says what it is
)

// foldings says how each rune is read.
type foldings struct {
	kinds  [tableRunes]kind
	folded [tableRunes]rune // of a symbol or separator
	worded [tableRunes]bool // a letter or digit of a script whose words are separated
	more   map[rune][]rune  // what a rune reads as that expands, and of those beyond the tables what folds

	codes   [tableRunes]uint16 // the codes of a Matcher whose list is empty
	sources map[rune][]rune    // the symbols and separators that fold to another rune
}

// folding is made once: it takes some 30 ms and 900 KB.
var folding = sync.OnceValue(func() *foldings {
	f := &foldings{more: make(map[rune][]rune), sources: make(map[rune][]rune)}
	fold := cases.Fold()
	for r := range rune(tableRunes) {
		f.kinds[r], f.folded[r] = symbol, r
		switch {
		case hidden(r):
			f.kinds[r] = invisible
			continue
		case !norm.NFKC.PropertiesString(string(r)).BoundaryBefore():
			f.kinds[r] = composes
		}
		reads := foldRune(fold, r)
		f.worded[r] = worded(r)
		switch {
		case len(reads) == 0:
			f.kinds[r] = invisible
		case len(reads) > 1:
			f.more[r] = reads
			if f.kinds[r] == symbol {
				f.kinds[r] = expands
			}
		default:
			f.folded[r] = reads[0]
			if f.kinds[r] == symbol && separates(reads[0]) {
				f.kinds[r] = separator
			}
		}
	}
	for r := rune(0x2F800); r <= 0x2FA1D; r++ {
		f.more[r] = foldRune(fold, r)
	}
	f.encode()
	return f
})

// encode fills codes and sources.
func (f *foldings) encode() {
	for r := range f.kinds {
		r := rune(r)
		code := uint16(codeUnknown)
		switch f.kinds[r] {
		case invisible:
			code = codeInvisible
		case expands:
			code = codeExpands
		case composes:
			code = codeComposes
		default:
			if to := f.folded[r]; to != r {
				f.sources[to] = append(f.sources[to], r)
			}
		}
		if f.worded[r] {
			code |= codeWorded
		}
		f.codes[r] = code
	}
}

// foldRune reads one rune: compatible forms and case are folded.
func foldRune(fold cases.Caser, r rune) (reads []rune) {
	if unicode.IsSpace(r) {
		return []rune{' '}
	}
	for _, r := range norm.NFKC.String(fold.String(norm.NFKC.String(string(r)))) {
		if !hidden(r) {
			reads = append(reads, r)
		}
	}
	return reads
}

// of is what a rune of a normalised text reads as.
func (f *foldings) of(r rune, into []rune) []rune {
	if more, ok := f.more[r]; ok {
		return append(into, more...)
	}
	if r >= tableRunes {
		if hidden(r) {
			return into
		}
		return append(into, r)
	}
	if f.kinds[r] == invisible {
		return into
	}
	return append(into, f.folded[r])
}

// hidden reports whether readers do not see a rune, or see only a mark on the rune before it that
// no letter has: zero-width and control characters, variation selectors, tags, marks such as a
// stroke through each letter. Marks that compose with their letter are folded before this is asked.
func hidden(r rune) bool {
	switch {
	case 0x1AB0 <= r && r <= 0x1AFF, 0x1DC0 <= r && r <= 0x1DFF, 0x20D0 <= r && r <= 0x20FF, 0xFE20 <= r && r <= 0xFE2F,
		0xE0000 <= r && r <= 0xE0FFF:
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r)
}

// stray reports whether a rune is a mark that a normalised text still has beside its letter.
func stray(r rune) bool { return 0x300 <= r && r <= 0x36F }

// separates reports whether a rune is neither letter, mark nor number.
func separates(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) }

// worded reports whether a rune belongs to a word that ends only at a rune of another kind: words
// of Latin, Greek and Cyrillic letters and of digits. Other scripts are searched inside words.
func worded(r rune) bool {
	for _, r := range norm.NFKC.String(string(r)) {
		if unicode.IsDigit(r) || unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) {
			return true
		}
	}
	return false
}

// symbols is a word or text as it is compared.
func (f *foldings) symbols(text string, ignoreSeparators bool) (all []rune) {
	for _, r := range norm.NFKC.String(text) {
		if stray(r) {
			continue
		}
		from := len(all)
		all = f.of(r, all)
		if ignoreSeparators {
			kept := all[:from]
			for _, r := range all[from:] {
				if !separates(r) {
					kept = append(kept, r)
				}
			}
			all = kept
		}
	}
	return all
}

// continuesWord reports whether a rune is one of those that are found as whole words.
func (f *foldings) continuesWord(r rune) bool { return r < tableRunes && f.worded[r] }
