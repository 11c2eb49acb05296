package request

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Extension is a developer's JSON value as it is stored; see strict.Value. Errors:
// skein.ErrMalformed when it is longer than skein.MaxExtend.
func Extension(field string, v jsontext.Value) (jsontext.Value, error) {
	return strict.Value(field, v, skein.MaxExtend)
}

// attrOf is a message's attr as it is stored; null is nil.
func attrOf(v jsontext.Value) (jsontext.Value, error) { return strict.Value("attr", v, skein.MaxAttr) }

// ClientIDs checks a list of ids and collapses duplicates, in order. Errors:
// skein.ErrMalformed for more than limit, skein.ErrInvalidClientID naming the place.
func ClientIDs(field string, in []strict.ID, limit int, relaxed bool) ([]string, error) {
	if len(in) > limit {
		return nil, skein.Malformed(field, "at most "+strconv.Itoa(limit))
	}
	out := make([]string, 0, len(in))
	seen := make(map[strict.ID]bool, len(in))
	for i, id := range in {
		if err := CheckClientID(field+"."+strconv.Itoa(i), id, relaxed); err != nil {
			return nil, err
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, string(id))
		}
	}
	return out, nil
}

// CheckClientID checks an id by the app's rule. Errors: skein.ErrInvalidClientID.
func CheckClientID(field string, id strict.ID, relaxed bool) error {
	if !skein.ValidClientID(string(id), relaxed) {
		return skein.About(skein.ErrInvalidClientID, field)
	}
	return nil
}

// ConvID reads a conversation id. Errors: skein.ErrUnknownConversation also for text that
// is not an id.
func ConvID(s strict.ID) (skein.ID, error) {
	id, err := skein.ParseID(string(s))
	if err != nil {
		return id, skein.About(skein.ErrUnknownConversation, "conv_id")
	}
	return id, nil
}

// MsgID reads a message id; see ConvID.
func MsgID(s strict.ID) (skein.ID, error) {
	id, err := skein.ParseID(string(s))
	if err != nil {
		return id, skein.About(skein.ErrUnknownMessage, "msg_id")
	}
	return id, nil
}

// checkDeviceID is checkToken for a device id.
func checkDeviceID(s string) error {
	return checkToken("device_id", s)
}

// checkToken checks an id that the client program chose: at most 64 characters, without
// control characters.
func checkToken(field, s string) error {
	if utf8.RuneCountInString(s) > skein.MaxIDLength {
		return skein.Malformed(field, "at most 64 characters")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return skein.Malformed(field, "must not hold control characters")
	}
	return nil
}

// Wanted is the value of a flag that is on by default.
func Wanted(on *strict.Flag) bool { return on == nil || bool(*on) }
