package child

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// parent is set in the environment of this test binary when it is to be the parent of a child and to die.
const parent = "SKEIN_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parent) != "" {
		cmd := exec.Command("sh", "-c", "echo ready; read forever")
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
		if _, err := Start(cmd, syscall.SIGKILL, nil); err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

// The child has a pipe from us, which ends only when the last process that holds it has ended.
func TestAChildEndsWhenItsParentIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // no other system promises it
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parent+"=1")
	if _, err := cmd.StdinPipe(); err != nil { // the child would wait for input for ever
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close() // the processes have it
	out := bufio.NewReader(read)
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child says %q, %v; want that it is ready", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The read ends when the child has ended too: without that the test ends at its own limit.
	if rest, err := out.ReadString('\n'); err == nil {
		t.Errorf("after its parent was killed the child says %q", rest)
	}
	_ = cmd.Wait() // closes our end of its stdin, which must not be what ends the child
}

// Others start children that end with the thread, without keeping the thread for themselves.
func TestTheEndOfAChildEndsNoChildOfAnother(t *testing.T) {
	others := make([]*exec.Cmd, 40)
	for i := range others {
		c := exec.CommandContext(t.Context(), "cat")
		in, err := c.StdinPipe() // it waits for input until the test ends
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		c.SysProcAttr = &syscall.SysProcAttr{}
		endWithParent(c.SysProcAttr, syscall.SIGKILL)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		others[i] = c
		ended, err := Start(exec.CommandContext(t.Context(), "true"), syscall.SIGKILL, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-ended
	}
	for _, c := range others {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = c.Wait() // ProcessState says how it ended
		if got := c.ProcessState.Sys().(syscall.WaitStatus).Signal(); got != syscall.SIGTERM {
			t.Errorf("a child of another ended by %v, want %v", got, syscall.SIGTERM)
		}
	}
}

func TestAChildThatCannotStartIsAnError(t *testing.T) {
	refused := errors.New("no such namespace")
	for name, tt := range map[string]struct {
		program string
		enter   func() error
		want    string
	}{
		"there is no such program":     {"/nowhere/program", nil, "no such file"},
		"its thread cannot be entered": {"true", func() error { return refused }, refused.Error()},
	} {
		ended, err := Start(exec.Command(tt.program), syscall.SIGKILL, tt.enter)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
		<-ended
	}
}

func TestEndedIsClosedWhenTheChildHasEnded(t *testing.T) {
	cmd := exec.Command("sh", "-c", "exit 3")
	ended, err := Start(cmd, syscall.SIGKILL, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	if got := cmd.ProcessState.ExitCode(); got != 3 {
		t.Errorf("exit code %d, want 3", got)
	}
}
