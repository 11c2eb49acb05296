package main

import (
	"fmt"
	"io"
	"time"
)

// progress prints how far a long command is: the rate, and the time left if the total is
// known.
type progress struct {
	out   io.Writer
	now   func() time.Time
	what  string
	began time.Time
	told  time.Time
}

// everyProgress is how often progress prints a line.
const everyProgress = 2 * time.Second

func newProgress(out io.Writer, now func() time.Time, what string) *progress {
	at := now()
	return &progress{out: out, now: now, what: what, began: at, told: at}
}

// show prints a line if it is time to; all is zero if the total is unknown.
func (p *progress) show(done, all int64) {
	const look = 64 // reading the clock each time would cost more than most of the counted work
	if done%look != 0 {
		return
	}
	at := p.now()
	if at.Sub(p.told) < everyProgress {
		return
	}
	p.told = at
	rate := float64(done) / at.Sub(p.began).Seconds()
	if all == 0 {
		fmt.Fprintf(p.out, "%d %s, %.0f a second\n", done, p.what, rate)
		return
	}
	left := time.Duration(float64(max(all-done, 0))/max(rate, 1)) * time.Second
	fmt.Fprintf(p.out, "%d of %d %s, %.0f a second, %s left\n", done, all, p.what, rate, left)
}
