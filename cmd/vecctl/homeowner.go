package main

import (
	"context"
	"os"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// checkHomeOwner returns an error if root is about to open the home of another user without
// the agent that runs on it: the owner, and so the service, could not read the files that
// root writes.
func checkHomeOwner(dir home.Dir) error {
	if os.Geteuid() != 0 {
		return nil
	}
	owner := ownerOf(string(dir))
	if owner == "" {
		return nil
	}
	return fault.Newf(fault.Invalid, "the home %s belongs to the user %s, who cannot open files that root writes there; run the command as that user: sudo -u %s vecctl ... --home %s",
		dir, owner, owner, shellWord(string(dir)))
}

// openHome opens the home in this process.
func openHome(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	if err := checkHomeOwner(o.Home); err != nil {
		return nil, err
	}
	return agent.Open(ctx, o)
}
