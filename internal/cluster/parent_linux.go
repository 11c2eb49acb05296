package cluster

import "syscall"

// endWithParent are the attributes of a process that ends when the thread that started it ends, and
// that no Ctrl-C of the terminal reaches.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
