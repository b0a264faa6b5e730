package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/kardianos/service"
	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// serviceCommands returns the commands that manage the agent as a service of systemd,
// launchd, or Windows.
func serviceCommands(w environment) []*cli.Command {
	flags := func() []cli.Flag {
		return slices.Concat(homeFlags(), agentSettings(), []cli.Flag{
			&cli.StringFlag{Name: "name", Value: "vecctl", Usage: "`NAME` of the service, if a machine has several"},
			&cli.BoolFlag{Name: "system", Usage: "a system service, not one of this user (the default for root)"},
			&cli.StringFlag{Name: "run-as", Usage: "`USER` of a system service (default: the owner of the home)"},
		})
	}
	control := func(name, usage, done string, act func(service.Service) error) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, Flags: flags(), Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			s, err := newService(c, w)
			if err != nil {
				return err
			}
			if err := act(s); err != nil {
				return fault.Wrap(fault.Illegal, err, fmt.Sprintf("the service manager (%s) refused to %s the service %s: %v",
					s.Platform(), name, c.String("name"), err))
			}
			printLinef(w, "The service %s %s.", c.String("name"), done)
			return nil
		}}
	}
	return []*cli.Command{
		control("install", "install the agent as a service that starts with the system", "is installed; \"vecctl agent start\" starts it now", service.Service.Install),
		control("uninstall", "remove the service; the home stays", "is removed; the home is unchanged", service.Service.Uninstall),
		control("start", "start the installed service", "is running", service.Service.Start),
		control("stop", "stop the installed service", "has stopped", service.Service.Stop),
		{Name: "unit", Usage: "print the systemd service file that \"install\" writes", Flags: flags(), Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			u, err := unitOf(c, w)
			if err != nil {
				return err
			}
			text, err := u.render()
			if err != nil {
				return err
			}
			_, err = io.WriteString(w.stdout, text)
			return err
		}},
	}
}

func isSystemService(c *cli.Context) bool { return c.Bool("system") || os.Geteuid() == 0 }

// unitOf describes the service, with the settings from the command line and the environment.
func unitOf(c *cli.Context, w environment) (unit, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return unit{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return unit{}, fmt.Errorf("finding this program's file: %w", err)
	}
	u := unit{Program: program, Home: set.Home, Listen: set.Value("listen").Text, System: isSystemService(c)}
	u.Args = []string{"agent", "--home", u.Home}
	for _, one := range config.Settings() {
		value := set.Value(one.Key)
		if one.Flag == "" || one.Outside || !hasFlag(c, one.Flag) || value.Origin == config.FromDefault || value.Origin == config.FromFile {
			continue
		}
		// Boolean flags take a value only after an equals sign.
		u.Args = append(u.Args, "--"+one.Flag+"="+value.Text)
	}
	if drop := set.Drop.Folder; !within(u.Home, drop) {
		u.Others = append(u.Others, drop)
	}
	if file := set.Log.File; file != "" && !within(u.Home, filepath.Dir(file)) {
		u.Others = append(u.Others, filepath.Dir(file))
	}
	if backups := set.Retention.BackupFolder; backups != "" && !within(u.Home, backups) {
		u.Others = append(u.Others, backups) // it deletes old ones
	}
	if u.System {
		u.User = cmp.Or(c.String("run-as"), ownerOf(u.Home))
	}
	return u, nil
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// newService returns the service as the system's service manager sees it.
func newService(c *cli.Context, w environment) (service.Service, error) {
	u, err := unitOf(c, w)
	if err != nil {
		return nil, err
	}
	text, err := u.render()
	if err != nil {
		return nil, err
	}
	s, err := service.New(&program{}, &service.Config{
		Name: c.String("name"), DisplayName: c.String("name"), Description: "vecctl certificate vault in " + u.Home,
		UserName: u.User, Executable: u.Program, Arguments: u.Args,
		Option: service.KeyValue{"UserService": !u.System, "SystemdScript": text, "RunAtLoad": true},
	})
	if err != nil {
		return nil, fault.Wrap(fault.Illegal, err, "no service manager was found on this machine; start \"vecctl agent\" in another way")
	}
	return s, nil
}

// program is the agent as a service manager runs it.
type program struct {
	run   func(context.Context) error
	stop  context.CancelFunc
	ended chan error
}

// Start implements service.Interface.
func (p *program) Start(service.Service) error {
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // the interface passes no context
	p.stop, p.ended = stop, make(chan error, 1)
	go func() { p.ended <- p.run(ctx) }()
	return nil
}

// Stop implements service.Interface.
func (p *program) Stop(service.Service) error {
	p.stop()
	return <-p.ended
}

// asService runs the agent. Under the service manager of Windows, it runs it as a service.
func asService(c *cli.Context, run func(*cli.Context) error) error {
	if runtime.GOOS != "windows" || service.Interactive() {
		return run(c)
	}
	p := &program{run: func(ctx context.Context) error {
		c.Context = ctx
		return run(c)
	}}
	s, err := service.New(p, &service.Config{Name: "vecctl"})
	if err != nil {
		return fmt.Errorf("running as a service: %w", err)
	}
	return s.Run()
}

// ownerOf returns the user who owns a folder, or "" for root or an unknown owner.
func ownerOf(folder string) string {
	if owner := fsutil.Owner(folder); owner != "root" {
		return owner
	}
	return ""
}
