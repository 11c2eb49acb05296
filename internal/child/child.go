// Package child starts processes that end when this one ends, however that ends, and that no
// Ctrl-C of the terminal reaches. Only Linux ends them so: elsewhere they outlive a parent
// that is killed. Tests and tools use it.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts cmd. If this process ends first, the kernel sends the child the signal at.
// enter is called on the thread that starts it, such as to enter a network namespace; nil:
// nothing is done. ended is closed when the process has ended and ProcessState says how:
// nobody else may call cmd.Wait.
//
// The kernel takes the end of the thread that started a child for the end of its parent, so
// that thread is kept until the child has ended. Then others may have it, unless enter changed
// it: a thread that ends would take the children along that somebody else started on it before.
func Start(cmd *exec.Cmd, at syscall.Signal, enter func() error) (ended <-chan struct{}, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr, at)
	begun, done := make(chan error, 1), make(chan struct{})
	go func() { // it ends with the child, whoever started that ends it
		runtime.LockOSThread()
		if enter == nil {
			defer runtime.UnlockOSThread()
		} // else the thread may be in another namespace, and ends with this goroutine
		defer close(done)
		var err error
		if enter != nil {
			err = enter()
		}
		if err == nil {
			err = cmd.Start()
		}
		begun <- err
		if err == nil {
			_ = cmd.Wait() // ProcessState says how it ended
		}
	}()
	return done, <-begun
}
