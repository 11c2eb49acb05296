package api

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

// dayZone is the time zone of LeanCloud's day. Its free plan allows 30,000 requests a day,
// and no page names the zone; China's is the likely one.
var dayZone = time.FixedZone("UTC+8", 8*60*60)

// Daily counts the requests of a day, also across several runs. It is safe for concurrent
// use.
type Daily struct {
	file    string
	bound   int
	replace func(file string, content []byte) error
	block   int // requests counted in the file ahead of time, lost if the process is killed

	mu      sync.Mutex // guards what follows
	day     string
	used    int
	written int
}

// usedToday is the content of the file.
type usedToday struct {
	Day  string `json:"day"`
	Used int    `json:"used"`
}

// OpenDaily reads the count from a file if it exists. replace writes a file as a whole.
func OpenDaily(file string, bound int, replace func(file string, content []byte) error) (*Daily, error) {
	d := &Daily{file: file, bound: bound, replace: replace, block: max(1, min(100, bound/100))}
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

// take counts one request. If the requests of the day are used up, it waits for the next
// day first.
func (d *Daily) take(ctx context.Context, clock Clock, say func(string)) error {
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

func (d *Daily) count(day string) (bool, error) {
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

func (d *Daily) write(used int) error {
	d.written = used
	raw, err := json.Marshal(usedToday{Day: d.day, Used: used})
	if err != nil {
		return err
	}
	return d.replace(d.file, raw)
}

// spend marks the day as used up, because LeanCloud said so.
func (d *Daily) spend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = d.bound
}

// Close writes the exact count.
func (d *Daily) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.day == "" {
		return nil
	}
	return d.write(d.used)
}
