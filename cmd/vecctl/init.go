package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/prompt"
	"github.com/vecctl/vecctl/tui/ui"
)

func initCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "set up a home, or change its settings",
		Description: "On a terminal it asks for the settings that the flags leave out.\n\n" +
			"A new home gets a signing key of its own. P-256 is fast and its signatures are small. RSA-3072 takes 15 times\n" +
			"as long to sign, and is read by old programs too, which know no ECDSA (iText 5, old Java). P-384 is for rules that\n" +
			"ask for it. \"vecctl key rotate --algorithm KIND\" changes the kind later, and what was signed stays valid.",
		Flags: append(append(homeOnlyFlags(), outputFlags()...),
			&cli.StringFlag{Name: "institution", Usage: "`NAME` of the institution, as shown in signatures"},
			&cli.StringFlag{Name: "base-url", Usage: "`URL` with which QR codes and links begin"},
			&cli.StringFlag{Name: "time-zone", Usage: "the institution's time `ZONE`, such as Europe/Warsaw"},
			&cli.StringFlag{Name: "mail-server", Usage: "`URL` of the mail server, such as smtp://user@host:587; \"-\" reads it from standard input, so that a password in it stays secret"},
			&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` of the sender of mails"},
			&cli.StringFlag{Name: "listen", Usage: "`ADDRESS` on which the agent serves programs and visitors, or \"none\""},
			&cli.StringFlag{Name: "key-algorithm", Usage: "`KIND` of the signing key of a new home: P-256, P-384 or RSA-3072 (default: P-256)"},
			&cli.BoolFlag{Name: "sample", Usage: "create a sample batch for a first try"},
			&cli.BoolFlag{Name: "try", Usage: "test the base URL and the mail server, and print the result; always done on a terminal"},
			&cli.BoolFlag{Name: "no-input", Usage: "do not ask questions"},
		),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			p, err := setupPlanOf(c, w)
			if err != nil {
				return err
			}
			return runInit(c, w, form, p)
		},
	}
}

// setupPlan has the settings that init changes; an empty setting stays as it is.
type setupPlan struct {
	adminclient.Settings
	sample    bool
	algorithm pdf.KeyAlgorithm // of the signing key of a new home; "" is that of the settings
}

func setupPlanOf(c *cli.Context, w environment) (setupPlan, error) {
	p := setupPlan{sample: c.Bool("sample"), Settings: adminclient.Settings{
		Institution: c.String("institution"), BaseURL: c.String("base-url"), TimeZone: c.String("time-zone"),
		MailServer: c.String("mail-server"), Sender: c.String("sender"), Listen: c.String("listen"),
	}}
	if p.MailServer == "-" {
		line, err := firstLine(w.stdin)
		if err != nil {
			return setupPlan{}, fmt.Errorf("reading the mail server's address from standard input: %w", err)
		}
		p.MailServer = line
	}
	if name := c.String("key-algorithm"); name != "" {
		var err error
		if p.algorithm, err = pdf.ParseKeyAlgorithm(name); err != nil {
			return setupPlan{}, err
		}
	}
	// Invalid settings must not leave an incomplete home behind.
	return p, config.CheckSettings(p.Settings)
}

// firstLine reads the first line of an input.
func firstLine(r io.Reader) (string, error) {
	const most = 4096
	all, err := io.ReadAll(io.LimitReader(r, most))
	line, _, _ := strings.Cut(string(all), "\n")
	return strings.TrimSpace(line), err
}

func runInit(c *cli.Context, w environment, f outputFormat, p setupPlan) (err error) {
	if isTerminal(w.stdin) && isTerminal(w.stderr) && !c.Bool("no-input") {
		if p, err = promptPlan(c, w, p); err != nil {
			return err
		}
	} else if c.Bool("try") {
		for _, found := range checkPlan(c.Context, p) {
			fmt.Fprintln(w.stderr, ui.WrapText(oneLine(found), prompt.TerminalWidth(w.stderr), findingIndent))
		}
	}
	if p.sample {
		if _, err := writableTemplateDir(c, w); err != nil {
			return err
		}
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	if p.algorithm != "" {
		set.Signing.Algorithm = string(p.algorithm)
	}
	s, err := connectHome(c, w, set, vault.Institution{Name: p.Institution, TimeZone: p.TimeZone, Sender: p.Sender})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	status, err := s.Configure(c.Context, p.Settings)
	if err != nil {
		return err
	}
	done := setupResult{AgentStatus: status, created: s.created, restart: s.agent == nil && (p.MailServer != "" || p.Listen != "")}
	if p.sample {
		if done.Sample, err = makeSample(c, w, status.Sender); err != nil {
			return err
		}
	}
	if done.key, err = s.SigningKey(c.Context); err != nil {
		return err
	}
	if p.algorithm != "" && !s.created && done.key.Algorithm != string(p.algorithm) {
		printLinef(w, "The home keeps its signing key, of the kind %s; replace it with: vecctl key rotate --algorithm %s%s", done.key.Algorithm, p.algorithm, homeArgument(c, w))
	}
	if f != formatTable {
		return printFields(w.stdout, f, done, append(statusFields(status), [2]string{"sample", done.Sample}))
	}
	return done.print(c, w)
}

// setupResult is the result of init.
type setupResult struct {
	adminclient.AgentStatus
	// Sample is the manifest of the sample batch; "" without --sample.
	Sample  string `json:"sample,omitempty"`
	key     adminclient.SigningKey
	created bool
	restart bool // the running agent uses some settings only after a restart
}

// print prints the settings and the next steps.
func (d setupResult) print(c *cli.Context, w environment) error {
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	verb := "Home changed"
	if d.created {
		verb = "Home created"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n%s, %s, links begin with %s\n", verb, d.Home, d.Institution, d.TimeZone, d.BaseURL)
	fmt.Fprintf(&text, "Signing key: %s, %s, certificate valid until %s\n", d.key.Subject, d.key.Algorithm, d.key.ValidUntil.Format(time.DateOnly))
	if d.key.Subject != d.Institution && d.key.Issuer == d.key.Subject {
		fmt.Fprintf(&text, "The certificate of this key still names %s; create a key for %s with: vecctl key rotate%s\n", d.key.Subject, d.Institution, homeArgument(c, w))
	}
	if server := mailServerOf(set); server != "" {
		fmt.Fprintf(&text, "Mails: from %s through %s\n", cmp.Or(d.Sender, "(no sender yet: vecctl init --sender)"), server)
	} else {
		fmt.Fprintf(&text, "Mails: written to %s until a mail server is set\n", homeOf(set).Mail())
	}
	fmt.Fprintf(&text, "Agent: listens on %s\n", set.Value("listen").Text)
	if d.restart {
		text.WriteString("Restart the running agent: only then it uses the new mail server and address.\n")
	}
	width := prompt.TerminalWidth(w.stdout)
	first := step{"vecctl bulk manifest.csv --dry-run" + homeArgument(c, w), "checks your manifest and changes nothing"}
	if d.Sample != "" {
		first = step{"vecctl bulk " + shellWord(d.Sample) + homeArgument(c, w), "issues the sample batch"}
	}
	steps := []step{first, {"vecctl tui" + homeArgument(c, w), "shows what is going on"}}
	if d.Sample != "" && d.Institution == vault.PlaceholderName {
		steps = slices.Insert(steps, 0, step{"vecctl init --institution 'YOUR NAME'" + homeArgument(c, w), "the sample certificates show the institution's name"})
	}
	_, err = fmt.Fprint(w.stdout, ui.WrapText(text.String(), width, len("    "))+nextSteps(width, steps...))
	return err
}

// step is a command for the next step, and what it does.
type step struct{ command, note string }

// nextSteps lists commands, each with its note beside it. On a terminal that is too narrow
// for that, the notes are above, so that a command stays on one line. A width of 0 means
// that there is no terminal.
func nextSteps(width int, steps ...step) string {
	longest, wide := 0, 0
	for _, s := range steps {
		longest, wide = max(longest, len(s.command)), max(wide, len(s.note))
	}
	var text strings.Builder
	text.WriteString("\nNext:\n")
	for _, s := range steps {
		if width > 0 && len("    ")+longest+len("   # ")+wide > width {
			fmt.Fprintf(&text, "    # %s\n    %s\n", s.note, s.command)
		} else {
			fmt.Fprintf(&text, "    %-*s   # %s\n", longest, s.command, s.note)
		}
	}
	return text.String()
}

// homeArgument returns the --home flag for a command in a hint; "" where none is needed.
func homeArgument(c *cli.Context, w environment) string {
	if dir := c.String("home"); dir != "" && dir != w.getenv("VECCTL_HOME") {
		return " --home " + shellWord(dir)
	}
	return ""
}

// shellWord quotes a text so that a shell reads it as one word.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,~") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
