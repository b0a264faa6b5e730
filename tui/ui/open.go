package ui

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/vecctl/vecctl/pkg/fault"
)

// OpenWithDesktop opens a file or an address in the desktop's program for it.
func OpenWithDesktop(ctx context.Context, target string) error {
	name, args := "xdg-open", []string{target}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", target}
	}
	if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
		return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("%s could not open %s; open it by hand", name, target))
	}
	return nil
}
