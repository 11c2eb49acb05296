package wire

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// GivenText is a text of a request where null takes away what is there and leaving
// it out leaves it.
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

// GivenIDs is a list of ids of a request, as GivenText is a text.
type GivenIDs struct {
	Given bool
	IDs   []ClientID // empty: null
}

// UnmarshalJSONFrom reads a list of ids or null.
func (g *GivenIDs) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*g = GivenIDs{Given: true}
	return json.UnmarshalDecode(dec, &g.IDs)
}
