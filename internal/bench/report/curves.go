package report

import (
	"fmt"
	"slices"
	"strings"
)

// Curves is what pieces of work cost at several sizes of what is around them.
type Curves struct {
	Origin

	Repetitions int // of each point, of which the median is told
	Groups      []Group
}

// Group is the curves over one size, such as the messages of a conversation.
type Group struct {
	Name   string // what holds them: Conversation
	Of     string // what the sizes count: messages
	Curves []Curve
}

// Curve is what one piece of work costs.
type Curve struct {
	Work   string
	Unit   string  // CPU µs a message
	Points []Point // from the smallest size on, two at least
}

// Point is the cost at one size.
type Point struct {
	Size int
	Cost float64
}

// mostGrowth is how many times what it costs at the smallest size a piece of work may
// cost at the largest.
const mostGrowth = 1.5

// relative is what it costs at a point, as a multiple of the smallest size's.
func (c Curve) relative(at int) float64 { return c.Points[at].Cost / c.Points[0].Cost }

// growth holds the largest size against the smallest.
func (c Curve) growth() Value {
	return Value{Name: c.Work, Value: c.relative(len(c.Points) - 1), Unit: "×", Target: AtMost(mostGrowth)}
}

// Title names the group in one line.
func (g Group) Title() string { return g.Name + ", by " + g.Of }

// sizes are all sizes at which something of the group was measured, in order.
func (g Group) sizes() []int {
	var all []int
	for _, c := range g.Curves {
		for _, p := range c.Points {
			all = append(all, p.Size)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Rewrite is the document with the curves between their markers.
func (c Curves) Rewrite(document []byte) ([]byte, error) {
	return writtenBy("make curves").rewrite(document, c.markdown())
}

// markdown has a table a group, for each has sizes of its own.
func (c Curves) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured %s; the median of %d.\n", c.Origin, c.Repetitions)
	for _, g := range c.Groups {
		sizes := g.sizes()
		fmt.Fprintf(&b, "\n| **%s** |", g.Title())
		for _, size := range sizes {
			fmt.Fprintf(&b, " %s |", number(float64(size)))
		}
		b.WriteString(" largest ÷ smallest | target | |\n|" + strings.Repeat(" --- |", len(sizes)+4) + "\n")
		for _, curve := range g.Curves {
			fmt.Fprintf(&b, "| %s, %s |%s", curve.Work, curve.Unit, curve.cells(sizes))
			growth := curve.growth()
			fmt.Fprintf(&b, " %s | %s | %s |\n", growth.measured(), growth.target(), growth.verdict())
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// cells are its costs at the sizes; empty where it was not measured.
func (c Curve) cells(sizes []int) string {
	var b strings.Builder
	for _, size := range sizes {
		at := slices.IndexFunc(c.Points, func(p Point) bool { return p.Size == size })
		if at < 0 {
			b.WriteString("  |")
			continue
		}
		fmt.Fprintf(&b, " %s |", number(c.Points[at].Cost))
	}
	return b.String()
}
