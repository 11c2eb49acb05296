package wire

import (
	"strconv"

	"github.com/skein-im/skein/internal/wire/strict"
)

// AppendEnvelope appends the REST answer, its four keys in the documented order.
// data is JSON; nil is null. An empty requestID is null.
func AppendEnvelope(dst []byte, code int, message string, data []byte, requestID string) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"message":`...)
	dst = strict.AppendQuote(dst, message)
	dst = append(dst, `,"data":`...)
	dst = strict.AppendOrNull(dst, data)
	dst = append(dst, `,"request-id":`...)
	if requestID == "" {
		dst = append(dst, "null"...)
	} else {
		dst = strict.AppendQuote(dst, requestID)
	}
	return append(dst, '}')
}
