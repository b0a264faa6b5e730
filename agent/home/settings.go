package home

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Setting is one thing that an operator decides: by flag, environment or
// config.yaml, in this order, else by default.
type Setting struct {
	Key     string // in config.yaml; sections end with a dot
	Env     string
	Flag    string // of "vecctl agent"; "" where there is none
	Default string // "" is explained by Meaning
	Meaning string
	Secret  bool
	// Outside says that it cannot stand in config.yaml, since it says where that is.
	Outside bool
	check   func(string) error
}

// Bounds of numbers.
const (
	maxPerMinute   = 1_000_000
	maxConnections = 256
	maxMegabytes   = 1_000_000
	maxDays        = 36_500
)

// Settings lists all, in the order in which they are shown.
func Settings() []Setting {
	return []Setting{
		{Key: "home", Env: "VECCTL_HOME", Flag: "home", Meaning: "data `DIR`ectory", Outside: true},
		{Key: "api", Env: "VECCTL_API", Flag: "api", Meaning: "talk to the API at `URL` instead of the home"},
		{Key: "token", Env: "VECCTL_TOKEN", Flag: "token", Meaning: "API `TOKEN`", Secret: true},
		{Key: "base_url", Env: "VECCTL_BASE_URL", Default: DefaultBaseURL, Meaning: "what QR codes and links begin with", check: CheckBaseURL},
		{Key: "listen", Env: "VECCTL_LISTEN", Flag: "listen", Default: "127.0.0.1:7780", Meaning: "`ADDRESS` of the documented API; \"none\" for none", check: checkListen},
		{Key: "tls.cert", Env: "VECCTL_TLS_CERT", Flag: "tls-cert", Meaning: "certificate `FILE` (PEM, with its chain) with which the documented API answers over HTTPS"},
		{Key: "tls.key", Env: "VECCTL_TLS_KEY", Flag: "tls-key", Meaning: "`FILE` of that certificate's key (PEM)"},
		{Key: "proxies", Env: "VECCTL_PROXIES", Flag: "proxies", Meaning: "`ADDRESSES` of proxies that are trusted to say who calls, with commas: 127.0.0.1, 10.0.0.0/8", check: checkProxies},
		{Key: "limits.per_minute", Env: "VECCTL_LIMIT", Meaning: "how many calls a token may make in a minute (default: any number)", check: checkCount(maxPerMinute)},
		{Key: "drop.dir", Env: "VECCTL_DROP", Flag: "drop", Meaning: "`DIR`ectory to watch for manifests and documents (default: drop in the home)"},
		{Key: "drop.poll", Env: "VECCTL_POLL", Flag: "poll", Default: "false", Meaning: "look into the drop folder now and then, without file system events", check: checkSwitch},
		{Key: "drop.settle", Env: "VECCTL_SETTLE", Flag: "settle", Default: "5s", Meaning: "how `LONG` a dropped file must stand still", check: checkDuration},
		{Key: "drop.wait", Env: "VECCTL_WAIT", Flag: "wait", Default: "10m", Meaning: "how `LONG` a dropped manifest waits for its documents", check: checkDuration},
		{Key: "signing.timestamps", Env: "VECCTL_SIGNING_TIMESTAMPS", Meaning: "`URL` of a time stamp server (RFC 3161) that vouches for the time of signing", check: checkServer},
		{Key: "signing.visible", Env: "VECCTL_SIGNING_VISIBLE", Default: "false", Meaning: "make the code the signature's appearance, which viewers let people click", check: checkSwitch},
		{Key: "signing.restricted", Env: "VECCTL_SIGNING_RESTRICTED", Default: "false", Meaning: "stamp documents too whose author forbids changes", check: checkSwitch},
		{Key: "qr.at", Env: "VECCTL_QR_AT", Meaning: "`PLACE` of QR codes: a corner, auto, or X,Y in mm from the top left (default: bottom-right)", check: checkPosition},
		{Key: "qr.size", Env: "VECCTL_QR_SIZE", Meaning: "side of QR codes in `MM` (default: 22)", check: checkLength(8, 200)},
		{Key: "qr.margin", Env: "VECCTL_QR_MARGIN", Meaning: "distance of QR codes from the page's edges in `MM` (default: 8)", check: checkLength(0.1, 200)},
		{Key: "mail.smtp_url", Env: "VECCTL_SMTP_URL", Meaning: "`URL` of the mail server, such as smtp://user:password@host:587 (default: mails are written to mail/ in the home)", Secret: true, check: checkMailServer},
		{Key: "mail.per_minute", Env: "VECCTL_MAIL_PER_MINUTE", Meaning: "how many mails may leave in a minute (default: any number)", check: checkCount(maxPerMinute)},
		{Key: "mail.lines", Env: "VECCTL_MAIL_LINES", Default: "2", Meaning: "how many connections to the mail server there may be", check: checkCount(maxConnections)},
		{Key: "mail.hold", Env: "VECCTL_MAIL_HOLD", Default: "0s", Meaning: "how `LONG` mails about new certificates wait, so that they can be cancelled", check: checkDuration},
		{Key: "mail.staff", Env: "VECCTL_MAIL_STAFF", Meaning: "`ADDRESS` for mails to staff (default: the sender address)", check: checkAddress},
		{Key: "mail.applications", Env: "VECCTL_MAIL_APPLICATIONS", Meaning: "`ADDRESSES` that are told when new applications wait for a decision, with commas, or none (default: that of mail.staff, where it is set)", check: checkAddresses},
		{Key: "mail.applications_every", Env: "VECCTL_MAIL_APPLICATIONS_EVERY", Default: "24h", Meaning: "shortest `TIME` from one mail about applications to the next", check: checkDuration},
		{Key: "mail.bounces", Env: "VECCTL_MAIL_BOUNCES", Meaning: "mailbox `FILE` (mbox) or Maildir in which returned mails arrive; it is read, never changed"},
		{Key: "mail.bounce_secret", Env: "VECCTL_MAIL_BOUNCE_SECRET", Meaning: "`SECRET` with which returned mails may be handed in at POST /mail/bounces (default: nobody may)", Secret: true, check: checkSecret},
		{Key: "authority.min_sdk", Env: "VECCTL_AUTHORITY_MIN_SDK", Default: "1.0.0", Meaning: "lowest SDK `VERSION` that the certification authority certifies", check: checkVersion},
		{Key: "authority.resolvers", Env: "VECCTL_AUTHORITY_RESOLVERS", Default: "1.1.1.1, 9.9.9.9", Meaning: "`ADDRESSES` of at least two DNS servers that must agree on the proof of a domain, with commas"},
		{Key: "webhooks.allow_private", Env: "VECCTL_WEBHOOK_ALLOW_PRIVATE", Default: "false", Meaning: "let webhooks go to private and loopback addresses, over plain HTTP too", check: checkSwitch},
		{Key: "receiver.secrets", Env: "VECCTL_RECEIVER_SECRET", Meaning: "signing secrets that POST /webhooks/vec accepts, with commas", Secret: true},
		{Key: "receiver.forward", Env: "VECCTL_RECEIVER_FORWARD", Meaning: "`URL` that every received event is sent on to", check: checkServer},
		{Key: "receiver.exec", Env: "VECCTL_RECEIVER_EXEC", Meaning: "`COMMAND` that the shell runs for every received event"},
		{Key: "authority.url", Env: "VECCTL_AUTHORITY", Flag: "authority", Meaning: "`URL` of the certification authority to call (default: the home's own)", check: checkServer},
		{Key: "authority.store", Env: "VECCTL_AUTHORITY_STORE", Flag: "store", Meaning: "`NAME` of the store that calls the authority"},
		{Key: "authority.key", Env: "VECCTL_AUTHORITY_KEY", Flag: "key", Meaning: "the store's API `KEY`", Secret: true},
		{Key: "retention.deliveries", Env: "VECCTL_RETENTION_DELIVERIES", Default: "30", Meaning: "days for which ended deliveries of webhooks are kept; 0 for ever", check: checkDays},
		{Key: "retention.received", Env: "VECCTL_RETENTION_RECEIVED", Default: "0", Meaning: "days for which received events are kept; 0 for ever", check: checkDays},
		{Key: "retention.mails", Env: "VECCTL_RETENTION_MAILS", Default: "0", Meaning: "days for which ended mails are kept, and those in mail/ of the home; 0 for ever", check: checkDays},
		{Key: "retention.verified", Env: "VECCTL_RETENTION_VERIFIED", Default: "0", Meaning: "days for which verified PDFs stay in verified/ of the home; the reports stay, and each PDF can be downloaded; 0 for ever", check: checkDays},
		{Key: "retention.evidence", Env: "VECCTL_RETENTION_EVIDENCE", Default: "0", Meaning: "days after a rejection for which what an applicant handed in is kept; 0 for ever", check: checkDays},
		{Key: "retention.refused", Env: "VECCTL_RETENTION_REFUSED", Default: "0", Meaning: "days for which what was dropped and refused stays in failed/ of the home; 0 for ever", check: checkDays},
		{Key: "log.level", Env: "VECCTL_LOG_LEVEL", Flag: "log-level", Default: "info", Meaning: "`LEVEL`: debug, info, warn, error", check: checkOneOf("debug", "info", "warn", "error")},
		{Key: "log.format", Env: "VECCTL_LOG_FORMAT", Flag: "log-format", Meaning: "`FORM` of the log: text, json (default: text on a terminal, else json)", check: checkOneOf("text", "json")},
		{Key: "log.file", Env: "VECCTL_LOG_FILE", Flag: "log-file", Meaning: "log into `FILE` instead of standard error"},
		{Key: "log.max_size", Env: "VECCTL_LOG_MAX_SIZE", Default: "50", Meaning: "megabytes after which a new log file is begun", check: checkCount(maxMegabytes)},
		{Key: "log.max_age", Env: "VECCTL_LOG_MAX_AGE", Default: "30", Meaning: "days after which an old log file is removed", check: checkCount(maxDays)},
	}
}

