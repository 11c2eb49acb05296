package skein_test

import (
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestWhatCannotBeSeenIsBlank(t *testing.T) {
	for name, s := range map[string]string{
		"nothing": "", "spaces": " \t\r\n\u00a0\u3000\u2003", "zero width": "\u200b\u200c\u200d\u200e\u200f", "joiner and mark": "\u2060\ufeff",
		"Hangul fillers": "\u3164\u115f\u1160\uffa0", "braille": "\u2800", "soft hyphen": "\u00ad", "separators": "\u2028\u2029",
		"variation": "\ufe0f\u180e", "tags": "\U000e0020\U000e0061", "control": "\x00\x7f\u0085", "mixed": " \u200b \u3164\n", "grapheme joiner": "\u034f",
	} {
		if !skein.Blank(s) {
			t.Errorf("%s: %q is not blank", name, s)
		}
		body := skein.Body{Type: skein.TypeText, Text: s}
		if body.Fault() == nil {
			t.Errorf("%s: %q may be sent as a text", name, s)
		}
	}
	for _, s := range []string{".", "👍", "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "\u200b.", "한", "ﬀ", "\u0301"} {
		if skein.Blank(s) {
			t.Errorf("%q is blank", s)
		}
	}
}

func TestNicknamesDisturbNoTextAroundThem(t *testing.T) {
	for _, s := range []string{"a\nb", "a\x00", "\x1b[31m", "a\u0085b", "a\u2028b", "a\u2029", "\u202egnp.exe", "a\u202a", "\u2066a\u2069", "\x7f", " ", "\u200b", "\u3164"} {
		if skein.ValidNickname(s) {
			t.Errorf("%q may be a nickname", s)
		}
	}
	for _, s := range []string{"", "Tom", "汤姆 ♥", "أحمد\u200f", "👩🏽\u200d🚀", strings.Repeat("x", 128)} {
		if !skein.ValidNickname(s) {
			t.Errorf("%q may not be a nickname", s)
		}
	}
}
