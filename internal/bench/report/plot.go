package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Measures of the plot, in pixels.
const (
	plotWidth  = 960
	plotTop    = 94
	rowHeight  = 26
	barHeight  = 14
	barLeft    = 390
	targetAt   = 300 // width of a bar that just reaches its target
	barLongest = 380 // longer ones are cut, with an arrow
	valueAt    = barLeft + barLongest + 12
	plotFoot   = 20
)

// SVG plots each value that has a target: a bar is as long as the part of its
// target that it uses up, so a bar that ends left of the line has reached it.
func (r Report) SVG(w io.Writer) error {
	var rows strings.Builder
	n := 0
	for _, result := range r.Results {
		for _, v := range result.Values {
			if v.Target != nil {
				writeBar(&rows, plotTop+n*rowHeight, result.Title()+": "+v.Name, v)
				n++
			}
		}
	}
	height := plotTop + n*rowHeight + plotFoot
	line := barLeft + targetAt
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="What was measured, as a part of its target">
%s<rect class="back" width="100%%" height="100%%"/>
<text class="title" x="16" y="28">Skein against its targets</text>
<text class="small" x="16" y="48">%s</text>
<text class="small" x="16" y="66">A bar is the part of its target that is used up; a tick across it is a bare relay in the same run.</text>
<text class="small" x="%d" y="84" text-anchor="middle">target</text>
%s<line class="target" x1="%d" y1="90" x2="%d" y2="%d"/>
</svg>
`, plotWidth, height, plotWidth, height, Style, escape(r.Origin.String()), line, rows.String(), line, line, height-plotFoot+4)
	return err
}

func writeBar(b *strings.Builder, top int, label string, v Value) {
	text := top + barHeight - 2
	width, more := barWidth(v.share())
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", barLeft-12, text, escape(label))
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="2"/>`+"\n", v.verdict(), barLeft, top, width, barHeight)
	if v.Floor != nil && *v.Floor > 0 {
		at, _ := barWidth(v.shareOf(*v.Floor))
		fmt.Fprintf(b, `<line class="floor" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", barLeft+at, top-3, barLeft+at, top+barHeight+3)
	}
	fmt.Fprintf(b, `<text class="value" x="%d" y="%d">%s%s of %s</text>`+"\n", valueAt, text, more, escape(v.measured()), escape(v.target()))
}

func barWidth(share float64) (width int, more string) {
	if share*targetAt > barLongest {
		return barLongest, "→ "
	}
	return max(1, int(share*targetAt)), ""
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
