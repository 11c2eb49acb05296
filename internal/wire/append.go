package wire

import (
	"strconv"

	"github.com/skein-im/skein"
)

// The pieces of which messages are written by hand, in the history and in pushes.

func appendBody(dst []byte, text *string, attr []byte, url *string) []byte {
	dst = appendOptionalText(append(dst, `,"text":`...), text)
	dst = appendRaw(append(dst, `,"attr":`...), attr)
	return appendOptionalText(append(dst, `,"url":`...), url)
}

func appendMentions(dst []byte, all Flag, ids []string) []byte {
	dst = appendFlag(append(dst, `,"mention_all":`...), all)
	return appendTexts(append(dst, `,"mention_client_ids":`...), ids)
}

func appendReplyTo(dst []byte, id *skein.ID) []byte {
	return appendOptionalID(append(dst, `,"reply_to":`...), id)
}

func appendOptionalID(dst []byte, id *skein.ID) []byte {
	if id == nil {
		return append(dst, "null"...)
	}
	dst, _ = id.AppendText(append(dst, '"'))
	return append(dst, '"')
}

// appendReactions appends the reactions under a message; none are null.
func appendReactions(dst []byte, list []Reaction) []byte {
	dst = append(dst, `,"reactions":`...)
	if len(list) == 0 {
		return append(dst, "null"...)
	}
	for i, r := range list {
		dst = append(dst, "[,"[min(i, 1)])
		dst = appendQuote(append(dst, `{"emoji":`...), r.Emoji)
		dst = append(dst, `,"count":`...)
		dst = strconv.AppendInt(dst, int64(r.Count), 10)
		dst = appendTexts(append(dst, `,"client_ids":`...), r.ClientIDs)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendTexts appends a list of texts; an empty one is null.
func appendTexts(dst []byte, list []string) []byte {
	if len(list) == 0 {
		return append(dst, "null"...)
	}
	for i, s := range list {
		dst = append(dst, "[,"[min(i, 1)])
		dst = appendQuote(dst, s)
	}
	return append(dst, ']')
}

func appendOptionalText(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return appendQuote(dst, *s)
}

func appendOptionalInt(dst []byte, n *int64) []byte {
	if n == nil {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, *n, 10)
}

func appendFlag(dst []byte, f Flag) []byte {
	if f {
		return append(dst, '1')
	}
	return append(dst, '0')
}
