package load

import (
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/report"
)

// BesideFloor lets a crowd speak to the server and reports it. With an embedded store it also lets a crowd speak to
// the floor, for a time of its own. Several nodes have no floor that they could be compared with.
func (r *Run) BesideFloor(name, about string, usual, floors time.Duration, speak func(*driver.Host, time.Duration) (Spoken, []report.Value, error)) error {
	s, values, err := speak(r.Host, r.Lasting(usual))
	if err != nil {
		return err
	}
	if r.Nodes > 0 {
		return r.Report(name, about, values, s.Checked, s.Faults())
	}
	floor, err := driver.StartFloor(r.Options.Options)
	if err != nil {
		return err
	}
	defer floor.End()
	f, floored, err := speak(floor, r.Lasting(floors))
	if err != nil {
		return err
	}
	return r.Report(name, about, WithFloor(values, floored), s.Checked, s.Faults(f))
}
