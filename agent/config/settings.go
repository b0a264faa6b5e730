package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Setting is one thing that an operator decides: by flag, environment or
// config.yaml, in this order, else by default.
type Setting struct {
	Key     string // in config.yaml; sections end with a dot
	Env     string
	Flag    string // of "vecctl agent"; "" where there is none
	Meaning string
	Secret  bool
	// Outside says that it cannot stand in config.yaml, since it says where that is.
	Outside bool
	value   value // of the Config that the setting is of
}

// String returns the setting's value as text.
func (s Setting) String() string { return s.value.String() }

// Shown is a value of the setting as people may see it: of a secret, no more than that there is one.
func (s Setting) Shown(text string) string {
	if s.Secret && text != "" {
		return strings.Repeat("*", 8)
	}
	return text
}

// IsSwitch reports whether the setting is true or false.
func (s Setting) IsSwitch() bool {
	_, is := s.value.(toggle)
	return is
}

// IsPath reports whether the setting is a path.
func (s Setting) IsPath() bool {
	_, is := s.value.(path)
	return is
}

// set reads a text that stands in a place.
func (s Setting) set(text, place string) error {
	if err := s.value.set(text); err != nil {
		message, _ := fault.Message(err)
		return fault.Newf(fault.Invalid, "%s (%s): %s", s.Key, place, message)
	}
	return nil
}

// Bounds of numbers.
const (
	maxPerMinute   = 1_000_000
	maxConnections = 256
	maxMegabytes   = 1_000_000
	maxDays        = 36_500
	// maxSigningTimeout is less than half of what one document may take.
	maxSigningTimeout = 25 * time.Second
)

// Settings lists all with their defaults, in the order in which they are shown.
func Settings() []Setting {
	c := Default()
	return c.settings()
}

// settings lists the settings of a Config. What a setting reads goes into the Config.
func (c *Config) settings() []Setting {
	return slices.Concat(c.accessSettings(), c.dropSettings(), c.signingSettings(), c.otherSettings())
}

// accessSettings are about the home, and how it is reached.
func (c *Config) accessSettings() []Setting {
	return []Setting{
		{Key: "home", Env: "VECCTL_HOME", Flag: "home", Meaning: "data `DIR`ectory", Outside: true, value: path{&c.Home}},
		{Key: "api", Env: "VECCTL_API", Flag: "api", Meaning: "talk to the API at `URL` instead of the home", value: text{to: &c.API}},
		{Key: "token", Env: "VECCTL_TOKEN", Flag: "token", Meaning: "API `TOKEN`", Secret: true, value: text{to: &c.Token}},
		{Key: "ca", Env: "VECCTL_CA", Flag: "ca", Meaning: "trust also the certificates in `FILE` (PEM) when an API or an authority is called", value: path{&c.CA}},
		{Key: "insecure_http", Env: "VECCTL_INSECURE_HTTP", Flag: "insecure-http", Meaning: "send tokens and keys over plain HTTP to other machines, where anyone on the way can read them", value: toggle{&c.InsecureHTTP}},
		{Key: "timeout", Env: "VECCTL_TIMEOUT", Flag: "timeout", Meaning: "how `LONG` to wait for an answer of an API or an authority", value: duration{&c.Timeout}},
		{Key: "base_url", Env: "VECCTL_BASE_URL", Meaning: "what QR codes and links begin with", value: text{&c.BaseURL, CheckBaseURL}},
		{Key: "listen", Env: "VECCTL_LISTEN", Flag: "listen", Meaning: "`ADDRESS` of the documented API; \"none\" for none", value: listenAddress{&c.Listen}},
		{Key: "tls.cert", Env: "VECCTL_TLS_CERT", Flag: "tls-cert", Meaning: "certificate `FILE` (PEM, with its chain) of the documented API, for HTTPS", value: path{&c.TLS.Cert}},
		{Key: "tls.key", Env: "VECCTL_TLS_KEY", Flag: "tls-key", Meaning: "`FILE` of that certificate's key (PEM)", value: path{&c.TLS.Key}},
		{Key: "proxies", Env: "VECCTL_PROXIES", Flag: "proxies", Meaning: "`ADDRESSES` of proxies that are trusted to name the caller, separated by commas: 127.0.0.1, 10.0.0.0/8", value: networks{&c.Proxies}},
		{Key: "limits.per_minute", Env: "VECCTL_LIMIT", Meaning: "how many calls a token may make in a minute (default: no limit)", value: count{&c.Limits.PerMinute, maxPerMinute}},
	}
}

