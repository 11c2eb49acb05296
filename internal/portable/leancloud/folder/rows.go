package folder

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Lenient are the JSON options for LeanCloud's rows, which may contain anything that an app wrote.
var Lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// Row has the fields of a message that the dump needs, and the raw message.
type Row struct {
	Time int64 // milliseconds
	ID   string
	Conv string // conv-id
	to   string
	From string
	Raw  jsontext.Value
}

// Text is a string; empty if the answer has something else.
type Text string

// UnmarshalJSONFrom reads any value. Anything but a string counts as empty.
func (t *Text) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err == nil && value.Kind() == '"' {
		var s string
		err = json.Unmarshal(value, &s, Lenient)
		*t = Text(s)
	}
	return err
}

// Millis is a number of milliseconds, written as a number or a string; zero if the answer has
// something else.
type Millis int64

// UnmarshalJSONFrom reads any value. Anything but a number counts as zero.
func (m *Millis) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == '"' {
		var s string
		if json.Unmarshal(value, &s, Lenient) == nil {
			value = jsontext.Value(s)
		}
	}
	if json.Unmarshal(value, (*int64)(m)) == nil {
		return nil
	}
	var f float64
	if json.Unmarshal(value, &f) == nil {
		*m = Millis(f)
	}
	return nil
}

// ReadRow reads a message from an answer of history (v2, history). conv-id is the objectId and
// eight zeros (v1, in the example of a row), or an MD5 for a system conversation. to is the
// objectId of the conversation. data may be anything.
func ReadRow(raw jsontext.Value) (Row, error) {
	var r struct {
		Time Millis `json:"timestamp"`
		ID   Text   `json:"msg-id"`
		Conv Text   `json:"conv-id"`
		To   Text   `json:"to"`
		From Text   `json:"from"`
	}
	if err := json.Unmarshal(raw, &r, Lenient); err != nil {
		return Row{}, fmt.Errorf("message: %w", err)
	}
	return Row{Time: int64(r.Time), ID: string(r.ID), Conv: string(r.Conv), to: string(r.To), From: string(r.From), Raw: raw}, nil
}

// ConvOf returns the conversation that a message belongs to. known reports which objectIds exist.
func (r Row) ConvOf(known func(string) bool) string {
	short := r.Conv
	if len(short) == 32 {
		short = strings.TrimSuffix(short, "00000000")
	}
	switch {
	case r.to != "" && known(r.to):
		return r.to
	case short != "" && known(short):
		return short
	case len(r.to) == 24 && isHex(r.to):
		return r.to
	default:
		return short
	}
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// Elements splits an answer that is an array, or an object with one in results, into its
// compacted elements.
func Elements(answer jsontext.Value) ([]jsontext.Value, error) {
	if answer.Kind() == '{' {
		var fields map[string]jsontext.Value
		if err := json.Unmarshal(answer, &fields, Lenient); err != nil {
			return nil, err
		}
		list, ok := fields["results"]
		if !ok {
			return nil, fmt.Errorf("an answer without results: %.200s", answer)
		}
		answer = list
	}
	if answer.Kind() != '[' {
		return nil, fmt.Errorf("an answer that is no list: %.200s", answer)
	}
	if err := answer.Compact(); err != nil {
		return nil, err
	}
	var rows []jsontext.Value
	in := jsontext.NewDecoder(bytes.NewReader(answer), Lenient)
	if _, err := in.ReadToken(); err != nil {
		return nil, err
	}
	for in.PeekKind() != ']' {
		value, err := in.ReadValue()
		if err != nil {
			return nil, err
		}
		if value.Kind() != '{' {
			return nil, fmt.Errorf("a row that is no object: %.200s", value)
		}
		rows = append(rows, value.Clone())
	}
	return rows, nil
}

// Field reads one text field of a raw row.
func Field(raw jsontext.Value, name string) string {
	var fields map[string]jsontext.Value
	if json.Unmarshal(raw, &fields, Lenient) != nil {
		return ""
	}
	var t Text
	if json.Unmarshal(fields[name], &t, Lenient) != nil {
		return ""
	}
	return string(t)
}

// Truth is true if the answer has true, and false for anything else.
type Truth bool

// UnmarshalJSONFrom reads any value.
func (t *Truth) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	*t = Truth(value.Kind() == 't')
	return err
}

// Moment is a date as the storage API writes it, in Unix milliseconds: a text for
// createdAt and updatedAt, an object with iso for other columns (storage, data types).
type Moment int64

// UnmarshalJSONFrom reads any value. Anything but a date counts as zero.
func (m *Moment) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err != nil {
		return err
	}
	iso := ""
	switch value.Kind() {
	case '"':
		var t Text
		err = json.Unmarshal(value, &t, Lenient)
		iso = string(t)
	case '{':
		iso = Field(value, "iso")
	case '0':
		var ms Millis
		err = json.Unmarshal(value, &ms, Lenient)
		*m = Moment(ms)
	}
	if at, no := time.Parse(time.RFC3339, iso); no == nil {
		*m = Moment(at.UnixMilli())
	}
	return err
}

// String is for people.
func (m Moment) String() string {
	if m == 0 {
		return "none"
	}
	return time.UnixMilli(int64(m)).UTC().Format("2006-01-02 15:04:05")
}
