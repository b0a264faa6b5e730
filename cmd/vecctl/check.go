package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// checkState is how a vault is, as monitoring programs count it: the exit code of a plugin.
type checkState int

const (
	checkOK checkState = iota
	checkWarning
	checkCritical
	checkUnknown
)

func (s checkState) String() string { return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s] }

// checkResult is what "check" prints.
type checkResult struct {
	State    string   `json:"state"` // OK, WARNING, CRITICAL or UNKNOWN
	Code     int      `json:"code"`  // 0 to 3, as the exit code
	Messages []string `json:"messages"`
	// Figures are counts, by name.
	Figures map[string]int64 `json:"figures"`

	order []string
}

func checkCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "print one line for a monitoring program, and exit with 0, 1, 2 or 3",
		Description: "Exit codes: 0 fine, 1 warning (something needs a person), 2 critical (no agent runs, or nothing\n" +
			"new is taken), 3 unknown. It asks the agent that runs on the home and changes nothing.\n\n" +
			"EXAMPLES:\n" +
			"   vecctl check\n" +
			"   vecctl check --nagios --home /var/lib/vecctl/home",
		Flags: append(append(homeFlags(), outputFlags()...), &cli.BoolFlag{Name: "nagios", Usage: "print the line as a Nagios plugin does, with performance data"}),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			state, messages, status := checkAgent(c, w)
			result := newCheckResult(state, messages, status)
			if form != formatTable {
				if err := printFields(w.stdout, form, result, nil); err != nil {
					return err
				}
			} else {
				fmt.Fprintln(w.stdout, result.line(c.Bool("nagios")))
			}
			if state != checkOK {
				return exitStatus(state)
			}
			return nil
		},
	}
}

// checkAgent asks the agent that runs on the home.
func checkAgent(c *cli.Context, w environment) (checkState, []string, *adminclient.AgentStatus) {
	set, err := loadSettings(c, w)
	if err != nil {
		return checkUnknown, []string{errorText(err)}, nil
	}
	dir := homeOf(set)
	if existed, err := dir.Exists(); err != nil || !existed {
		if err != nil {
			return checkUnknown, []string{errorText(err)}, nil
		}
		return checkUnknown, []string{fmt.Sprintf("there is no home in %s; name another one with --home", dir)}, nil
	}
	acting, err := institutionFor(c, w, dir)
	if err != nil {
		return checkUnknown, []string{errorText(err)}, nil
	}
	s, err := connectRunning(w, dir, acting)
	if err != nil {
		return checkUnknown, []string{errorText(err)}, nil
	}
	if s == nil {
		return checkCritical, []string{fmt.Sprintf("no agent runs on the home %s", dir)}, nil
	}
	status, err := s.AgentStatus(c.Context)
	if err != nil {
		return checkCritical, []string{errorText(err)}, nil
	}
	state, messages := judgeStatus(status)
	return state, messages, &status
}

// judgeStatus says how an agent is: what blocks it is critical, what waits for a person is a
// warning.
func judgeStatus(s adminclient.AgentStatus) (state checkState, messages []string) {
	for _, p := range s.Problems {
		level := checkWarning
		if p.Blocking {
			level = checkCritical
		}
		state = max(state, level)
		messages = append(messages, p.Message)
	}
	if n := s.Certificates["failed"]; n > 0 {
		state = max(state, checkWarning)
		messages = append(messages, fmt.Sprintf("%d certificates have failed", n))
	}
	return state, messages
}

func newCheckResult(state checkState, messages []string, s *adminclient.AgentStatus) checkResult {
	r := checkResult{State: state.String(), Code: int(state), Messages: append([]string{}, messages...), Figures: map[string]int64{}}
	if s == nil {
		return r
	}
	add := func(name string, n int64) {
		r.Figures[name], r.order = n, append(r.order, name)
	}
	for _, name := range []string{"approved", "processing", "failed", "revoked"} {
		add(name, int64(s.Certificates[name]))
	}
	add("documents_waiting", int64(s.Jobs["process"].Waiting+s.Jobs["process"].Later))
	add("mails_waiting", int64(s.Jobs["notify"].Waiting+s.Jobs["notify"].Later))
	add("timestamps_owed", int64(s.Jobs["timestamp"].Waiting+s.Jobs["timestamp"].Later))
	add("levels_owed", int64(s.Jobs["preserve"].Waiting+s.Jobs["preserve"].Later))
	add("database_bytes", s.DatabaseSize)
	return r
}

// line is the result on one line.
func (r checkResult) line(nagios bool) string {
	text := strings.Join(r.Messages, "; ")
	if text == "" {
		text = fmt.Sprintf("%d certificates approved, %d documents and %d mails waiting", r.Figures["approved"], r.Figures["documents_waiting"], r.Figures["mails_waiting"])
	}
	// A line break would end the line, and | begins the performance data.
	text = strings.NewReplacer("\n", " ", "\r", " ", "|", "/").Replace(text)
	if !nagios {
		return r.State + ": " + text
	}
	var figures []string
	for _, name := range r.order {
		unit := ""
		if name == "database_bytes" {
			unit = "B"
		}
		figures = append(figures, fmt.Sprintf("%s=%d%s", name, r.Figures[name], unit))
	}
	line := "VECCTL " + r.State + " - " + text
	if len(figures) == 0 {
		return line
	}
	return line + " | " + strings.Join(figures, " ")
}
