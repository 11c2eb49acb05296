package wire

import (
	"strconv"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

func appendBody(dst []byte, text *string, attr []byte, url *string) []byte {
	dst = strict.AppendOptionalText(append(dst, `,"text":`...), text)
	dst = strict.AppendOrNull(append(dst, `,"attr":`...), attr)
	return strict.AppendOptionalText(append(dst, `,"url":`...), url)
}

func appendMentions(dst []byte, all strict.Flag, ids []string) []byte {
	dst = strict.AppendFlag(append(dst, `,"mention_all":`...), all)
	return strict.AppendTexts(append(dst, `,"mention_client_ids":`...), ids)
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

// appendReactions appends the reactions to a message; none: null.
func appendReactions(dst []byte, list []Reaction) []byte {
	dst = append(dst, `,"reactions":`...)
	if len(list) == 0 {
		return append(dst, "null"...)
	}
	for i, r := range list {
		dst = append(dst, "[,"[min(i, 1)])
		dst = strict.AppendQuote(append(dst, `{"emoji":`...), r.Emoji)
		dst = append(dst, `,"count":`...)
		dst = strconv.AppendInt(dst, int64(r.Count), 10)
		dst = strict.AppendTexts(append(dst, `,"client_ids":`...), r.ClientIDs)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
