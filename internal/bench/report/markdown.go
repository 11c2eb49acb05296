package report

import (
	"fmt"
	"strings"
)

// Rewrite is the document with the report between its markers.
func (r Report) Rewrite(document []byte) ([]byte, error) {
	return writtenBy("make bench").rewrite(document, r.markdown())
}

func (r Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured %s; %s. Seed %d.\n\n", r.Origin, r.Server, r.Seed)
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
