// Package config holds the settings of a home as typed values.
//
// A setting may stand in a flag, in the environment or in config.yaml, in this order
// of precedence; else it has a default. Load is the one place that decides between
// them.
package config

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// DefaultBaseURL is what links begin with until an address is set.
const DefaultBaseURL = "http://127.0.0.1:7780"

// Config is all that an operator decides. Paths are absolute once it is loaded.
type Config struct {
	Home       string
	API, Token string // of a remote vault; "" for none
	CA         string // PEM file with certificates that are trusted besides the system's; "" for none
	// InsecureHTTP lets tokens and keys travel over plain HTTP to other machines.
	InsecureHTTP bool
	Timeout      time.Duration // how long a remote server may be silent
	BaseURL      string        // what QR codes and links begin with
	Listen       string        // TCP address of the documented API; "" for none
	TLS          TLS
	Proxies      []netip.Prefix // that may say who calls, and how
	Limits       Limits
	Drop         Drop
	Issuing      Issuing
	Signing      Signing
	Transparency Transparency
	QR           vault.Placement // zero fields are left to the templates and the program
	QRCover      bool            // codes may cover what documents show
	Mail         Mail
	Expiry       Expiry
	Badges       Badges
	Authority    Authority
	Webhooks     Webhooks
	Receiver     Receiver
	Results      Results
	Relay        Relay
	Retention    Retention
	Log          Log

	values map[string]Value // by key; nil unless it was loaded
}

// TLS names the files of a certificate and its key, PEM; both are "" for plain HTTP.
type TLS struct{ Cert, Key string }

// Limits are those of callers.
type Limits struct {
	PerMinute int // calls of a token; 0 is any number
}

// Drop says which folder is watched, and how.
type Drop struct {
	Folder       string
	Poll         bool // look now and then, without file system events
	Settle, Wait time.Duration
	// ReportTo are the addresses that are told of every outcome.
	ReportTo []string
	// What follows are answers about every manifest: those of the flags of bulk.
	DateFormat, Delimiter, Encoding, Sheet, Hidden, Names, Template string
	Map                                                             map[string]string // columns to fields
	Strict                                                          bool
}

// Issuing says what may be issued.
type Issuing struct {
	// SharedAddresses lets several people have one address, title and issue date, in
	// institutions that do not say so themselves.
	SharedAddresses bool
}

// Signing says how documents are signed.
type Signing struct {
	TimestampServers []string // in the order in which they are asked; none: no time stamps
	// TimestampRoots is a file of the certificates in PEM that those of the servers must lead
	// to; "" trusts what servers send.
	TimestampRoots string
	// RequireTimestamp keeps certificates waiting until a server gives a time stamp; else they
	// are issued without, and get it later.
	RequireTimestamp bool
	// Level is "b", "t", "lt" or "lta"; "" is that of the other settings.
	Level               string
	Visible, Restricted bool
	Algorithm           string // of signing keys that are made
	// What follows is for keys that lie in no file of the home.
	PIN, PINFile string        // of a token, or of a signing service's key
	Timeout      time.Duration // of a call to a helper or a signing service
	// AllowPrivate lets signing services, OCSP responders and revocation lists be at private addresses.
	AllowPrivate                         bool
	CSCClientID                          string
	CSCClientSecret, CSCClientSecretFile string
	// CredentialsDir is where systemd puts credentials; "" is nowhere.
	CredentialsDir string
}

// SealLevel is the level that verified PDFs get.
func (s Signing) SealLevel() vault.SealLevel {
	switch {
	case s.Level == "lta":
		return vault.SealLTA
	case s.Level == "lt":
		return vault.SealLT
	case s.Level == "t", s.Level == "" && len(s.TimestampServers) > 0:
		return vault.SealT
	}
	return vault.SealB
}

// Check refuses settings that contradict each other.
func (s Signing) Check() error {
	servers := len(s.TimestampServers) > 0
	switch {
	case s.Level == "b" && servers:
		return fault.New(fault.Invalid, "signing.level is b, which has no time stamps, and signing.timestamps names servers; remove one of the two settings")
	case s.Level != "" && s.Level != "b" && !servers:
		return fault.Newf(fault.Invalid, "signing.level is %s, which needs time stamps; name a time stamp server in signing.timestamps", s.Level)
	case s.RequireTimestamp && !servers:
		return fault.New(fault.Invalid, "signing.require_timestamp demands time stamps; name a time stamp server in signing.timestamps")
	}
	return nil
}