// dropSettings are about the drop folder.
func (c *Config) dropSettings() []Setting {
	return []Setting{
		{Key: "drop.dir", Env: "VECCTL_DROP", Flag: "drop", Meaning: "`DIR`ectory to watch for manifests and documents (default: drop in the home)", value: path{&c.Drop.Folder}},
		{Key: "drop.poll", Env: "VECCTL_POLL", Flag: "poll", Meaning: "read the drop folder at intervals, without file system events", value: toggle{&c.Drop.Poll}},
		{Key: "drop.settle", Env: "VECCTL_SETTLE", Flag: "settle", Meaning: "how `LONG` a dropped file must stay unchanged before it is read", value: duration{&c.Drop.Settle}},
		{Key: "drop.wait", Env: "VECCTL_WAIT", Flag: "wait", Meaning: "how `LONG` a dropped manifest waits for its documents", value: duration{&c.Drop.Wait}},
		{Key: "drop.report_to", Env: "VECCTL_DROP_REPORT_TO", Meaning: "`ADDRESSES` that get a mail about the result of every dropped manifest, separated by commas, or none", value: emails{&c.Drop.ReportTo}},
		{Key: "drop.date_format", Env: "VECCTL_DROP_DATE_FORMAT", Meaning: "`FORMAT` of dates in dropped manifests, such as DD/MM/YYYY; manifest.yaml beside a manifest overrides this and the next ones", value: text{to: &c.Drop.DateFormat}},
		{Key: "drop.delimiter", Env: "VECCTL_DROP_DELIMITER", Meaning: "`CHARACTER` between cells of dropped manifests: \",\", \";\" or tab", value: text{to: &c.Drop.Delimiter}},
		{Key: "drop.encoding", Env: "VECCTL_DROP_ENCODING", Meaning: "`NAME` of the encoding of dropped manifests", value: text{to: &c.Drop.Encoding}},
		{Key: "drop.map", Env: "VECCTL_DROP_MAP", Meaning: "`COLUMNS` of dropped manifests and their fields, separated by semicolons: Graduate=full_name; First + Last=full_name; Notes=-", value: columnMap{&c.Drop.Map}},
		{Key: "drop.sheet", Env: "VECCTL_DROP_SHEET", Meaning: "`NAME` of the sheet in dropped workbooks", value: text{to: &c.Drop.Sheet}},
		{Key: "drop.hidden", Env: "VECCTL_DROP_HIDDEN", Meaning: "what to do with hidden or filtered rows of dropped workbooks: read or skip (default: refuse the workbook and ask)", value: text{&c.Drop.Hidden, checkOneOf("read", "skip")}},
		{Key: "drop.names", Env: "VECCTL_DROP_NAMES", Meaning: "how to compare rows with the names in the text of dropped documents: check, warn or off (default: check)", value: text{&c.Drop.Names, checkOneOf("check", "warn", "off")}},
		{Key: "drop.strict", Env: "VECCTL_DROP_STRICT", Meaning: "also reject dropped rows with warnings", value: toggle{&c.Drop.Strict}},
		{Key: "drop.template", Env: "VECCTL_DROP_TEMPLATE", Meaning: "`NAME` of the template for dropped rows without a file", value: text{to: &c.Drop.Template}},
	}
}

