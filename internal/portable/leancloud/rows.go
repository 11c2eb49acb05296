package leancloud

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient accepts what LeanCloud answers: rows may contain anything that an app wrote.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// row is what the dump has to know of a message; everything else stays raw.
type row struct {
	time int64 // milliseconds
	id   string
	conv string // conv-id
	to   string
	from string
	raw  jsontext.Value
}

// text is a string, or nothing where the answer has something else.
type text string

func (t *text) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err == nil && value.Kind() == '"' {
		var s string
		err = json.Unmarshal(value, &s, lenient)
		*t = text(s)
	}
	return err
}

// millis is a whole number of milliseconds, in whatever form JSON writes it, or nothing.
type millis int64

func (m *millis) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == '"' {
		var s string
		if json.Unmarshal(value, &s, lenient) == nil {
			value = jsontext.Value(s)
		}
	}
	if json.Unmarshal(value, (*int64)(m)) == nil {
		return nil
	}
	var f float64
	if json.Unmarshal(value, &f) == nil {
		*m = millis(f)
	}
	return nil
}

// readRow reads a message as history answers it (v2, history): conv-id is the objectId
// and eight zeros (v1, in the example of a row), of a system conversation an MD5; to is
// the objectId of the conversation; data may be anything.
func readRow(raw jsontext.Value) (row, error) {
	var r struct {
		Time millis `json:"timestamp"`
		ID   text   `json:"msg-id"`
		Conv text   `json:"conv-id"`
		To   text   `json:"to"`
		From text   `json:"from"`
	}
	if err := json.Unmarshal(raw, &r, lenient); err != nil {
		return row{}, fmt.Errorf("message: %w", err)
	}
	return row{time: int64(r.Time), id: string(r.ID), conv: string(r.Conv), to: string(r.To), from: string(r.From), raw: raw}, nil
}

// convOf is the conversation a message belongs to. known says which objectIds there are.
func (r row) convOf(known func(string) bool) string {
	short := r.conv
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

// elements splits an answer that is an array, or an object with one in results, into its
// compacted elements.
func elements(answer jsontext.Value) ([]jsontext.Value, error) {
	if answer.Kind() == '{' {
		var fields map[string]jsontext.Value
		if err := json.Unmarshal(answer, &fields, lenient); err != nil {
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
	in := jsontext.NewDecoder(bytes.NewReader(answer), lenient)
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

// field reads one text field of a raw row.
func field(raw jsontext.Value, name string) string {
	var fields map[string]jsontext.Value
	if json.Unmarshal(raw, &fields, lenient) != nil {
		return ""
	}
	var t text
	if json.Unmarshal(fields[name], &t, lenient) != nil {
		return ""
	}
	return string(t)
}
