package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/doctor"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/prompt"
)

// setupForm asks for what a plan leaves open. Nothing is made meanwhile.
type setupForm struct {
	prompt.Terminal
	*setupPlan
	dir home.Dir
	now adminclient.AgentStatus // what the home has; a new one's defaults
	set config.Config
}

func promptPlan(c *cli.Context, w environment, p setupPlan) (setupPlan, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return p, err
	}
	in := setupForm{setupPlan: &p, dir: homeOf(set), set: set, Terminal: prompt.Terminal{
		In: w.stdin, Out: w.stderr, Env: terminalEnv(w), Plain: w.getenv("TERM") == "dumb", NoColour: c.Bool("no-color") || w.getenv("NO_COLOR") != "",
	}}
	if in.now, err = currentStatus(c, w, set); err != nil {
		return p, err
	}
	for _, ask := range []func(context.Context) error{in.institution, in.mail, in.serverAndSample} {
		if err := ask(c.Context); err != nil {
			return p, err
		}
	}
	return p, nil
}

// currentStatus looks at the home, if there is one, and lets go of it again: whoever
// thinks about an answer must hold up nobody.
func currentStatus(c *cli.Context, w environment, set config.Config) (adminclient.AgentStatus, error) {
	now := adminclient.AgentStatus{TimeZone: localZone(w), BaseURL: set.BaseURL}
	if existed, err := homeOf(set).Exists(); err != nil || !existed {
		return now, err
	}
	s, err := connectForDoctor(c, w, set)
	if err != nil {
		return now, err
	}
	now, err = s.AgentStatus(c.Context)
	return now, errors.Join(err, s.close())
}

// institution asks who issues, and where the codes lead.
func (in *setupForm) institution(ctx context.Context) error {
	var open []prompt.Question
	ask := func(value *string, present, title, why string, check func(string) error) {
		if *value == "" {
			*value = present
			open = append(open, prompt.Question{Title: title, Why: why, Answer: value, Check: check})
		}
	}
	ask(&in.Institution, in.now.Institution, "Institution", "Its name, as it stands in every signature.", func(s string) error {
		if vault.Clean(s) == "" {
			return fault.New(fault.Invalid, "a name is needed")
		}
		return config.CheckSettings(adminclient.Settings{Institution: s})
	})
	ask(&in.TimeZone, in.now.TimeZone, "Time zone", "Where a day begins, for dates of issue: Europe/Warsaw, Asia/Dhaka.", func(s string) error {
		return config.CheckSettings(adminclient.Settings{TimeZone: s})
	})
	present := in.now.BaseURL
	if present == config.DefaultBaseURL {
		present = ""
	}
	asked := in.BaseURL == ""
	ask(&in.BaseURL, present, "Public address", "Where QR codes lead, such as https://certificates.example.edu. Empty: this machine alone, to try things.", func(s string) error {
		return config.CheckSettings(adminclient.Settings{BaseURL: s})
	})
	for {
		if len(open) > 0 {
			if err := in.Ask(ctx, "Your institution", open...); err != nil {
				return err
			}
		}
		if in.BaseURL == "" || in.BaseURL == config.DefaultBaseURL {
			return nil
		}
		in.PrintLine("Trying %s ...", in.BaseURL)
		found := checkBaseURL(ctx, in.BaseURL)
		again, err := in.reviewFindings(ctx, found, asked, "go on with it: the address will be right when the agent is reached there")
		if err != nil || !again {
			return err
		}
	}
}

