package portable

import (
	"os"
	"strings"
	"testing"
)

// Each example of docs/portable.md is a valid record.
func TestTheExamplesOfTheDocumentCanBeRead(t *testing.T) {
	raw, err := os.ReadFile("../../docs/portable.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(line []byte) error{
		Clients:       one((*Client).fault),
		Conversations: one((*Conversation).fault),
		Members:       one((*Member).fault),
		Messages:      one((*Message).fault),
		Changes:       one((*Change).fault),
		Files:         one((*File).fault),
		"app":         one(func(*App) error { return nil }),
		"manifest":    one((*Manifest).fault),
	}
	for block := range strings.SplitSeq(string(raw), "```json ") {
		name, rest, _ := strings.Cut(block, "\n")
		check, ok := kinds[name]
		if !ok {
			continue
		}
		delete(kinds, name)
		text, _, _ := strings.Cut(rest, "```")
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if name == "manifest" {
			lines = []string{text}
		}
		for _, line := range lines {
			if err := check([]byte(line)); err != nil {
				t.Errorf("%s: %v\n%s", name, err, line)
			}
		}
	}
	for name := range kinds {
		t.Errorf("%s: no example", name)
	}
}

// one checks a line, which must not have unknown fields.
func one[T any](fault func(*T) error) func([]byte) error {
	return func(line []byte) error {
		v := new(T)
		if err := decode(line, v); err != nil {
			return err
		}
		if plain, err := Encode(v); err != nil || len(plain) == 0 {
			return err
		}
		return fault(v)
	}
}
