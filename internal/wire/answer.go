package wire

import (
	"github.com/go-json-experiment/json/jsontext"
)

// rawOf is JSON as stored; nil is null.
func rawOf(b []byte) jsontext.Value {
	if b == nil {
		return jsontext.Value("null")
	}
	return b
}

// Done is the answer of an op that has nothing more to say.
const Done = true

func sharedText(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// nullable is nil for an absent (empty) text.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
