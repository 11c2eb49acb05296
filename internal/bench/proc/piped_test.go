package proc

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestAPipedProcessHearsAndAnswersAndExplains(t *testing.T) {
	p, err := SpawnPiped("sh", "-c", `read line; echo "no $line" >&2; echo "heard $line"; cat`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.End()
	if _, err := fmt.Fprintln(p.In, "the order"); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Out.ReadString('\n'); got != "heard the order\n" {
		t.Errorf("got %q, %v, want an answer to the order", got, err)
	}
	if err := p.In.Close(); err != nil { // the process reads to the end of its orders, then ends
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(p.Out); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v, want the end", rest, err)
	}
	p.Process.End() // what it wrote has been read then
	if got := p.Explain("the process", errors.New("too slow")).Error(); !strings.Contains(got, "the process: too slow") || !strings.Contains(got, "no the order") {
		t.Errorf("the error is %q, want what happened and what the process said", got)
	}
}

func TestAPipedProcessThatCannotStartIsAnError(t *testing.T) {
	if _, err := SpawnPiped("/nowhere/program"); err == nil || !strings.Contains(err.Error(), "/nowhere/program") {
		t.Errorf("got %v, want an error that names the program", err)
	}
}
