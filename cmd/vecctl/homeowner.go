package main

import (
	"context"
	"os"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// checkHomeOwner refuses root to write into the home of somebody else, which is any way to
// open it but through the agent that runs there: its owner, and so the service, could
// not open any more what root wrote.
func checkHomeOwner(dir home.Dir) error {
	if os.Geteuid() != 0 {
		return nil
	}
	owner := ownerOf(string(dir))
	if owner == "" {
		return nil
	}
	return fault.Newf(fault.Invalid, "the home %s belongs to the user %s, who could not open what root writes there; run the command as that user: sudo -u %s vecctl ... --home %s",
		dir, owner, owner, shellWord(string(dir)))
}

// openHome runs the agent on a home in this process.
func openHome(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	if err := checkHomeOwner(o.Home); err != nil {
		return nil, err
	}
	return agent.Open(ctx, o)
}