// mail asks how recipients are told.
func (in *setupForm) mail(ctx context.Context) error {
	if in.MailServer != "" {
		_, err := in.reviewFindings(ctx, checkMailServer(ctx, in.MailServer), false, "")
		return err
	}
	if in.set.Mail.Server != nil && in.Sender == "" {
		keep := "keep"
		err := in.Ask(ctx, "Mails", prompt.Question{Title: "Mail server", Why: "One is set: " + mailServerOf(in.set) + ".", Answer: &keep,
			Choices: []prompt.Choice{{Value: "keep", Text: "keep it"}, {Value: "change", Text: "set another"}}})
		if err != nil || keep == "keep" {
			return err
		}
	}
	var host, port, user, password string
	port = "587"
	sender := cmp.Or(in.Sender, in.now.Sender)
	for {
		err := in.Ask(ctx, "Mails", prompt.Question{Title: "Mail server", Answer: &host, Check: checkHost,
			Why: "The host that sends mails to recipients, such as smtp.example.edu. Empty: mails are written into a folder."})
		if err != nil || host == "" {
			return err
		}
		err = in.Ask(ctx, "Mail server "+host,
			prompt.Question{Title: "Port", Why: "587 for STARTTLS, 465 for TLS from the start.", Answer: &port, Check: checkPort},
			prompt.Question{Title: "User", Why: "The name to sign in with; empty where the server asks for none.", Answer: &user},
			prompt.Question{Title: "Password", Why: "Kept in config.yaml, which only you can read.", Answer: &password, Secret: true},
			prompt.Question{Title: "Sender", Why: "The address that mails come from.", Answer: &sender, Check: func(s string) error {
				if s == "" {
					return fault.New(fault.Invalid, "an address is needed")
				}
				return config.CheckSettings(adminclient.Settings{Sender: s})
			}})
		if err != nil {
			return err
		}
		address := mailAddress(host, port, user, password)
		in.PrintLine("Trying %s ...", net.JoinHostPort(host, port))
		again, err := in.reviewFindings(ctx, checkMailServer(ctx, address), true, "go on with these answers, and mend it later")
		if err != nil {
			return err
		}
		if !again {
			in.MailServer, in.Sender = address, sender
			return nil
		}
	}
}

// serverAndSample asks where the agent answers, and whether there shall be something to try.
func (in *setupForm) serverAndSample(ctx context.Context) error {
	var open []prompt.Question
	sample := "yes"
	if in.Listen == "" {
		present := in.set.Value("listen").Text
		in.Listen = present
		choices := []prompt.Choice{
			{Value: "127.0.0.1:7780", Text: "on this machine alone, or for a web server on it that passes calls on (127.0.0.1:7780)"},
			{Value: "0.0.0.0:7780", Text: "for other machines too (port 7780); that needs a TLS certificate, see the operator's guide"},
			{Value: "none", Text: "for nobody but the commands on this machine"},
		}
		if present != choices[0].Value && present != choices[1].Value && present != choices[2].Value {
			choices = append(choices, prompt.Choice{Value: present, Text: "as it is: " + present})
		}
		open = append(open, prompt.Question{Title: "Where the agent answers", Why: "Programs, and visitors who follow a QR code, call it there.",
			Answer: &in.Listen, Choices: choices})
	}
	if !in.sample {
		open = append(open, prompt.Question{Title: "Sample batch", Why: "A table of five invented people and a template, to issue a first batch with.", Answer: &sample,
			Choices: []prompt.Choice{{Value: "yes", Text: "make it"}, {Value: "no", Text: "not now"}}})
	}
	if len(open) == 0 {
		return nil
	}
	err := in.Ask(ctx, "The agent, and a first batch", open...)
	in.sample = in.sample || sample == "yes"
	return err
}

// reviewFindings says what a trial found. Where something is wrong, and the answers can be
// changed, it asks whether to; again is true when so.
func (in *setupForm) reviewFindings(ctx context.Context, found []doctor.Finding, changeable bool, goOn string) (again bool, err error) {
	for _, line := range describeFindings(found) {
		in.PrintWrapped(findingIndent, line)
	}
	in.PrintLine("")
	if doctor.Healthy(found) || !changeable || ctx.Err() != nil {
		return false, ctx.Err()
	}
	choice := "change"
	err = in.Ask(ctx, "That did not work", prompt.Question{Title: "What now", Why: "Nothing has been made or sent yet.", Answer: &choice,
		Choices: []prompt.Choice{{Value: "change", Text: "change the answers"}, {Value: "go on", Text: goOn}}})
	return choice == "change", err
}

