package store

import "github.com/go-json-experiment/json/jsontext"

// ReadableJSON reports whether JSON is as strict as a request is read.
func ReadableJSON(v []byte) bool { return jsontext.Value(v).IsValid() }
