//go:build !unix

package webhooks

import "os/exec"

// setProcessGroup does nothing here: the command alone is ended.
func setProcessGroup(*exec.Cmd) {}
