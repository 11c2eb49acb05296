package proc

import "syscall"

// childAttributes keep a ctrl-C of the terminal from the child, which is ended in
// order, and end it when this process is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
