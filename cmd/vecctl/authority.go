package main

import (
	"slices"

	"github.com/urfave/cli/v2"
)

func authorityCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "authority", Usage: "manage the certification authority: stores, domains and their badges",
		Subcommands: slices.Concat(
			[]*cli.Command{storeCommand(w), domainCommand(w)},
			decisionCommands(w), badgeCommands(w), certifyCommands(w), []*cli.Command{snapshotCommand(w), authorityLogCommand(w)},
		),
	}
}

func staffFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(homeFlags(), outputFlags(), more)
}
