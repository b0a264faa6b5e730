//go:build unix

package webhooks

import (
	"os/exec"
	"syscall"
)

// setProcessGroup lets a command end together with all that it started.
func setProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