// Transparency says who witnesses the logs of issued certificates, and where they are published.
type Transparency struct {
	Witnesses []transparency.Cosigner // asked for cosignatures; none: nobody
	Required  int                     // cosignatures that a proof is to have; 0: those of all witnesses
	// Published is the address or folder where the logs are published besides the base URL; ""
	// for none.
	Published string
}

// RequiredWitnesses is how many cosignatures a proof is to have.
func (t Transparency) RequiredWitnesses() int {
	if t.Required <= 0 || t.Required > len(t.Witnesses) {
		return len(t.Witnesses)
	}
	return t.Required
}

// Names of the credentials that are read from CredentialsDir where the settings name neither a value
// nor a file.
const (
	PINCredential             = "signing.pin"
	CSCClientSecretCredential = "signing.csc_client_secret" //nolint:gosec // the name of a file, not what it holds
)

// Mail says how mails leave and come back.
type Mail struct {
	Server            *mail.Server // nil: mails are written into the home
	PerMinute         int          // 0 is any number
	Connections       int
	Hold              time.Duration // how long mails about new certificates wait
	Staff             string        // "" is the sender's address
	Applications      []string      // nil is Staff; an empty list is nobody
	ApplicationsEvery time.Duration
	Bounces           string // mailbox of returned mails; "" for none
	BounceSecret      string // of POST /mail/bounces; "" closes it
}

// DigestTo are the addresses that are told which applications wait.
func (m Mail) DigestTo() []string {
	if m.Applications == nil && m.Staff != "" {
		return []string{m.Staff}
	}
	return m.Applications
}

// Badges says how badges look.
type Badges struct{ Shape string }

// Expiry says when people are reminded of certificates that end.
type Expiry struct {
	Remind []int // days before the end; none: nobody is reminded
}

// Authority says how the home's certification authority works, and which one the home
// calls.
type Authority struct {
	MinSDK          string
	Resolvers       []string
	URL, Store, Key string
}

// Webhooks are the settings of webhooks that the home sends.
type Webhooks struct{ AllowPrivate bool }

// Receiver says which webhooks are accepted, and what is done with each event.
type Receiver struct {
	Secrets []string // signing secrets
	Forward []string // addresses that every event is sent on to
	Command string   // what the shell runs for every event
}

// Results says what is written for people besides the reports.
type Results struct {
	Keep string // verified PDFs in the home's folders of results: "link", "copy" or "none"
}

// Relay says which vault issues the home's certificates in its place; the zero value is none.
type Relay struct {
	URL, Token string
	TokenFile  string // that holds the token; "" for none
}

// Retention says how long each kind of record is kept; 0 is for ever.
type Retention struct {
	Deliveries, Received, Mails, Verified, Evidence, Refused, SchemaCopies, Backups time.Duration
	// BackupFolder is where the home's backups lie; "" for nowhere.
	BackupFolder string
}

// Log says what is logged, and where.
type Log struct {
	Level     slog.Level
	Format    string // "text" or "json"; "" is text on a terminal
	File      string // "" is standard error
	MaxSizeMB int
	MaxDays   int
}

// Default returns the settings of a home in which nothing is set. Its paths count from
// the home.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Timeout: time.Minute,
		BaseURL: DefaultBaseURL, Listen: "127.0.0.1:7780",
		Drop:      Drop{Folder: "drop", Settle: 5 * time.Second, Wait: 10 * time.Minute},
		Signing:   Signing{Timeout: 20 * time.Second, Algorithm: string(pdf.DefaultKeyAlgorithm)},
		Mail:      Mail{Connections: 2, ApplicationsEvery: day},
		Badges:    Badges{Shape: "circle"},
		Expiry:    Expiry{Remind: []int{60, 30, 7}},
		Authority: Authority{MinSDK: "1.0.0", Resolvers: []string{"1.1.1.1", "9.9.9.9"}},
		Results:   Results{Keep: "link"},
		Retention: Retention{Deliveries: 30 * day},
		Log:       Log{Level: slog.LevelInfo, MaxSizeMB: 50, MaxDays: 30},
	}
}

// splitList splits a list with commas between its items.
func splitList(text string) []string {
	all := []string{}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
