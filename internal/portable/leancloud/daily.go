package leancloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// dayZone is where LeanCloud's day begins: its free plan counts 30,000 requests a day,
// and no page says by which clock. China's is the likely one.
var dayZone = time.FixedZone("UTC+8", 8*60*60)

// daily counts the requests of a day, also over several runs. It is safe for concurrent
// use.
type daily struct {
	file  string
	bound int
	block int // requests written down ahead, lost when the process is killed

	mu      sync.Mutex // guards what follows
	day     string
	used    int
	written int
}

// usedToday is the file of daily.
type usedToday struct {
	Day  string `json:"day"`
	Used int    `json:"used"`
}

func openDaily(file string, bound int) (*daily, error) {
	d := &daily{file: file, bound: bound, block: max(1, min(100, bound/100))}
	raw, err := os.ReadFile(file) //nolint:gosec // below the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	var was usedToday
	if err == nil {
		err = json.Unmarshal(raw, &was)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	d.day, d.used, d.written = was.Day, was.Used, was.Used
	return d, nil
}

// take counts one request, or waits for the next day first.
func (d *daily) take(ctx context.Context, clock Clock, say func(string)) error {
	for {
		now := clock.Now().In(dayZone)
		ok, err := d.count(now.Format(time.DateOnly))
		if ok || err != nil {
			return err
		}
		tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 1, 0, 0, dayZone)
		say(fmt.Sprintf("the %d requests of today are used up: going on at %s; you may also stop here and run the same command later",
			d.bound, tomorrow.Format("2006-01-02 15:04 MST")))
		if err := clock.Sleep(ctx, tomorrow.Sub(now)); err != nil {
			return err
		}
	}
}

func (d *daily) count(day string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.day != day {
		d.day, d.used, d.written = day, 0, 0
	}
	if d.used >= d.bound {
		return false, nil
	}
	d.used++
	if d.used <= d.written {
		return true, nil
	}
	return true, d.write(min(d.bound, d.used+d.block-1))
}

func (d *daily) write(used int) error {
	d.written = used
	raw, err := json.Marshal(usedToday{Day: d.day, Used: used})
	if err != nil {
		return err
	}
	return replaceFile(d.file, raw)
}

// spend marks the day as used up: LeanCloud said so.
func (d *daily) spend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = d.bound
}

// close writes the exact count.
func (d *daily) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.day == "" {
		return nil
	}
	return d.write(d.used)
}
