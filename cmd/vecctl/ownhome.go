package main

import (
	"context"
	"os"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// openAgent opens the home in this process.
func openAgent(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	if err := ownHome(o.Home, os.Geteuid()); err != nil {
		return nil, err
	}
	return agent.Open(ctx, o)
}

// ownHome refuses root a home of somebody else's: nobody would keep root from
// writing there, but what root writes is closed to the home's user, whose agent
// would not start any more.
func ownHome(dir home.Dir, user int) error {
	owner := ownerOf(string(dir))
	if user != 0 || owner == "" {
		return nil
	}
	return fault.Newf(fault.Invalid,
		"the home %s belongs to the user %s, who could not read what root writes there; run the same as that user: sudo -u %s vecctl ..., or give the home to root: chown -R root '%s'",
		dir, owner, owner, dir)
}