// otherSettings are about how certificates are issued, sent and kept.
func (c *Config) otherSettings() []Setting {
	return []Setting{
		{Key: "issuing.shared_addresses", Env: "VECCTL_ISSUING_SHARED_ADDRESSES", Meaning: "let several people have one address, title and issue date, told apart by external ID or name; an institution may say otherwise: vecctl institution set --shared-addresses", value: toggle{&c.Issuing.SharedAddresses}},
		{Key: "qr.at", Env: "VECCTL_QR_AT", Meaning: "`PLACE` of QR codes: a corner, auto, or X,Y in mm from the top left (default: bottom-right)", value: text{&c.QR.At, checkPosition}},
		{Key: "qr.size", Env: "VECCTL_QR_SIZE", Meaning: "side of QR codes in `MM` (default: 22)", value: millimetres{&c.QR.SizeMM, 8, 200}},
		{Key: "qr.cover", Env: "VECCTL_QR_COVER", Meaning: "whether QR codes may cover text, drawings or images: `true|false`", value: toggle{&c.QRCover}},
		{Key: "qr.margin", Env: "VECCTL_QR_MARGIN", Meaning: "distance of QR codes from the page's edges in `MM` (default: 8)", value: millimetres{&c.QR.MarginMM, 0.1, 200}},
		{Key: "mail.smtp_url", Env: "VECCTL_SMTP_URL", Meaning: "`URL` of the mail server, such as smtp://user:password@host:587 (default: mails are written to mail/ in the home)", Secret: true, value: mailServer{&c.Mail.Server}},
		{Key: "mail.per_minute", Env: "VECCTL_MAIL_PER_MINUTE", Meaning: "how many mails may be sent in a minute (default: no limit)", value: count{&c.Mail.PerMinute, maxPerMinute}},
		{Key: "mail.lines", Env: "VECCTL_MAIL_LINES", Meaning: "how many connections to the mail server to open at most", value: count{&c.Mail.Connections, maxConnections}},
		{Key: "mail.hold", Env: "VECCTL_MAIL_HOLD", Meaning: "how `LONG` mails about new certificates wait, so that they can be cancelled", value: duration{&c.Mail.Hold}},
		{Key: "mail.staff", Env: "VECCTL_MAIL_STAFF", Meaning: "`ADDRESS` for mails to staff (default: the sender address)", value: text{&c.Mail.Staff, checkEmail}},
		{Key: "mail.applications", Env: "VECCTL_MAIL_APPLICATIONS", Meaning: "`ADDRESSES` that get a mail when new applications wait for a decision, separated by commas, or none (default: that of mail.staff, if set)", value: emails{&c.Mail.Applications}},
		{Key: "mail.applications_every", Env: "VECCTL_MAIL_APPLICATIONS_EVERY", Meaning: "shortest `TIME` from one mail about applications to the next", value: duration{&c.Mail.ApplicationsEvery}},
		{Key: "mail.bounces", Env: "VECCTL_MAIL_BOUNCES", Meaning: "mailbox `FILE` (mbox) or Maildir in which returned mails arrive; it is read, never changed", value: path{&c.Mail.Bounces}},
		{Key: "mail.bounce_secret", Env: "VECCTL_MAIL_BOUNCE_SECRET", Meaning: "`SECRET` that allows returned mails to be sent to POST /mail/bounces (without it, nobody may send them)", Secret: true, value: text{&c.Mail.BounceSecret, checkSecret}},
		{Key: "expiry.remind", Env: "VECCTL_EXPIRY_REMIND", Meaning: "how long before a certificate's end its recipient and staff get a mail, as terms in days or weeks separated by commas, or none", value: daysBefore{&c.Expiry.Remind}},
		{Key: "badges.shape", Env: "VECCTL_BADGES_SHAPE", Meaning: "`SHAPE` of badge pictures: circle, hexagon or shield", value: text{&c.Badges.Shape, checkOneOf("circle", "hexagon", "shield")}},
		{Key: "authority.min_sdk", Env: "VECCTL_AUTHORITY_MIN_SDK", Meaning: "lowest SDK `VERSION` that the certification authority certifies", value: text{&c.Authority.MinSDK, checkVersion}},
		{Key: "authority.resolvers", Env: "VECCTL_AUTHORITY_RESOLVERS", Meaning: "`ADDRESSES` of at least two DNS servers that must agree on the proof of a domain, separated by commas", value: words{&c.Authority.Resolvers}},
		{Key: "webhooks.allow_private", Env: "VECCTL_WEBHOOK_ALLOW_PRIVATE", Meaning: "allow webhooks to private and loopback addresses, also over plain HTTP", value: toggle{&c.Webhooks.AllowPrivate}},
		{Key: "receiver.secrets", Env: "VECCTL_RECEIVER_SECRET", Meaning: "signing secrets that POST /webhooks/vec accepts, separated by commas", Secret: true, value: words{&c.Receiver.Secrets}},
		{Key: "receiver.forward", Env: "VECCTL_RECEIVER_FORWARD", Meaning: "`URL` that every received event is sent on to", value: serverURL{&c.Receiver.Forward}},
		{Key: "receiver.exec", Env: "VECCTL_RECEIVER_EXEC", Meaning: "`COMMAND` that the shell runs for every received event", value: text{to: &c.Receiver.Command}},
		{Key: "relay.url", Env: "VECCTL_RELAY_URL", Meaning: "`URL` of the vault that issues what comes in here, in place of this home: https://api.vec.digital", value: text{&c.Relay.URL, checkServer}},
		{Key: "relay.token", Env: "VECCTL_RELAY_TOKEN", Meaning: "API `TOKEN` of that vault (else the systemd credential relay.token)", Secret: true, value: text{to: &c.Relay.Token}},
		{Key: "relay.token_file", Env: "VECCTL_RELAY_TOKEN_FILE", Meaning: "`FILE` that holds the token, where relay.token is not set", value: path{&c.Relay.TokenFile}},
		{Key: "authority.url", Env: "VECCTL_AUTHORITY", Flag: "authority", Meaning: "`URL` of the certification authority to call (default: the home's own)", value: text{&c.Authority.URL, checkServer}},
		{Key: "authority.store", Env: "VECCTL_AUTHORITY_STORE", Flag: "store", Meaning: "`NAME` of the store that calls the authority", value: text{to: &c.Authority.Store}},
		{Key: "authority.key", Env: "VECCTL_AUTHORITY_KEY", Flag: "key", Meaning: "the store's API `KEY`", Secret: true, value: text{to: &c.Authority.Key}},
		{Key: "results.keep", Env: "VECCTL_RESULTS_KEEP", Meaning: "verified PDFs in verified/ of the home: link (they share disk blocks with the stored documents where the file system can), copy, or none (reports alone; each PDF can be downloaded)", value: text{&c.Results.Keep, checkOneOf("link", "copy", "none")}},
		{Key: "retention.deliveries", Env: "VECCTL_RETENTION_DELIVERIES", Meaning: "days for which ended deliveries of webhooks are kept; 0 keeps them forever", value: days{&c.Retention.Deliveries}},
		{Key: "retention.received", Env: "VECCTL_RETENTION_RECEIVED", Meaning: "days for which received events are kept; 0 keeps them forever", value: days{&c.Retention.Received}},
		{Key: "retention.mails", Env: "VECCTL_RETENTION_MAILS", Meaning: "days for which ended mails are kept, and those in mail/ of the home; 0 keeps them forever", value: days{&c.Retention.Mails}},
		{Key: "retention.verified", Env: "VECCTL_RETENTION_VERIFIED", Meaning: "days for which verified PDFs stay in verified/ of the home; the reports stay, and each PDF can be downloaded; 0 keeps them forever", value: days{&c.Retention.Verified}},
		{Key: "retention.evidence", Env: "VECCTL_RETENTION_EVIDENCE", Meaning: "days after a rejection for which the applicant's file is kept; 0 keeps them forever", value: days{&c.Retention.Evidence}},
		{Key: "retention.refused", Env: "VECCTL_RETENTION_REFUSED", Meaning: "days for which what was dropped and refused stays in failed/ of the home; 0 keeps them forever", value: days{&c.Retention.Refused}},
		{Key: "retention.schema_copies", Env: "VECCTL_RETENTION_SCHEMA_COPIES", Meaning: "days for which copies of the database from before upgrades are kept; 0 keeps them forever", value: days{&c.Retention.SchemaCopies}},
		{Key: "retention.backups", Env: "VECCTL_RETENTION_BACKUPS", Meaning: "days for which backups of the home are kept in retention.backup_dir; the newest stays; 0 keeps them forever", value: days{&c.Retention.Backups}},
		{Key: "retention.backup_dir", Env: "VECCTL_RETENTION_BACKUP_DIR", Meaning: "`DIR`ectory of the home's backups", value: path{&c.Retention.BackupFolder}},
		{Key: "log.level", Env: "VECCTL_LOG_LEVEL", Flag: "log-level", Meaning: "`LEVEL`: debug, info, warn, error", value: logLevel{&c.Log.Level}},
		{Key: "log.format", Env: "VECCTL_LOG_FORMAT", Flag: "log-format", Meaning: "`FORMAT` of the log: text, json (default: text on a terminal, else json)", value: text{&c.Log.Format, checkOneOf("text", "json")}},
		{Key: "log.file", Env: "VECCTL_LOG_FILE", Flag: "log-file", Meaning: "log into `FILE` instead of standard error", value: path{&c.Log.File}},
		{Key: "log.max_size", Env: "VECCTL_LOG_MAX_SIZE", Meaning: "megabytes after which a new log file is started", value: count{&c.Log.MaxSizeMB, maxMegabytes}},
		{Key: "log.max_age", Env: "VECCTL_LOG_MAX_AGE", Meaning: "days after which an old log file is removed", value: count{&c.Log.MaxDays, maxDays}},
	}
}

