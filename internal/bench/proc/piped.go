package proc

import (
	"bufio"
	"errors"
	"fmt"
	"os"
)

// Piped is a process that this one talks to.
type Piped struct {
	*Process

	In  *os.File      // its stdin
	Out *bufio.Reader // its stdout
	out *os.File      // that Out reads
}

// SpawnPiped is Spawn with a pipe to the command's stdin and one from its stdout.
func SpawnPiped(command ...string) (*Piped, error) {
	in, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // the child has its own
	hear, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, tell.Close())
	}
	defer func() { _ = out.Close() }() // likewise
	c, err := spawn(in, out, command...)
	if err != nil {
		return nil, errors.Join(err, tell.Close(), hear.Close())
	}
	return &Piped{Process: c, In: tell, Out: bufio.NewReader(hear), out: hear}, nil
}

// Hush closes the pipes. The process goes on.
func (p *Piped) Hush() { _, _ = p.In.Close(), p.out.Close() } // both sides are done

// End kills the process and closes the pipes.
func (p *Piped) End() {
	p.Process.End()
	p.Hush()
}

// Explain adds to an error what the process wrote last to its stderr. what names it.
func (p *Piped) Explain(what string, err error) error {
	return fmt.Errorf("%s: %w\n%s", what, err, p.Log)
}
