package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// columns are those of the table, as wide as they mostly need to be, so that each
// result can be printed when it is there.
var columns = []struct {
	heading string
	width   int
	right   bool
}{
	{"", 34, false},
	{"measured", 14, true},
	{"floor", 12, true},
	{"", 8, true},
	{"target", 12, true},
	{"", 9, false},
}

// Headings writes the first line of the table.
func Headings(w io.Writer) error {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.heading
	}
	return writeRow(w, cells)
}

// Table writes the result's part of the table.
func (r Result) Table(w io.Writer) error {
	b := bufio.NewWriter(w) // keeps the first error until Flush
	fmt.Fprintf(b, "%s: %s\n", r.Title(), r.About)
	for _, v := range r.Values {
		_ = writeRow(b, []string{"  " + v.Name, v.measured(), v.floor(), v.ratio(), v.target(), v.verdict()})
	}
	if len(r.Faults) == 0 {
		fmt.Fprintf(b, "  exactly once: %s\n", r.Checked)
	}
	for _, fault := range r.Faults {
		fmt.Fprintf(b, "  FAULT %s\n", fault)
	}
	return b.Flush()
}

func writeRow(w io.Writer, cells []string) error {
	var line strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", max(0, columns[i].width-utf8.RuneCountInString(cell)))
		if columns[i].right {
			line.WriteString(pad + cell + "  ")
		} else {
			line.WriteString(cell + pad + "  ")
		}
	}
	_, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	return err
}