// FindSetting returns the setting of a key with its default; ok is false when there is
// none.
func FindSetting(key string) (s Setting, ok bool) {
	c := Default()
	return c.find(key)
}

func (c *Config) find(key string) (s Setting, ok bool) {
	all := c.settings()
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return all[i], true
}

// CheckBaseURL refuses what links cannot begin with. The length is bounded so
// that the QR code of a link stays one that a phone can read.
func CheckBaseURL(s string) error {
	const longest = 200
	u, err := url.Parse(s)
	link, noLink := qr.Link(s)
	if err != nil || noLink != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(link) > longest {
		return fault.Newf(fault.Invalid,
			"%q cannot be a base URL; give one such as https://certificates.example.edu, at most %d characters", s, longest)
	}
	return nil
}

func checkServer(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fault.Newf(fault.Invalid, "%q is not the address of a server; want one such as http://timestamps.example.org", v)
	}
	return nil
}

func checkSecret(v string) error {
	const least = 16
	if len(v) < least {
		return fault.Newf(fault.Invalid, "a secret needs at least %d characters", least)
	}
	return nil
}

func checkEmail(v string) error {
	if !vault.ValidEmail(v) {
		return fault.Newf(fault.Invalid, "%q is not an e-mail address", v)
	}
	return nil
}

