package convert

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// printedClients is how many refused client ids String lists. The report has more.
const printedClients = 20

// String is the summary for people.
func (s Summary) String() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tread\tmade\twritten\trefused\tskipped\tmerged\t")
	for _, t := range s.Totals {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", t.Kind, t.In, t.Made, t.Out, t.Refused, t.Skipped, t.Merged)
	}
	_ = table.Flush() // to memory
	b.WriteString("For each line read + made = written + refused + skipped + merged.\n")
	for _, c := range s.Counts {
		fmt.Fprintf(&b, "%s %s, %d: %s\n", c.Kind, c.Outcome, c.Records, c.Why)
	}
	if s.Relaxed {
		b.WriteString("The app needs client_id_charset relaxed; app.json turns it on (skein app update --relaxed-client-ids on).\n")
	}
	if len(s.Refused) > 0 {
		fmt.Fprintf(&b, "%d client ids that no client of Skein can have; --rename FILE gives them others:\n", len(s.Refused))
		for i, u := range s.Refused {
			if i == printedClients {
				fmt.Fprintf(&b, "  and %d more, in the last line of %s\n", len(s.Refused)-i, ReportFile)
				break
			}
			fmt.Fprintf(&b, "  %q in %d places\n", u.Client, u.Records)
		}
	}
	for _, fact := range s.Facts {
		fmt.Fprintln(&b, fact)
	}
	return b.String()
}
