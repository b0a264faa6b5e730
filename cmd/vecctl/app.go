package main

import (
	"context"
	"fmt"
	"io"
	"slices"

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
	line := readLine(app, args)
	var err error
	if line.help {
		err = showHelp(w, app, append(line.path, line.rest...))
	} else {
		err = app.RunContext(ctx, line.args(args[0]))
	}
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
			return showHelp(w, c.App, c.Args().Slice())
		},
		Commands: []*cli.Command{
			initCommand(w), agentCommand(w), bulkCommand(w), uploadCommand(w),
			listCommand(w), viewCommand(w), downloadCommand(w), badgeCommand(w), retryCommand(w),
			revokeCommand(w), reissueCommand(w), reshareCommand(w), recipientCommand(w), mailCommand(w),
			stampCommand(w), verifyCommand(w), tlogCommand(w),
			batchCommand(w), watchCommand(w), tuiCommand(w), statusCommand(w), checkCommand(w),
			tokenCommand(w), keyCommand(w), institutionCommand(w), correctionCommand(w), applicationCommand(w),
			templateCommand(w), templatesCommand(w), certificateCommand(w), apiCommand(w),
			sealCommand(w),
			authorityCommand(w),
			webhookCommand(w), listenCommand(w), eventCommand(w), remoteCommand(w),
			backupCommand(w), restoreCommand(w), adoptCommand(w), actsCommand(w), exportCommand(w), compactCommand(w),
			retentionCommand(w),
			configCommand(w), doctorCommand(w), versionCommand(w), helpCommand(w),
			completionCommand(w), completeCommand(w), manCommand(w),
		},
	}
	applyDefaults(w, app.Commands)
	return app
}

// applyDefaults sets what all commands and subcommands have in common.
func applyDefaults(w environment, commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = func(c *cli.Context) error {
				if c.Args().Present() {
					return unknownCommand(c.Command.HelpName, c.Command.Subcommands, c.Args().First())
				}
				return writeHelp(w.stdout, c.Command.HelpName, c.Command)
			}
		}
		applyDefaults(w, c.Subcommands)
	}
}

// withList gives a command that lists something the subcommand "list", which does the same.
func withList(c *cli.Command, usage string) *cli.Command {
	c.Subcommands = append([]*cli.Command{{Name: "list", Usage: usage, Flags: c.Flags, Action: c.Action}}, c.Subcommands...)
	return c
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
		outputFlag(),
		&cli.BoolFlag{Name: "json", Usage: "short for -o json"},
	}
}

func outputFlag() cli.Flag {
	f := newChoiceFlag("output", "output `FORMAT`", string(formatTable), string(formatJSON), string(formatJSONLines), string(formatCSV)).or(string(formatTable))
	f.Aliases = []string{"o"}
	return f
}

// requireArgs returns an error if the number of arguments is not n.
func requireArgs(c *cli.Context, n int, what string) error {
	switch {
	case c.NArg() < n:
		return usageError("%s is missing; see %s --help", what, c.Command.HelpName)
	case c.NArg() > n && n == 0 && len(c.Command.Subcommands) > 0:
		return unknownCommand(c.Command.HelpName, c.Command.Subcommands, c.Args().First())
	case c.NArg() > n:
		return usageError("unexpected argument %q; see %s --help", c.Args().Get(n), c.Command.HelpName)
	}
	return nil
}

// printLinef prints one line for a person to stderr.
func printLinef(w environment, format string, args ...any) {
	fmt.Fprintln(w.stderr, oneLine(fmt.Sprintf(format, args...)))
}
