package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// What stands between these lines of a document is the program's to write.
const (
	begin = "<!-- measured: written by make bench -->\n"
	end   = "<!-- end of what was measured -->\n"
)

// errNoMarkers is a document that has no place for the table.
var errNoMarkers = errors.New("no lines " + strings.TrimSpace(begin) + " … " + strings.TrimSpace(end))

// Rewrite is the document with the report between its markers.
func (r Report) Rewrite(document []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(document, []byte(begin))
	if !ok {
		return nil, errNoMarkers
	}
	_, after, ok := bytes.Cut(rest, []byte(end))
	if !ok {
		return nil, errNoMarkers
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(r.markdown()), []byte(end), after}, nil), nil
}

func (r Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured %s; %s. Seed %d.\n\n", r.origin(), r.Server, r.Seed)
	b.WriteString("| scenario | figure | measured | floor | target | |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, result := range r.Results {
		title := "**" + result.Title() + "**: " + result.About
		for _, v := range result.Values {
			floor := v.floor()
			if floor != "" {
				floor += " (" + v.ratio() + ")"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", title, v.Name, v.measured(), floor, v.target(), v.verdict())
			title = ""
		}
	}
	b.WriteString("\nExactly once, checked in the same run:\n\n")
	for _, result := range r.Results {
		fmt.Fprintf(&b, "* %s: %s\n", result.Title(), result.Checked)
	}
	b.WriteByte('\n')
	return b.String()
}
