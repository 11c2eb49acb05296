//go:build unix && !linux

package cluster

import "syscall"

// endWithParent are the attributes of a process that no Ctrl-C of the terminal reaches. It outlives a
// parent that is killed: only Linux can end it.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
