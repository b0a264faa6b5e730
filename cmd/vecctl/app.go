package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// environment is everything outside of the program that a command may use.
type environment struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
	// page converts an image into a PDF of one page.
	page func(w io.Writer, r io.ReaderAt, size int64) error
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, w environment) int {
	app := newApp(w)
	err := app.RunContext(ctx, flagsFirst(app, args))
	printError(w.stderr, err)
	return exitCode(err)
}

func newApp(w environment) *cli.App {
	app := &cli.App{
		Name:      "vecctl",
		Usage:     "issue certificates that anyone can check",
		UsageText: "vecctl COMMAND [FLAGS] [ARGUMENTS]\n\nA first batch:\n   vecctl bulk manifest.csv",
		Version:   version().Version,
		Reader:    w.stdin, Writer: w.stdout, ErrWriter: w.stderr,
		HideHelpCommand: true,
		Flags:           []cli.Flag{cli.HelpFlag},
		// A column's heading may hold a comma.
		DisableSliceFlagSeparator: true,
		// Errors are printed and mapped to exit codes in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   onUsageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c.App, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			initCommand(w), agentCommand(w), bulkCommand(w), uploadCommand(w),
			listCommand(w), viewCommand(w), downloadCommand(w), retryCommand(w),
			revokeCommand(w), reissueCommand(w), reshareCommand(w), recipientCommand(w), mailCommand(w),
			stampCommand(w), verifyCommand(w), tlogCommand(w),
			batchesCommand(w), watchCommand(w), tuiCommand(w), statusCommand(w), checkCommand(w),
			tokenCommand(w), keyCommand(w), institutionCommand(w), correctionsCommand(w), applicationCommand(w),
			templateCommand(w), templatesCommand(w), certificatesCommand(w), apiCommand(w),
			authorityCommand(w),
			webhookCommand(w), listenCommand(w), eventsCommand(w), remoteCommand(w),
			backupCommand(w), restoreCommand(w), actsCommand(w), exportCommand(w), compactCommand(w),
			configCommand(w), doctorCommand(w), versionCommand(w), helpCommand(w),
			completionCommand(w), completeCommand(w), manCommand(w),
		},
	}
	applyDefaults(app.Commands)
	return app
}

// applyDefaults sets what all commands and subcommands have in common.
func applyDefaults(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = func(c *cli.Context) error {
				if c.Args().Present() {
					return usageError("unknown command %q; see %s --help", c.Args().First(), c.Command.HelpName)
				}
				return cli.ShowSubcommandHelp(c)
			}
		}
		applyDefaults(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	return usageError("%s; see %s --help", describeFlagError(err), c.Command.HelpName)
}

// describeFlagError returns an error of the flag library in plain words.
func describeFlagError(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		return "unknown flag --" + strings.TrimLeft(name, "-")
	}
	return text
}

func unknownCommand(app *cli.App, name string) error {
	for _, c := range app.Commands {
		if strings.HasPrefix(c.Name, name) || strings.HasPrefix(name, c.Name) {
			return usageError("unknown command %q; did you mean %q? \"vecctl help\" lists all commands", name, c.Name)
		}
	}
	return usageError("unknown command %q; \"vecctl help\" lists all commands", name)
}

// Flags that many commands take.
func homeFlags() []cli.Flag {
	return append(homeOnlyFlags(),
		&cli.StringFlag{Name: "institution", EnvVars: []string{"VECCTL_INSTITUTION"}, Usage: "work for the institution `SLUG` (ID or name), where the home has several"})
}

// homeOnlyFlags are those of commands that are about no institution of the home, or have a
// flag of their own that says it.
func homeOnlyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "home", EnvVars: []string{"VECCTL_HOME"}, Usage: "use the home (data directory) `DIR`"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no progress"},
		&cli.BoolFlag{Name: "no-color", Usage: "use no colours"},
	}
}

func apiFlags() []cli.Flag {
	return slices.Concat(homeFlags(), []cli.Flag{
		&cli.StringFlag{Name: "api", EnvVars: []string{"VECCTL_API"}, Usage: "use the API at `URL` instead of the home"},
		&cli.StringFlag{Name: "token", EnvVars: []string{"VECCTL_TOKEN"}, Usage: "API `TOKEN`"},
	}, remoteFlags())
}

// remoteFlags returns the flags that say how servers on other machines are called.
func remoteFlags() []cli.Flag {
	return settingFlags("ca", "insecure_http", "timeout")
}

func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "output `FORMAT`: table, json, jsonl, csv"},
		&cli.BoolFlag{Name: "json", Usage: "short for -o json"},
	}
}

// requireArgs returns an error if the number of arguments is not n.
func requireArgs(c *cli.Context, n int, what string) error {
	switch {
	case c.NArg() < n:
		return usageError("%s is missing; see %s --help", what, c.Command.HelpName)
	case c.NArg() > n:
		return usageError("unexpected argument %q; see %s --help", c.Args().Get(n), c.Command.HelpName)
	}
	return nil
}

func helpCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "show help for a command, or for exit-codes", ArgsUsage: "[COMMAND|exit-codes]",
		Flags: homeFlags(),
		Action: func(c *cli.Context) error {
			switch name := c.Args().First(); {
			case name == "":
				return cli.ShowAppHelp(c)
			case name == "exit-codes":
				_, err := io.WriteString(w.stdout, exitCodesHelp)
				return err
			case find(c.App.Commands, name) == nil:
				return unknownCommand(c.App, name)
			default:
				return cli.ShowCommandHelp(c, name)
			}
		},
	}
}

// printLinef prints one line for a person to stderr.
func printLinef(w environment, format string, args ...any) {
	fmt.Fprintln(w.stderr, oneLine(fmt.Sprintf(format, args...)))
}
