//go:build unix

package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/mail/mailtest"
)

// asked is a site whose home and base URL are still to be decided.
func asked(t *testing.T) *site {
	s := newSite(t)
	s.env = append(s.env, "VECCTL_BASE_URL=")
	return s
}

// wantNoHome wants nothing made.
func (s *site) wantNoHome() {
	s.t.Helper()
	if _, err := os.Stat(s.home); err == nil {
		s.t.Error("there is a home, or half of one")
	}
}

// The first hour: who is asked answers, mends what the trials find, and issues the
// sample batch with the command that is told.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	s := asked(t)
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	server := mailtest.StartReal(t, mailtest.Options{Security: "plain", User: "registrar", Password: "s3cret word"})
	_, port, err := net.SplitHostPort(server.Address)
	must(t, err)
	sc := s.terminal(160, 60, []string{"TERM=screen-256color"}, "init")
	sc.sees("institution", "> Institution", "as shown in every signature", "Time zone: Europe/Warsaw")
	// Typed ahead, as over a slow line.
	sc.press("Enter")
	sc.sees("needed", "! enter a name")
	sc.press("Akademia Łódź", "Enter", "C-u", "Mars/Phobos", "Enter")
	sc.sees("zone", "Institution: Akademia Łódź", "! the time zone must be a name")
	sc.press("C-u", "Asia/Dhaka", "Enter", web.URL, "Enter")
	sc.sees("loopback", "works on this machine alone", "fix: ", "> What next?")
	sc.press("2", "Enter")
	sc.sees("mail", "> Mail server", "mails are only written to a folder")
	sc.press("127.0.0.1", "Enter")
	sc.sees("server", "> Port", "587")
	sc.press("C-u", port, "Enter", "registrar", "Enter", "wrong", "Enter", "registrar@example.edu", "Enter")
	view := sc.sees("refused", "does not accept the name and password", "change the answers")
	s.wantNoHome()
	// Nothing of a password is ever shown.
	if strings.Contains(view, "wrong\n") && !strings.Contains(view, "Password: *****") {
		t.Errorf("the password is shown:\n%s", view)
	}
	sc.press("1", "Enter")
	sc.waits("again", []string{"> Mail server"}, []string{"up, down choose"})
	sc.press("Enter")
	sc.waits("port again", []string{"> Port"}, []string{"( ) continue with these answers\n\n\nMails"})
	sc.press("Enter", "Enter", "C-u", "s3cret word", "Enter", "Enter")
	sc.sees("accepted", "accepts the user name and password; nothing was sent", "> Where the agent listens")
	sc.press("3", "Enter")
	sc.sees("key", "> Signing key", "read by old programs too")
	sc.press("2", "Enter", "Enter")
	sc.sees("made", "Home created: ", "Akademia Łódź, Asia/Dhaka, links begin with "+web.URL,
		"Signing key: Akademia Łódź, RSA-3072", "Mails: from registrar@example.edu through "+server.Address, "Agent: listens on none",
		"vecctl bulk "+s.home+"/sample/sample.csv", "vecctl tui")
	sc.leaves("0")
	if n := len(server.Mails(t)); n != 0 {
		t.Errorf("the trial sent %d mails", n)
	}
	info, err := os.Stat(filepath.Join(s.home, "config.yaml"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the password is open to others: %v", info.Mode())
	}
	s.env = s.env[:len(s.env)-1] // with a base URL again, as elsewhere
	report := s.bulk(0, filepath.Join(s.home, "sample", "sample.csv"))
	if report.Issued != 5 {
		t.Errorf("%d of the sample are issued: %+v", report.Issued, report)
	}
	// The sample's mails go to who set it up, and to nobody else.
	until(t, screenPatience, "mail", func() bool {
		s.done("status")
		s.done("bulk", filepath.Join(s.home, "sample", "sample.csv"))
		return len(server.Mails(t)) == 5
	})
	for _, m := range server.Mails(t) {
		if !strings.Contains(m, "X-Rcpt: registrar@example.edu") {
			t.Errorf("a mail of the sample goes elsewhere:\n%.200s", m)
		}
	}
}

// A user who breaks off, at any question, has no home, and the terminal is as it was.
func TestInitIsBrokenOff(t *testing.T) {
	t.Parallel()
	for _, terminal := range []string{"screen-256color", "dumb"} {
		t.Run(terminal, func(t *testing.T) {
			t.Parallel()
			for answered := range 4 {
				s := asked(t)
				sc := s.terminal(100, 50, []string{"TERM=" + terminal}, "init")
				for i, question := range []struct{ shown, answer string }{
					{"Institution", "Uni"}, {"Time zone", ""}, {"Public address", ""}, {"Mail server", ""},
				} {
					sc.sees(question.shown, question.shown)
					if i == answered {
						break
					}
					if question.answer != "" {
						sc.press(question.answer)
					}
					sc.press("Enter")
				}
				sc.press("C-c")
				sc.leaves("130")
				s.wantNoHome()
			}
		})
	}
}