// FindSetting returns the setting of a key; ok is false when there is none.
func FindSetting(key string) (s Setting, ok bool) {
	all := Settings()
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return all[i], true
}

// Check refuses a value that the setting cannot have; from says where it stands.
func (s Setting) Check(value, from string) error {
	if s.check == nil || value == "" {
		return nil
	}
	if err := s.check(value); err != nil {
		message, _ := fault.Message(err)
		return fault.Newf(fault.Invalid, "%s (%s): %s", s.Key, from, message)
	}
	return nil
}

func checkListen(v string) error {
	if v == "none" {
		return nil
	}
	_, port, err := net.SplitHostPort(v)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		return fault.Newf(fault.Invalid, "%q is no address to listen on; want one such as 127.0.0.1:7780, or none", v)
	}
	return nil
}

func checkProxies(v string) error {
	_, err := ParseProxies(v)
	return err
}

// ParseProxies reads a list of addresses and networks with commas between them.
func ParseProxies(list string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		network, err := netip.ParsePrefix(one)
		if err != nil {
			address, err := netip.ParseAddr(one)
			if err != nil {
				return nil, fault.Newf(fault.Invalid, "%q is no address; want one such as 127.0.0.1 or 10.0.0.0/8", one)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		all = append(all, unmapPrefix(network.Masked()))
	}
	return all, nil
}

// unmapPrefix is a network of IPv4 as such where it is written inside IPv6: callers'
// addresses are compared in that form.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	const before = 96 // bits
	if p.Addr().Is4In6() && p.Bits() >= before {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-before)
	}
	return p
}

