package main

import (
	"fmt"
	"math"
	"strings"
)

// measured are the costs that docs/scale.md is computed from. The page names the runs.
var measured = costs{
	send: 60, push: 3.6, event: 3.3, database: 50, login: 1245, loginDatabase: 660, heartbeat: 15,
	socketBytes: 9000, walBytes: 700, rowBytes: 350, eventBytes: 600,
}

// bought is the machine that the page counts in.
var bought = machine{cores: 8, memory: 12 << 30, use: 0.6}

// sizes are the installations of the page.
var sizes = []struct {
	name string
	load
}{
	{"100 thousand online, 10 thousand messages a second", load{1e5, 1e4, 3, 6}},
	{"1 million online, 100 thousand messages a second", load{1e6, 1e5, 3, 6}},
	{"10 million online, a million messages a second", load{1e7, 1e6, 3, 6}},
}

// tables are the computed part of the page.
func tables() string {
	var b strings.Builder
	c := measured
	b.WriteString("\n| what one piece of work costs | µs of CPU |\n| --- | --- |\n")
	for _, row := range []struct {
		what string
		cost float64
	}{
		{"a message: nodes", c.send}, {"a message: PostgreSQL", c.database}, {"to push it to one session", c.push},
		{"to receive its event on one node", c.event}, {"a login: nodes", c.login}, {"a login: PostgreSQL", c.loginDatabase},
		{"a heartbeat of a socket, each 25 s", c.heartbeat},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row.what, short(row.cost))
	}
	fmt.Fprintf(&b, "\nA socket takes %s of memory with its part of the kernel's, a message %s B of write-ahead log and %s B on disk, an event %s B on the bus. A machine has %s cores, of which %s %% are planned for, and %s for sockets.\n",
		bytesOf(c.socketBytes), short(c.walBytes), short(c.rowBytes), short(c.eventBytes), short(bought.cores), short(100*bought.use), bytesOf(bought.memory))
	b.WriteString("\n| installation | events go to | nodes | PostgreSQL shards | cores of nodes; of PostgreSQL | bus, to each node | messages on disk, a day |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, size := range sizes {
		for i, to := range []string{"all nodes", "nodes with members"} {
			p := need(size.load, c, bought, i == 1)
			name := size.name
			if i == 1 {
				name = ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s; %s | %s/s | %s |\n", name, to, short(p.nodes), short(p.databases), short(math.Round(p.nodeCores)), short(math.Round(p.databaseCores)), bytesOf(p.bus), bytesOf(p.diskPerDay))
		}
	}
	b.WriteString("\n| messages a second through the committer of one node | wait for the commit, p50 | p99 |\n| --- | --- | --- |\n")
	for _, rate := range rates {
		p50, p99 := commits(rate, trip, c.database*micro, seed)
		fmt.Fprintf(&b, "| %s | %s ms | %s ms |\n", short(rate), short(p50), short(p99))
	}
	b.WriteByte('\n')
	return b.String()
}

const (
	trip = 2e-3 // seconds: a round trip to PostgreSQL with its fsync
	seed = 1
)

// rates are those of one committer. It is full at 1/database, 20,000 a second.
var rates = []float64{100, 1000, 5000, 10_000, 15_000, 18_000}

// short has at most three digits that mean something, with commas between thousands.
func short(f float64) string {
	if math.IsInf(f, 0) {
		return "no number is enough"
	}
	if f < 0.1 {
		return fmt.Sprintf("%.2g", f)
	}
	if f < 100 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
	}
	whole := fmt.Sprintf("%.0f", f)
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	return whole
}

func bytesOf(f float64) string {
	if math.IsInf(f, 0) {
		return short(f)
	}
	units := []string{"B", "KB", "MB", "GB", "TB", "PB"}
	i := 0
	for ; f >= 1000 && i < len(units)-1; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.3g %s", f, units[i])
}

// Measures of the plot, in pixels.
const (
	width, height        = 960, 420
	left, right          = 80, 730
	top, bottom          = 80, 370
	leastRate, mostRate  = 1e3, 1e6
	leastCores, topCores = 0.01, 1e3
)

// plot draws the cores that an installation needs over its messages a second, with ten clients online for each.
func plot(style string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="Cores by messages a second">
%s<rect class="back" width="100%%" height="100%%"/>
<text class="title" x="16" y="28">Cores by messages a second</text>
<text class="small" x="16" y="48">Ten clients are online for each message a second, and three of them get it. Both axes grow tenfold from line to line.</text>
`, width, height, width, height, style)
	for rate := leastRate; rate <= mostRate; rate *= 10 {
		fmt.Fprintf(&b, `<line class="grid" x1="%.0f" y1="%d" x2="%.0f" y2="%d"/><text class="small" x="%.0f" y="%d" text-anchor="middle">%s</text>`+"\n", x(rate), top, x(rate), bottom, x(rate), bottom+20, short(rate))
	}
	for cores := leastCores; cores <= topCores*1.01; cores *= 10 {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" y1="%.0f" x2="%d" y2="%.0f"/><text class="small" x="%d" y="%.0f" text-anchor="end">%s</text>`+"\n", left, y(cores), right, y(cores), left-8, y(cores)+4, short(cores))
	}
	for _, line := range []struct {
		class, name string
		shift       float64
		cores       func(load) float64
	}{
		{"missed", "nodes, every event to all", -4, func(l load) float64 { return need(l, measured, bought, false).nodeCores }},
		{"reached", "nodes, events to members' nodes", 4, func(l load) float64 { return need(l, measured, bought, true).nodeCores }},
		{"", "PostgreSQL", 14, func(l load) float64 { return need(l, measured, bought, true).databaseCores }},
	} {
		var points []string
		lastX, lastY := 0.0, 0.0
		for step := range 61 {
			rate := leastRate * math.Pow(mostRate/leastRate, float64(step)/60)
			cores := line.cores(load{10 * rate, rate, 3, 6})
			if math.IsInf(cores, 0) || cores > 1.01*topCores {
				break
			}
			lastX, lastY = x(rate), y(cores)
			points = append(points, fmt.Sprintf("%.1f,%.1f", lastX, lastY))
		}
		curve := "curve"
		if line.class == "" {
			curve = "floor"
		}
		fmt.Fprintf(&b, `<g class="%s"><polyline class="%s" style="fill:none" points="%s"/></g><text class="small" x="%.0f" y="%.0f">%s</text>`+"\n", line.class, curve, strings.Join(points, " "), lastX+8, lastY+line.shift, line.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func x(rate float64) float64 {
	return left + (right-left)*math.Log10(rate/leastRate)/math.Log10(mostRate/leastRate)
}

func y(cores float64) float64 {
	return bottom - (bottom-top)*math.Log10(cores/leastCores)/math.Log10(topCores/leastCores)
}
