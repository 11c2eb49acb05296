package e2e

import (
	"os"
	"os/exec"
	"syscall"
)

// ownMountsMark is in the environment of the process that runs the tests.
const ownMountsMark = "SKEIN_E2E_OWN_MOUNTS"

// ownMounts restarts the tests in a mount namespace of their own: nobody else sees what they mount,
// and it disappears with them, even after a panic or a signal. It does nothing if the system
// does not allow that.
func ownMounts() error {
	if os.Geteuid() != 0 || os.Getenv(ownMountsMark) != "" {
		return nil
	}
	unshare, _ := exec.LookPath("unshare") // empty: cannot be run
	if allowed := exec.Command(unshare, "--mount", "true").Run() == nil; !allowed {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"unshare", "--mount", "--propagation", "private", self}, os.Args[1:]...)
	return syscall.Exec(unshare, args, append(os.Environ(), ownMountsMark+"=1"))
}
