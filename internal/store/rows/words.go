package rows

import (
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein"
)

// wordRecord is a word list as stored.
type wordRecord struct {
	Replace          []string `json:"replace"`
	Reject           []string `json:"reject"`
	IgnoreSeparators bool     `json:"ignore_separators"`
}

// EncodeWordList writes a list as JSON.
func EncodeWordList(l skein.WordList) ([]byte, error) {
	return json.Marshal(wordRecord{l.Replace, l.Reject, l.IgnoreSeparators})
}

// DecodeWordList reads a list; its revision is a column of its own.
func DecodeWordList(list []byte, l *skein.WordList) error {
	var r wordRecord
	if err := json.Unmarshal(list, &r); err != nil {
		return fmt.Errorf("decode a word list: %w", err)
	}
	l.Replace, l.Reject, l.IgnoreSeparators = r.Replace, r.Reject, r.IgnoreSeparators
	return nil
}
