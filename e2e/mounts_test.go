package e2e

import (
	"os"
	"os/exec"
	"syscall"
)

// ownMountsMark is in the environment of the process that runs the tests.
const ownMountsMark = "SKEIN_E2E_OWN_MOUNTS"

// ownMounts starts the tests anew where what they mount is seen by nobody else and
// goes with them, also when they end by a panic or a signal. Where that is not
// allowed it does nothing.
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