// Where the terminal can do no more, each question is a line; a secret is read
// without being shown, and a user who breaks off there sees again what is typed.
func TestInitAsksLineByLine(t *testing.T) {
	t.Parallel()
	s := asked(t)
	server := mailtest.StartReal(t, mailtest.Options{Security: "plain", User: "registrar", Password: "geheim"})
	_, port, err := net.SplitHostPort(server.Address)
	must(t, err)
	plain := []string{"TERM=dumb"}
	questions := func(sc *screen) {
		t.Helper()
		sc.sees("institution", "Institution: Its name, as shown in every signature.")
		sc.press("Akademia", "Enter")
		sc.sees("zone", "[Europe/Warsaw] >")
		sc.press("Mars", "Enter")
		sc.sees("bad zone", "the time zone must be a name")
		sc.press("Enter")
		sc.sees("address", "Public address: ")
		sc.press("Enter")
		sc.sees("mail", "Mail server: ")
		sc.press("localhost", "Enter")
		sc.sees("port", "[587] >")
		sc.press(port, "Enter")
		sc.sees("user", "User: ")
		sc.press("registrar", "Enter")
		sc.sees("password", "Password: ")
		sc.silent()
	}
	sc := s.terminal(160, 70, plain, "init")
	questions(sc)
	sc.press("C-c")
	sc.leaves("130")
	s.wantNoHome()

	sc = s.terminal(160, 70, plain, "init", "--listen", "none")
	questions(sc)
	sc.press("geheim", "Enter")
	view := sc.sees("sender", "Sender: ")
	if strings.Contains(view, "geheim") {
		t.Errorf("the password is shown:\n%s", view)
	}
	sc.press("registrar@example.edu", "Enter")
	sc.sees("key", "accepts the user name and password", "2. RSA-3072: read by old programs too", "[1] >")
	sc.press("Enter")
	sc.sees("sample", "1. create it", "2. not now", "[1] >")
	sc.press("2", "Enter")
	view = sc.sees("made", "Home created: ", "vecctl bulk manifest.csv --dry-run", "Agent: listens on none")
	if strings.Contains(view, "\x1b") {
		t.Error("there are escapes on a terminal that knows none")
	}
	sc.leaves("0")

	// A home that is there shows what it has, and an empty line keeps it.
	sc = s.terminal(160, 70, plain, "init", "--listen", "none", "--sample")
	sc.sees("again", "[Akademia] >")
	sc.press("Enter")
	sc.sees("zone again", "Time zone: ")
	sc.press("Enter")
	sc.sees("address again", "Public address: ")
	sc.press("Enter")
	sc.sees("kept", "The present one is localhost:"+port, "1. keep it")
	sc.press("Enter")
	sc.sees("changed", "Home changed: ", "Akademia, Europe/Warsaw", "through localhost:"+port)
	sc.leaves("0")
}

// On a narrow terminal texts are broken between words, and what is copied stays whole.
func TestInitOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	s := asked(t)
	sc := s.terminal(60, 60, []string{"TERM=screen-256color"}, "init", "--institution", "Akademia", "--time-zone", "Asia/Dhaka",
		"--base-url", "http://localhost:1", "--sample")
	found := "\nwrong  the base URL http://localhost:1 works on this machine\n       alone\n       fix: vecctl init --base-url"
	sc.sees("found", found, "> Mail server")
	sc.press("Enter")
	// One line less than the question before; nothing of that is left.
	sc.sees("agent", "\n    ( ) for other machines too (port 7780); this needs a TLS\n        certificate, see")
	sc.press("3", "Enter")
	sc.sees("key", "> Signing key")
	sc.press("Enter")
	sc.sees("made", "Home created: ", "\nNext:\n    # issues the sample batch\n    vecctl bulk /", "\n    # shows what is going on\n    vecctl tui\n")
	sc.leaves("0")
}

// Flags do without questions: the trials are made when they are asked for, over TLS
// too, and a password need not stand on the command line.
func TestInitTries(t *testing.T) {
	t.Parallel()
	s := asked(t)
	server := mailtest.StartReal(t, mailtest.Options{Security: "starttls", User: "registrar", Password: "geheim"})
	address := "smtp://registrar:geheim@" + strings.Replace(server.Address, "127.0.0.1", "localhost", 1) + "?tls=starttls"
	init := func(address string) result {
		cmd := s.command("init", "--no-input", "--try", "--mail-server", "-", "--sender", "r@example.edu")
		cmd.Stdin = strings.NewReader(address + "\n")
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+server.CAFile)
		return s.finish(cmd, nil)
	}
	r := init(address)
	r.says(t, "answers with STARTTLS, and accepts the user name and password; nothing was sent")
	if r.code != 0 || strings.Contains(r.String(), "geheim") {
		t.Errorf("it shows the password, or fails: %v", r)
	}
	// What is wrong is said with its fix; it is set all the same, since it may be right
	// tomorrow.
	for _, test := range []struct{ old, new, want string }{
		{"geheim", "wrong", "does not accept the name and password"},
		{"?tls=starttls", "", "does not accept the name and password"}, // not given to a line without TLS
		{"localhost", "[::1]", "cannot be reached"},
		{"smtp:", "smtps:", `"tls" is "off" or "starttls"`},
	} {
		r := init(strings.Replace(address, test.old, test.new, 1))
		r.says(t, test.want)
		if wrong := test.old == "smtp:"; (r.code == 2) != wrong || !wrong && !strings.Contains(r.stderr, "fix: ") {
			t.Errorf("%s: %v", test.want, r)
		}
	}
	if n := len(server.Mails(t)); n != 0 {
		t.Errorf("the trials sent %d mails", n)
	}
}
