package skein

import (
	"strings"
	"unicode"
)

// Blank reports whether nothing of s can be seen: white space, control and format
// characters such as U+200B, and what Unicode lets programs ignore, such as the
// Hangul fillers.
func Blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.In(r, invisible...) })
}

var invisible = []*unicode.RangeTable{
	unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point,
	{R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}}}, // a braille pattern without dots
}

// ValidNickname reports whether a name that others are shown disturbs no text around
// it: no control characters, no line or paragraph separators, nothing that turns the
// direction of what follows; and something of it can be seen. None at all is valid.
func ValidNickname(s string) bool {
	return s == "" || !Blank(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) ||
			0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069
	})
}
