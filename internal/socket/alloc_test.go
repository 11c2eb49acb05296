//go:build linux

package socket

import (
	"strings"
	"testing"
)

// Budgets bound how often the server may allocate to read a command and write its answer,
// without the work of its op.
const (
	pingBudget    = 1 // the type of the frame as a string
	commandBudget = 8 // the type; its context, which ends with the socket, and the timer that checks the client (7)
	sendBudget    = 2 // the type; its context
)

func TestAllocsOfACommand(t *testing.T) {
	f := start(t, nil)
	p := loginRaw(t, f.addr, "Tom")
	defer p.close()
	command, want := echo(strings.Repeat("x", 100))
	buf := make([]byte, 4096)
	for name, tt := range map[string]struct {
		budget  float64
		command []byte
		end     string
	}{
		"a ping":    {pingBudget, text(`{"type":"ping"}`), "}}"},
		"a command": {commandBudget, text(command), want[len(want)-2:]},
	} {
		got := testing.AllocsPerRun(100, func() {
			p.write(t, tt.command)
			p.read(t, buf, tt.end)
		})
		if got > tt.budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, got, tt.budget)
		}
	}
}