func checkServer(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fault.Newf(fault.Invalid, "%q is not the address of a server; want one such as http://timestamps.example.org", v)
	}
	return nil
}

func checkMailServer(v string) error {
	_, err := mail.ParseServer(v)
	return err
}

func checkSecret(v string) error {
	const least = 16
	if len(v) < least {
		return fault.Newf(fault.Invalid, "a secret has %d characters at least", least)
	}
	return nil
}

func checkAddress(v string) error {
	if !vault.ValidEmail(v) {
		return fault.Newf(fault.Invalid, "%q is not an e-mail address", v)
	}
	return nil
}

func checkAddresses(v string) error {
	if v == "none" {
		return nil
	}
	for one := range strings.SplitSeq(v, ",") {
		if err := checkAddress(strings.TrimSpace(one)); err != nil {
			return err
		}
	}
	return nil
}

func checkVersion(v string) error {
	if !semver.IsValid("v" + v) {
		return fault.Newf(fault.Invalid, "%q is no version; want one such as 1.9.0", v)
	}
	return nil
}

func checkSwitch(v string) error {
	if _, err := strconv.ParseBool(v); err != nil {
		return fault.Newf(fault.Invalid, "%q is neither true nor false", v)
	}
	return nil
}

func checkDuration(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d < 0 {
		return fault.Newf(fault.Invalid, "%q is no time; want one such as 5s or 10m", v)
	}
	return nil
}

func checkCount(most int) func(string) error {
	return func(v string) error {
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > most {
			return fault.Newf(fault.Invalid, "%q is no number from 1 to %d", v, most)
		}
		return nil
	}
}

func checkDays(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > maxDays {
		return fault.Newf(fault.Invalid, "%q is no number of days; want one from 0 (for ever) to %d", v, maxDays)
	}
	return nil
}

func checkOneOf(words ...string) func(string) error {
	return func(v string) error {
		if !slices.Contains(words, v) {
			return fault.New(fault.Invalid, fmt.Sprintf("%q is none of %s", v, strings.Join(words, ", ")))
		}
		return nil
	}
}
