package report

import (
	"bytes"
	"fmt"
)

// section is a part of a document that a command writes, between two lines of which
// the first names the command.
type section struct {
	begin, end string
}

func writtenBy(command string) section {
	return section{"<!-- measured: written by " + command + " -->\n", "<!-- end of what was measured -->\n"}
}

// RewriteSection is the document with text between the lines that name the command. An error where they are not there.
func RewriteSection(document []byte, command, text string) ([]byte, error) {
	return writtenBy(command).rewrite(document, text)
}

// rewrite is the document with other text between the lines; an error where they are
// not there.
func (s section) rewrite(document []byte, text string) ([]byte, error) {
	before, rest, begins := bytes.Cut(document, []byte(s.begin))
	_, after, ends := bytes.Cut(rest, []byte(s.end))
	if !begins || !ends {
		return nil, fmt.Errorf("no lines %q … %q", s.begin, s.end)
	}
	return bytes.Join([][]byte{before, []byte(s.begin), []byte(text), []byte(s.end), after}, nil), nil
}
