package wire

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// ClientID is an id as callers send it: a JSON string or a JSON integer. It is
// kept and answered as a string.
type ClientID string

var errIDKind = errors.New("must be a string or an integer")

// UnmarshalJSONFrom reads a string or an integer.
func (id *ClientID) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n':
		*id = ""
	case '"':
		*id = ClientID(tok.String())
	case '0':
		text := tok.String()
		if strings.ContainsAny(text, ".eE") {
			return errIDKind
		}
		*id = ClientID(text)
	default:
		return errIDKind
	}
	return nil
}

// Flag is 0 or 1 on the wire; "0", "1", true and false are read too.
type Flag bool

var errFlagKind = errors.New("must be 0 or 1")

// UnmarshalJSONFrom reads 0, 1, "0", "1", true, false or null (false).
func (f *Flag) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n', 'f':
		*f = false
		return nil
	case 't':
		*f = true
		return nil
	case '"', '0':
		switch tok.String() {
		case "0":
			*f = false
			return nil
		case "1":
			*f = true
			return nil
		}
	}
	return errFlagKind
}

// MarshalJSONTo writes 0 or 1.
func (f Flag) MarshalJSONTo(enc *jsontext.Encoder) error {
	if f {
		return enc.WriteToken(jsontext.Int(1))
	}
	return enc.WriteToken(jsontext.Int(0))
}

// ConvID reads a conversation id. One that is no id names nothing:
// skein.ErrUnknownConversation.
func ConvID(s ClientID) (skein.ID, error) {
	id, err := skein.ParseID(string(s))
	if err != nil {
		return id, skein.About(skein.ErrUnknownConversation, "conv_id")
	}
	return id, nil
}

// MsgID reads a message id; see ConvID.
func MsgID(s ClientID) (skein.ID, error) {
	id, err := skein.ParseID(string(s))
	if err != nil {
		return id, skein.About(skein.ErrUnknownMessage, "msg_id")
	}
	return id, nil
}

// checkDeviceID refuses what is longer than 64 characters or holds control
// characters.
func checkDeviceID(s string) error {
	return checkToken("device_id", s)
}

// checkToken holds an id that the caller's program chose to 64 printable characters.
func checkToken(field, s string) error {
	if utf8.RuneCountInString(s) > skein.MaxIDLength {
		return skein.Malformed(field, "at most 64 characters")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return skein.Malformed(field, "must not hold control characters")
	}
	return nil
}

// nullable is nil for an absent (empty) text.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Wanted is a switch that is on where it was not said.
func Wanted(on *Flag) bool { return on == nil || bool(*on) }
