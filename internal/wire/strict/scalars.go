package strict

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// GivenText is a string field that tells null from absent: null clears what is stored,
// absent leaves it.
type GivenText struct {
	Given bool
	Text  string // empty: null
}

var errGivenText = errors.New("must be a string or null")

// UnmarshalJSONFrom reads a string or null.
func (g *GivenText) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	*g = GivenText{Given: true}
	switch tok.Kind() {
	case 'n':
		return nil
	case '"':
		g.Text = tok.String()
		return nil
	default:
		return errGivenText
	}
}

// GivenInt is an integer of a request, as GivenText is a text.
type GivenInt struct {
	Given bool
	Int   int64 // zero: null
}

var errGivenInt = errors.New("must be an integer or null")

// UnmarshalJSONFrom reads an integer or null.
func (g *GivenInt) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	*g = GivenInt{Given: true}
	switch tok.Kind() {
	case 'n':
		return nil
	case '0':
		if g.Int, err = strconv.ParseInt(tok.String(), 10, 64); err != nil {
			return errGivenInt
		}
		return nil
	default:
		return errGivenInt
	}
}

// GivenList is a list of a request, as GivenText is a text.
type GivenList[T any] struct {
	Given bool
	List  []T // empty: null
}

// UnmarshalJSONFrom reads a list or null.
func (g *GivenList[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*g = GivenList[T]{Given: true}
	return json.UnmarshalDecode(dec, &g.List)
}

// ID is an id as callers send it: a JSON string or a JSON integer. It is kept and
// answered as a string.
type ID string

var errIDKind = errors.New("must be a string or an integer")

// UnmarshalJSONFrom reads a string or an integer.
func (id *ID) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n':
		*id = ""
	case '"':
		*id = ID(tok.String())
	case '0':
		text := tok.String()
		if strings.ContainsAny(text, ".eE") {
			return errIDKind
		}
		*id = ID(text)
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
