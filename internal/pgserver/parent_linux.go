package pgserver

import "syscall"

// endWithParent are the attributes of a process of this user that ends when the thread that started it
// ends, and that no Ctrl-C of the terminal reaches.
func endWithParent(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
