package chat

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/skein-im/skein"
)

// reaction checks what is to stand under a message: one user-perceived character of up
// to skein.MaxEmoji bytes, or a name of up to skein.MaxEmojiName.
func reaction(emoji string) error {
	if !skein.ValidEmoji(emoji) || len(emoji) > skein.MaxEmojiName && uniseg.GraphemeClusterCount(emoji) > 1 {
		return skein.Malformed("emoji", "must be one emoji of at most 64 bytes, or a name of at most 32 bytes without spaces and control characters")
	}
	return nil
}

// saysSomething reports whether a reaction is free text rather than one emoji.
func saysSomething(emoji string) bool {
	return strings.ContainsFunc(emoji, unicode.IsLetter) || uniseg.GraphemeClusterCount(emoji) > 1
}
