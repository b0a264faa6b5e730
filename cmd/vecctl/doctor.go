package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/doctor"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/results/report"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func doctorCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "find problems of this machine or home, and show how to fix them",
		Flags: slices.Concat(homeFlags(), outputFlags(), settingFlags("drop.dir", "drop.poll"), []cli.Flag{
			&cli.BoolFlag{Name: "deep", Usage: "read every record of the database and every document, and name what is damaged"},
		}),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			found, err := runChecks(c, w)
			if err != nil {
				return err
			}
			if err := printFindings(w, form, found); err != nil {
				return err
			}
			if !doctor.Healthy(found) {
				return exitStatus(exitFailed)
			}
			return nil
		},
	}
}

// runChecks checks an existing home. It does not create one.
func runChecks(c *cli.Context, w environment) ([]doctor.Finding, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return nil, err
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return []doctor.Finding{{Check: "settings", Level: doctor.Wrong, Message: errorText(err), Fix: "correct the setting that the message names"}}, nil
	}
	existed, err := dir.Exists()
	if err == nil && !existed {
		return []doctor.Finding{{Check: "home", Level: doctor.Wrong, Message: fmt.Sprintf("there is no home in %s", dir),
			Fix: "vecctl init, or name another one with --home"}}, nil
	}
	p := doctorTarget(set, w.getenv)
	if err != nil {
		p.OpenFailure = &doctor.Finding{Check: "database", Level: doctor.Wrong, Message: errorText(err), Fix: "restore the home from a backup"}
		return p.Run(c.Context), nil
	}
	s, err := connectForDoctor(c, w, set)
	if err != nil {
		p.OpenFailure = refusal(err)
		return p.Run(c.Context), nil
	}
	p.Vault, p.Running, p.Deep = s.Client, s.agent == nil, c.Bool("deep")
	if status, err := s.AgentStatus(c.Context); err == nil && p.Running {
		p.BaseURL = status.BaseURL // the one that the agent uses
	}
	found := p.Run(c.Context)
	return found, s.close()
}

func doctorTarget(set config.Config, getenv func(string) string) doctor.Target {
	dir := homeOf(set)
	keys, _ := filepath.Glob(filepath.Join(dir.Keys(), "*.pem"))
	// Settings that cannot be used are found when the home is opened.
	timestamper, _ := agent.NewTimestamper(set, wallClock)
	return doctor.Target{
		Timestamper: timestamper,
		Home:        string(dir),
		Secrets:     append([]string{string(dir), dir.Database(), dir.Config(), dir.Blobs(), dir.Keys(), dir.Verified()}, keys...),
		Keys:        slices.DeleteFunc(slices.Clone(keys), home.IsReplacedKey), Drop: set.Drop.Folder, Poll: set.Drop.Poll, BaseURL: set.BaseURL, Default: config.DefaultBaseURL,
		DiskOf: func(folder string) (doctor.Disk, error) {
			d, err := home.DiskOf(folder)
			return doctor.Disk{Free: d.Free, Total: d.Total, Kind: d.Kind, Network: d.Network}, err
		},
		MissingCharacters: report.Fonts{Folders: append([]string{dir.Templates()}, report.SystemFolders(getenv)...)}.Missing,
		Transport:         http.DefaultTransport, Now: wallClock,
	}
}

// connectForDoctor connects to the agent that runs on the home, or opens the home without
// starting any work.
func connectForDoctor(c *cli.Context, w environment, set config.Config) (*session, error) {
	acting, err := institutionFor(c, w, homeOf(set))
	if err != nil {
		return nil, err
	}
	if s, err := connectRunning(w, homeOf(set), acting); s != nil || err != nil {
		return s, err
	}
	a, err := openHome(c.Context, agentOptions(c, w, set, vault.Institution{}, slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	acting.next = client.InProcess(a.Handler())
	local, err := adminclient.New("http://vecctl.local", withUserHeader(w, acting))
	if err != nil {
		return nil, err
	}
	_, stop := context.WithCancel(c.Context)
	ended := make(chan error, 1)
	ended <- nil
	return &session{Client: local, agent: a, stop: stop, ended: ended}, nil
}

func refusal(err error) *doctor.Finding {
	if fault.Is(err, fault.Locked) {
		return &doctor.Finding{Check: "database", Level: doctor.Note, Message: "it could not be checked: " + errorText(err), Fix: "run doctor again when the other process has ended"}
	}
	return &doctor.Finding{Check: "database", Level: doctor.Wrong, Message: errorText(err), Fix: "fix the problem that the message names, or restore the home from a backup"}
}

// errorText returns the text of an error for a person.
func errorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}

func printFindings(w environment, f outputFormat, found []doctor.Finding) error {
	if f != formatTable {
		return list[doctor.Finding]{
			headings: []string{"check", "level", "message", "mend"},
			cells: func(f doctor.Finding) []string {
				return []string{f.Check, string(f.Level), f.Message, f.Fix}
			},
		}.print(w.stdout, f, found)
	}
	for _, one := range found {
		line := fmt.Sprintf("%-6s %-12s %s", one.Level, one.Check, oneLine(one.Message))
		if one.Fix != "" {
			line += fmt.Sprintf("\n%20sfix: %s", "", oneLine(one.Fix))
		}
		if _, err := fmt.Fprintln(w.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
