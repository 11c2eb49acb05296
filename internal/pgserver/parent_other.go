//go:build unix && !linux

package pgserver

import "syscall"

// endWithParent are the attributes of a process of this user that no Ctrl-C of the terminal reaches. It
// outlives a parent that is killed: only Linux can end it.
func endWithParent(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Setpgid: true}
}