func checkVersion(v string) error {
	if !semver.IsValid("v" + v) {
		return fault.Newf(fault.Invalid, "%q is no version; want one such as 1.9.0", v)
	}
	return nil
}

// checkPosition takes what says where on a page codes go.
func checkPosition(v string) error {
	_, err := pdf.ParsePlace(v)
	return err
}

// signingSettings are about signatures, and the log of what was signed.
func (c *Config) signingSettings() []Setting {
	return []Setting{
		{Key: "signing.timestamps", Env: "VECCTL_SIGNING_TIMESTAMPS", Meaning: "`URLS` of time stamp servers (RFC 3161) that confirm the time of signing, separated by commas; the first that answers is taken; csc:URL is a signing service", value: serverURLs{&c.Signing.TimestampServers}},
		{Key: "signing.timestamp_roots", Env: "VECCTL_SIGNING_TIMESTAMP_ROOTS", Meaning: "`FILE` with the root certificates (PEM) that certificates of time stamp servers must lead to (default: those that servers send are trusted)", value: path{&c.Signing.TimestampRoots}},
		{Key: "signing.require_timestamp", Env: "VECCTL_SIGNING_REQUIRE_TIMESTAMP", Meaning: "issue nothing without a time stamp: certificates wait until a server answers (default: they are issued, and get it later)", value: toggle{&c.Signing.RequireTimestamp}},
		{Key: "signing.level", Env: "VECCTL_SIGNING_LEVEL", Meaning: "how far verified PDFs are made to last (PAdES): b, t (a time stamp), lt (with the certificates and proofs that validation needs), lta (with a time stamp of the document over these) (default: t where time stamp servers are set, else b)", value: text{&c.Signing.Level, checkOneOf("b", "t", "lt", "lta")}},
		{Key: "signing.allow_private", Env: "VECCTL_SIGNING_ALLOW_PRIVATE", Meaning: "allow signing services, OCSP responders and revocation lists at private and loopback addresses; signing services also over plain HTTP", value: toggle{&c.Signing.AllowPrivate}},
		{Key: "signing.visible", Env: "VECCTL_SIGNING_VISIBLE", Meaning: "make the code the visible signature, which people can click in a viewer", value: toggle{&c.Signing.Visible}},
		{Key: "signing.restricted", Env: "VECCTL_SIGNING_RESTRICTED", Meaning: "also stamp documents whose author forbids changes", value: toggle{&c.Signing.Restricted}},
		{Key: "log.witnesses", Env: "VECCTL_LOG_WITNESSES", Meaning: "`KEYS` and addresses of witnesses that cosign the log of issued certificates (C2SP tlog-witness), separated by commas: NAME+HASH+KEY https://witness.example.edu", value: cosigners{&c.Transparency.Witnesses}},
		{Key: "log.required", Env: "VECCTL_LOG_REQUIRED", Meaning: "how many witnesses must cosign before their cosignatures are added to certificates (default: all); issuing never waits for them", value: count{&c.Transparency.Required, maxConnections}},
		{Key: "log.published", Env: "VECCTL_LOG_PUBLISHED", Meaning: "`URL|DIR` where the logs are published besides the base URL, such as a static site; nothing is issued while another history of the log is published there", value: text{to: &c.Transparency.Published}},
		{Key: "signing.algorithm", Env: "VECCTL_SIGNING_ALGORITHM", Meaning: "`KIND` of signing keys that are made: P-256 (fast, small), P-384, or RSA-3072 (read by old programs); keys that are there stay", value: keyAlgorithm{&c.Signing.Algorithm}},
		{Key: "signing.pin", Env: "VECCTL_SIGNING_PIN", Meaning: "`PIN` of a signing key that lies on a token or in a signing service; signing.pin_file keeps it out of this file", Secret: true, value: text{to: &c.Signing.PIN}},
		{Key: "signing.pin_file", Env: "VECCTL_SIGNING_PIN_FILE", Meaning: "`FILE` with that PIN (default: the systemd credential signing.pin)", value: path{&c.Signing.PINFile}},
		{Key: "signing.timeout", Env: "VECCTL_SIGNING_TIMEOUT", Meaning: "how `LONG` a call to a signing key that lies elsewhere may take, from 1s to 25s", value: boundedDuration{&c.Signing.Timeout, time.Second, maxSigningTimeout}},
		{Key: "signing.csc_client_id", Env: "VECCTL_SIGNING_CSC_CLIENT_ID", Meaning: "`NAME` with which the signing service (CSC) knows this program", value: text{to: &c.Signing.CSCClientID}},
		{Key: "signing.csc_client_secret", Env: "VECCTL_SIGNING_CSC_CLIENT_SECRET", Meaning: "`SECRET` of that name; signing.csc_client_secret_file keeps it out of this file", Secret: true, value: text{to: &c.Signing.CSCClientSecret}},
		{Key: "signing.csc_client_secret_file", Env: "VECCTL_SIGNING_CSC_CLIENT_SECRET_FILE", Meaning: "`FILE` with that secret (default: the systemd credential signing.csc_client_secret)", value: path{&c.Signing.CSCClientSecretFile}},
	}
}
