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
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/prompt"
)

// setupForm asks for the settings that a plan leaves open. It changes nothing.
type setupForm struct {
	prompt.Terminal
	*setupPlan
	dir home.Dir
	now adminclient.AgentStatus // of the home; the defaults for a new one
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

// currentStatus reads the status of the home, if there is one. It closes the home again: no
// other command may have to wait while a person thinks about an answer.
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

// institution asks for the institution's name, time zone and public address.
func (in *setupForm) institution(ctx context.Context) error {
	var open []prompt.Question
	ask := func(value *string, present, title, why string, check func(string) error) {
		if *value == "" {
			*value = present
			open = append(open, prompt.Question{Title: title, Why: why, Answer: value, Check: check})
		}
	}
	ask(&in.Institution, in.now.Institution, "Institution", "Its name, as shown in every signature.", func(s string) error {
		if vault.Clean(s) == "" {
			return fault.New(fault.Invalid, "enter a name")
		}
		return config.CheckSettings(adminclient.Settings{Institution: s})
	})
	ask(&in.TimeZone, in.now.TimeZone, "Time zone", "Decides on which day a certificate is issued. Examples: Europe/Warsaw, Asia/Dhaka.", func(s string) error {
		return config.CheckSettings(adminclient.Settings{TimeZone: s})
	})
	present := in.now.BaseURL
	if present == config.DefaultBaseURL {
		present = ""
	}
	asked := in.BaseURL == ""
	ask(&in.BaseURL, present, "Public address", "The address in QR codes, such as https://certificates.example.edu. Empty: this machine only, for a first try.", func(s string) error {
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
		in.PrintLine("Testing %s ...", in.BaseURL)
		found := checkBaseURL(ctx, in.BaseURL)
		again, err := in.reviewFindings(ctx, found, asked, "continue with this address: the agent will be reachable there later")
		if err != nil || !again {
			return err
		}
	}
}

// mail asks for the mail server and the sender.
func (in *setupForm) mail(ctx context.Context) error {
	if in.MailServer != "" {
		_, err := in.reviewFindings(ctx, checkMailServer(ctx, in.MailServer), false, "")
		return err
	}
	if in.set.Mail.Server != nil && in.Sender == "" {
		keep := "keep"
		err := in.Ask(ctx, "Mails", prompt.Question{Title: "Mail server", Why: "The present one is " + mailServerOf(in.set) + ".", Answer: &keep,
			Choices: []prompt.Choice{{Value: "keep", Text: "keep it"}, {Value: "change", Text: "enter another one"}}})
		if err != nil || keep == "keep" {
			return err
		}
	}
	var host, port, user, password string
	port = "587"
	sender := cmp.Or(in.Sender, in.now.Sender)
	for {
		err := in.Ask(ctx, "Mails", prompt.Question{Title: "Mail server", Answer: &host, Check: checkHost,
			Why: "The host that sends mails to recipients, such as smtp.example.edu. Empty: mails are only written to a folder."})
		if err != nil || host == "" {
			return err
		}
		err = in.Ask(ctx, "Mail server "+host,
			prompt.Question{Title: "Port", Why: "587 for STARTTLS, 465 for TLS from the start.", Answer: &port, Check: checkPort},
			prompt.Question{Title: "User", Why: "The user name for the mail server; empty if it needs none.", Answer: &user},
			prompt.Question{Title: "Password", Why: "Stored in config.yaml, which only you can read.", Answer: &password, Secret: true},
			prompt.Question{Title: "Sender", Why: "The sender address of mails.", Answer: &sender, Check: func(s string) error {
				if s == "" {
					return fault.New(fault.Invalid, "enter an address")
				}
				return config.CheckSettings(adminclient.Settings{Sender: s})
			}})
		if err != nil {
			return err
		}
		address := mailAddress(host, port, user, password)
		in.PrintLine("Testing %s ...", net.JoinHostPort(host, port))
		again, err := in.reviewFindings(ctx, checkMailServer(ctx, address), true, "continue with these answers, and fix it later")
		if err != nil {
			return err
		}
		if !again {
			in.MailServer, in.Sender = address, sender
			return nil
		}
	}
}

// serverAndSample asks for the address of the agent, the kind of a new signing key, and whether to
// create a sample batch.
func (in *setupForm) serverAndSample(ctx context.Context) error {
	var open []prompt.Question
	sample := "yes"
	if in.Listen == "" {
		present := in.set.Value("listen").Text
		in.Listen = present
		choices := []prompt.Choice{
			{Value: "127.0.0.1:7780", Text: "only on this machine, for example behind a web server (127.0.0.1:7780)"},
			{Value: "0.0.0.0:7780", Text: "for other machines too (port 7780); this needs a TLS certificate, see the operator's guide"},
			{Value: "none", Text: "nowhere; only for the commands on this machine"},
		}
		if present != choices[0].Value && present != choices[1].Value && present != choices[2].Value {
			choices = append(choices, prompt.Choice{Value: present, Text: "no change: " + present})
		}
		open = append(open, prompt.Question{Title: "Where the agent listens", Why: "Other programs, and visitors who scan a QR code, connect to this address.",
			Answer: &in.Listen, Choices: choices})
	}
	kind := string(in.algorithm)
	if existed, err := in.dir.Exists(); kind == "" && err == nil && !existed {
		kind = in.set.Signing.Algorithm
		open = append(open, keyQuestion(&kind))
	}
	if !in.sample {
		open = append(open, prompt.Question{Title: "Sample batch", Why: "A manifest with five invented people and a template, for your first batch.", Answer: &sample,
			Choices: []prompt.Choice{{Value: "yes", Text: "create it"}, {Value: "no", Text: "not now"}}})
	}
	if len(open) == 0 {
		return nil
	}
	err := in.Ask(ctx, "The agent and a first batch", open...)
	in.sample, in.algorithm = in.sample || sample == "yes", pdf.KeyAlgorithm(kind)
	return err
}

// keyQuestion asks for the kind of a new home's signing key.
func keyQuestion(kind *string) prompt.Question {
	return prompt.Question{Title: "Signing key", Why: "The kind of the key that signs. It can be changed later; what was signed stays valid.", Answer: kind,
		Choices: []prompt.Choice{
			{Value: "P-256", Text: "P-256: fast, and its signatures are small"},
			{Value: "RSA-3072", Text: "RSA-3072: read by old programs too (iText 5, old Java); takes 15 times as long to sign, and adds 2 KB"},
			{Value: "P-384", Text: "P-384: for rules that ask for it; takes twice as long to sign"},
		}}
}

// reviewFindings prints the result of a test. If something is wrong and the answers can be
// changed, it asks whether to change them; then again is true.
func (in *setupForm) reviewFindings(ctx context.Context, found []doctor.Finding, changeable bool, goOn string) (again bool, err error) {
	for _, line := range describeFindings(found) {
		in.PrintWrapped(findingIndent, line)
	}
	in.PrintLine("")
	if doctor.Healthy(found) || !changeable || ctx.Err() != nil {
		return false, ctx.Err()
	}
	choice := "change"
	err = in.Ask(ctx, "The test failed", prompt.Question{Title: "What next?", Why: "Nothing has been created or sent yet.", Answer: &choice,
		Choices: []prompt.Choice{{Value: "change", Text: "change the answers"}, {Value: "go on", Text: goOn}}})
	return choice == "change", err
}

// mailCheckTimeout is the time limit for the whole test of a mail server.
const mailCheckTimeout = 10 * time.Second

// checkMailServer connects to the mail server, starts TLS and signs in. It sends nothing.
func checkMailServer(ctx context.Context, address string) []doctor.Finding {
	server, err := mail.ParseServer(address)
	if err != nil {
		return []doctor.Finding{{Check: "mail", Level: doctor.Wrong, Message: errorText(err)}}
	}
	ctx, stop := context.WithTimeout(ctx, mailCheckTimeout)
	defer stop()
	server.StepTimeout = mailCheckTimeout / 2
	if err := mail.NewSMTPConn(server).Check(ctx); err != nil {
		reason, fix, _ := strings.Cut(strings.ReplaceAll(err.Error(), "check mail.smtp_url", "check its host, port, name and password"), "; ")
		return []doctor.Finding{{Check: "mail", Level: doctor.Wrong, Message: reason,
			Fix: cmp.Or(fix, "ask the operator of the mail server for its host and port, and whether a user name and password are needed")}}
	}
	how := map[mail.Security]string{mail.StartTLS: "with STARTTLS", mail.TLS: "with TLS", mail.Plain: "without TLS"}[server.Security]
	if server.User != "" {
		how += ", and accepts the user name and password"
	}
	return []doctor.Finding{{Check: "mail", Level: doctor.OK, Message: fmt.Sprintf("the mail server %s answers %s; nothing was sent", server.Address(), how)}}
}

func checkBaseURL(ctx context.Context, address string) []doctor.Finding {
	p := doctor.Target{BaseURL: address, Default: config.DefaultBaseURL, Transport: http.DefaultTransport, Now: wallClock}
	return p.CheckBaseURL(ctx)
}

// checkPlan tests the base URL and the mail server of a plan.
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

// findingIndent is the indent of a finding's message.
const findingIndent = 7

func describeFindings(found []doctor.Finding) []string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("%-*s%s", findingIndent, f.Level, f.Message))
		if f.Fix != "" {
			lines = append(lines, fmt.Sprintf("%-*sfix: %s", findingIndent, "", f.Fix))
		}
	}
	return lines
}

// mailAddress returns the address of a mail server in the form of mail.smtp_url.
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

// mailServerOf returns the host and port of the mail server in the settings, without any
// secret; "" if none is set.
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
		return fault.New(fault.Invalid, "enter a host name, such as smtp.example.edu")
	}
	return nil
}

func checkPort(port string) error {
	if _, err := mail.ParseServer(mailAddress("localhost", port, "", "")); err != nil || port == "" {
		return fault.New(fault.Invalid, "enter a number from 1 to 65535")
	}
	return nil
}