// mailCheckTimeout is how long a mail server has for all of its trial.
const mailCheckTimeout = 10 * time.Second

// checkMailServer connects, protects the line and signs in; it sends nothing.
func checkMailServer(ctx context.Context, address string) []doctor.Finding {
	server, err := mail.ParseServer(address)
	if err != nil {
		return []doctor.Finding{{Check: "mail", Level: doctor.Wrong, Message: errorText(err)}}
	}
	ctx, stop := context.WithTimeout(ctx, mailCheckTimeout)
	defer stop()
	server.StepTimeout = mailCheckTimeout / 2
	if err := mail.NewSMTPConn(server).Check(ctx); err != nil {
		reason, mend, _ := strings.Cut(strings.ReplaceAll(err.Error(), "check mail.smtp_url", "check its host, port, name and password"), "; ")
		return []doctor.Finding{{Check: "mail", Level: doctor.Wrong, Message: reason,
			Fix: cmp.Or(mend, "ask whoever runs the mail server for its host, port and whether a name and password are needed")}}
	}
	how := map[mail.Security]string{mail.StartTLS: "with STARTTLS", mail.TLS: "with TLS", mail.Plain: "without TLS"}[server.Security]
	if server.User != "" {
		how += ", and takes the name and password"
	}
	return []doctor.Finding{{Check: "mail", Level: doctor.OK, Message: fmt.Sprintf("the mail server %s answers %s; nothing was sent", server.Address(), how)}}
}

func checkBaseURL(ctx context.Context, address string) []doctor.Finding {
	p := doctor.Target{BaseURL: address, Default: config.DefaultBaseURL, Transport: http.DefaultTransport, Now: time.Now}
	return p.CheckBaseURL(ctx)
}

// checkPlan tries what a plan says.
func checkPlan(ctx context.Context, p setupPlan) []string {
	var found []doctor.Finding
	if p.BaseURL != "" {
		found = append(found, checkBaseURL(ctx, p.BaseURL)...)
	}
	if p.MailServer != "" {
		found = append(found, checkMailServer(ctx, p.MailServer)...)
	}
	return describeFindings(found)
}

// findingIndent is how far in a finding's words stand.
const findingIndent = 7

func describeFindings(found []doctor.Finding) []string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%-*s%s", findingIndent, f.Level, f.Message))
		if f.Fix != "" {
			lines = append(lines, fmt.Sprintf("%-*smend: %s", findingIndent, "", f.Fix))
		}
	}
	return lines
}

// mailAddress is a mail server's address as mail.smtp_url has it.
func mailAddress(host, port, user, password string) string {
	u := url.URL{Scheme: "smtp", Host: net.JoinHostPort(host, port)}
	if port == "465" {
		u.Scheme = "smtps"
	}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String()
}

// mailServerOf is the host and port of the mail server that is set, without any
// secret; "" for none.
func mailServerOf(set config.Config) string {
	if set.Mail.Server == nil {
		return ""
	}
	return set.Mail.Server.Address()
}

func checkHost(host string) error {
	if host == "" {
		return nil
	}
	_, err := mail.ParseServer(mailAddress(host, "587", "", ""))
	if err != nil || strings.ContainsAny(host, "/@ ") {
		return fault.New(fault.Invalid, "want the name of a host, such as smtp.example.edu")
	}
	return nil
}

func checkPort(port string) error {
	if _, err := mail.ParseServer(mailAddress("localhost", port, "", "")); err != nil || port == "" {
		return fault.New(fault.Invalid, "want a number from 1 to 65535")
	}
	return nil
}
