package main

import (
	"slices"

	"github.com/urfave/cli/v2"
)

func authorityCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "authority", Usage: "the certification authority: stores, domains and their badges",
		Subcommands: slices.Concat(
			[]*cli.Command{storeCommand(w), domainCommand(w)},
			decisionCommands(w), badgeCommands(w), certifyCommands(w), []*cli.Command{snapshotCommand(w), authorityLogCommand(w)},
		),
	}
}

func staffFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(homeFlags(), outputFlags(), more)
}

// rows prepares a command whose result is a list.
func rows[T any](w world, arguments int, what string, shown list[T], call func(*cli.Context, *session) ([]T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := exactly(c, arguments, what); err != nil {
			return err
		}
		form, err := formOf(c)
		if err != nil {
			return err
		}
		return with(c, w, func(s *session) error {
			all, err := call(c, s)
			if err != nil {
				return err
			}
			return shown.print(w.stdout, form, all)
		})
	}
}

// one prepares a command of the home's authority whose result is one object.
func one[T any](w world, what string, fields func(T) [][2]string, call func(*cli.Context, *session) (T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := exactly(c, 1, what); err != nil {
			return err
		}
		form, err := formOf(c)
		if err != nil {
			return err
		}
		return with(c, w, func(s *session) error {
			result, err := call(c, s)
			if err != nil {
				return err
			}
			return printFields(w.stdout, form, result, fields(result))
		})
	}
}
