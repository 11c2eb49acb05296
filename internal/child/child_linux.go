package child

import "syscall"

// endWithParent has the kernel send the child a signal when the thread that started it ends.
func endWithParent(attr *syscall.SysProcAttr, at syscall.Signal) { attr.Pdeathsig = at }
