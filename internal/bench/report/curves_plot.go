package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Measures of the plot of curves, in pixels: panels side by side, each with the names
// of its curves at their right.
const (
	panelsAcross = 2
	panelWidth   = 472
	panelHeight  = 214
	panelsTop    = 84
	panelTitle   = 18 // from the panel's top to its title
	innerLeft    = 40 // of the panel, to where its curves begin
	innerTop     = 32
	innerWidth   = 180
	innerHeight  = 140
	nameLeft     = innerLeft + innerWidth + 20
	nameGap      = 15  // between the names of two curves
	sizeGap      = 34  // between two sizes that are told
	mostShown    = 3.0 // times the smallest; what costs more leaves the panel at its top
)

// SVG plots what each piece of work costs as a multiple of what it costs at the
// smallest size, over the logarithm of the size.
func (c Curves) SVG(w io.Writer) error {
	var panels strings.Builder
	for i, g := range c.Groups {
		fmt.Fprintf(&panels, `<g transform="translate(%d %d)">`+"\n", 16+i%panelsAcross*panelWidth, panelsTop+i/panelsAcross*panelHeight)
		g.writePanel(&panels)
		panels.WriteString("</g>\n")
	}
	rows := (len(c.Groups) + panelsAcross - 1) / panelsAcross
	height := panelsTop + rows*panelHeight
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="What work costs at several sizes of what is around it">
%s<clipPath id="inner"><rect x="%d" y="%d" width="%d" height="%d"/></clipPath>
<rect class="back" width="100%%" height="100%%"/>
<text class="title" x="16" y="28">What must not grow</text>
<text class="small" x="16" y="48">%s; the median of %d</text>
<text class="small" x="16" y="66">Up: the cost, as a multiple of that at the smallest size. Right: the size, on a logarithmic scale. Dashed: the target, %s ×.</text>
%s</svg>
`, plotWidth, height, plotWidth, height, Style, innerLeft-4, innerTop, innerWidth+8, innerHeight, escape(c.Origin.String()), c.Repetitions, number(mostGrowth), panels.String())
	return err
}

func (g Group) writePanel(b *strings.Builder) {
	sizes := g.sizes()
	fmt.Fprintf(b, `<text class="panel" x="%d" y="%d">%s</text>`+"\n", innerLeft, panelTitle, escape(g.Title()))
	for _, times := range []float64{0, 1, 2, mostShown} {
		y := up(times)
		fmt.Fprintf(b, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`+"\n", innerLeft, y, innerLeft+innerWidth, y)
		fmt.Fprintf(b, `<text class="small" x="%d" y="%.1f" text-anchor="end">%s ×</text>`+"\n", innerLeft-8, y+4, number(times))
	}
	fmt.Fprintf(b, `<line class="target" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`+"\n", innerLeft, up(mostGrowth), innerLeft+innerWidth, up(mostGrowth))
	told := math.Inf(-1)
	for i, size := range sizes {
		at := along(size, sizes)
		if last := i == len(sizes)-1; !last && (at-told < sizeGap || innerLeft+innerWidth-at < sizeGap) {
			continue
		}
		fmt.Fprintf(b, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", at, innerTop+innerHeight+18, short(size))
		told = at
	}
	names := spread(g.Curves)
	for i, curve := range g.Curves {
		curve.write(b, sizes, names[i])
	}
}

// write draws the curve and, at a height, its name.
func (c Curve) write(b *strings.Builder, sizes []int, name float64) {
	growth := c.growth()
	fmt.Fprintf(b, `<g class="%s" clip-path="url(#inner)">`+"\n", growth.verdict())
	var path []string
	for i, p := range c.Points {
		x, y := along(p.Size, sizes), up(c.relative(i))
		path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3"/>`+"\n", x, y)
	}
	fmt.Fprintf(b, `<polyline class="curve" points="%s"/>`+"\n</g>\n", strings.Join(path, " "))
	more := ""
	if growth.Value > mostShown {
		more = "↑ "
	}
	fmt.Fprintf(b, `<path class="lead" d="M%.1f,%.1f H%d L%d,%.1f"/>`+"\n",
		along(c.Points[len(c.Points)-1].Size, sizes)+5, c.ends(), innerLeft+innerWidth+6, nameLeft-3, name)
	fmt.Fprintf(b, `<text class="value" x="%d" y="%.1f">%s <tspan class="verdict %s">%s%s</tspan></text>`+"\n",
		nameLeft, name+4, escape(c.Work), growth.verdict(), more, escape(growth.measured()))
}

// ends is the height at which it ends; at the panel's top if it is above.
func (c Curve) ends() float64 { return max(innerTop, up(c.growth().Value)) }

// up is the height of a cost; what is not shown is above the panel.
func up(times float64) float64 { return innerTop + innerHeight*(1-times/mostShown) }

// along is where a size is, between the smallest and the largest of the panel.
func along(size int, sizes []int) float64 {
	smallest, largest := math.Log(float64(sizes[0])), math.Log(float64(sizes[len(sizes)-1]))
	return innerLeft + innerWidth*(math.Log(float64(size))-smallest)/(largest-smallest)
}

// spread are the heights of the names of curves: at the end of its own, and where
// names would touch, side by side about the middle of theirs.
func spread(curves []Curve) []float64 {
	order := make([]int, len(curves)) // from the top
	for i := range curves {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(curves[b].growth().Value, curves[a].growth().Value) })
	var stacks []stack
	for _, i := range order {
		s := stack{curves[i].ends(), 1}
		for len(stacks) > 0 && stacks[len(stacks)-1].touches(s) {
			above := stacks[len(stacks)-1]
			stacks = stacks[:len(stacks)-1]
			n := above.names + s.names
			s = stack{(above.middle*float64(above.names) + s.middle*float64(s.names)) / float64(n), n}
		}
		stacks = append(stacks, s)
	}
	heights := make([]float64, len(curves))
	for _, s := range stacks {
		for at := range s.names {
			heights[order[at]] = s.top() + float64(at)*nameGap
		}
		order = order[s.names:]
	}
	return heights
}

// stack is names side by side, from the top.
type stack struct {
	middle float64
	names  int
}

func (s stack) top() float64 { return s.middle - float64(s.names-1)*nameGap/2 }

func (s stack) touches(below stack) bool {
	return s.top()+float64(s.names)*nameGap > below.top()
}

// short is a size in few letters: 100 k, 10 M.
func short(size int) string {
	switch {
	case size >= 1_000_000:
		return number(float64(size)/1_000_000) + " M"
	case size >= 10_000:
		return number(float64(size)/1000) + " k"
	default:
		return number(float64(size))
	}
}
