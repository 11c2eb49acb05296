package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/doctor"
)

// served are the settings of skein serve. What Validate finds wrong with them is a finding, not an error of the
// command line.
type served config.Serve

type doctorCmd struct {
	served

	JSON bool `help:"Print a list of {check, level, saw, do}."`
}

// Help is shown below the summary by --help.
func (doctorCmd) Help() string {
	return "Takes the settings of skein serve; run it as the same user, on each node. Servers may run meanwhile. It ends with 1 if a check failed. docs/operations.md lists the checks."
}

// errUnwell says that a check failed.
var errUnwell = errors.New("a check failed")

// Run prints the findings.
func (c *doctorCmd) Run(ctx context.Context, out io.Writer) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	found := doctor.Examine(ctx, config.Serve(c.served))
	if err := c.print(out, found); err != nil {
		return err
	}
	if doctor.Failed(found) {
		return errUnwell
	}
	return nil
}

func (c *doctorCmd) print(out io.Writer, found []doctor.Finding) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(found)
	}
	for _, f := range found {
		if _, err := fmt.Fprintf(out, "%-4s  %s: %s\n", f.Level, f.Check, f.Saw); err != nil {
			return err
		}
		if f.Do != "" {
			if _, err := fmt.Fprintf(out, "      → %s\n", f.Do); err != nil {
				return err
			}
		}
	}
	return nil
}
