package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// MailKind says what a mail is about.
type MailKind string

// The kinds of mail. The first three go to a certificate's recipient.
const (
	MailIssued     MailKind = "issued"     // a certificate is theirs (guide, "Notification Behavior")
	MailReissued   MailKind = "reissued"   // a corrected certificate takes the place of an earlier one
	MailRevoked    MailKind = "revoked"    // a certificate was taken back
	MailSignIn     MailKind = "sign_in"    // the link with which an address is proven
	MailCorrection MailKind = "correction" // to staff: somebody asks for a correction

	MailConfirm  MailKind = "confirm"  // the link that makes an application count
	MailReceived MailKind = "received" // an application was received
	MailRejected MailKind = "rejected" // an application was rejected
	MailDigest   MailKind = "digest"   // to staff: applications wait for a decision
	MailOutcome  MailKind = "outcome"  // to staff: what became of a dropped manifest

	MailExpiring   MailKind = "expiring"        // a certificate ends soon
	MailExpiryList MailKind = "expiring_digest" // to staff: certificates that end soon
	MailKeyEnd     MailKind = "key_end"         // to staff: a key or certificate ends
)

// MailState is where a mail stands.
type MailState string

// The states of a mail.
const (
	MailWaiting   MailState = "waiting"
	MailSent      MailState = "sent"
	MailRefused   MailState = "refused" // by the mail server for good, or given up
	MailBounced   MailState = "bounced" // sent, and it came back
	MailCancelled MailState = "cancelled"
)

// MailStates lists the states in the order of a life.
func MailStates() []MailState {
	return []MailState{MailWaiting, MailSent, MailRefused, MailBounced, MailCancelled}
}

// MailFailure says why a mail did not arrive, or does not leave yet.
type MailFailure struct {
	Code   string    `json:"code,omitempty"` // RFC 3463, "5.1.1", or SMTP's, "550"; "" where nobody said
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Mail is one message to one person, from the moment it was queued.
type Mail struct {
	ID          uint64    `json:"id"` // given by the store
	Kind        MailKind  `json:"kind"`
	Institution uint32    `json:"institution"`
	Certificate uint64    `json:"certificate,omitempty"` // 0 for mail about none
	Batch       string    `json:"batch,omitempty"`
	To          string    `json:"to"` // "" is the institution's staff
	State       MailState `json:"state"`
	// Link is the secret address in a sign-in mail. It is forgotten with the mail's end.
	Link string `json:"link,omitempty"`
	// Text is what a visitor wrote, and From who says to have written it; in a mail
	// that confirms an application, its title where it is one of the institution's.
	Text string `json:"text,omitempty"`
	From string `json:"from,omitempty"`
	// Count is how many applications wait, in a mail to staff about them.
	Count int `json:"count,omitempty"`
	// MessageID is the Message-ID header's value without its brackets, noted with
	// the first attempt.
	MessageID string       `json:"message_id,omitempty"`
	Attempts  int          `json:"attempts,omitempty"`
	Failure   *MailFailure `json:"trouble,omitempty"`
	Resends   uint64       `json:"resends,omitempty"` // the mail that this one repeats
	JobID     uint64       `json:"job,omitempty"`     // given by the store: the work of sending it

	CreatedAt time.Time `json:"created_at"`
	NotBefore time.Time `json:"not_before,omitzero"` // held until then
	// Expires is when the mail is of no use any more.
	Expires time.Time `json:"expires,omitzero"`
	SentAt  time.Time `json:"sent_at,omitzero"`
}

// MailTo makes a mail to a certificate's recipient.
func (c Certificate) MailTo(kind MailKind, now time.Time) Mail {
	return Mail{Kind: kind, Institution: c.Institution, Certificate: c.ID, Batch: c.Batch,
		To: c.Email, State: MailWaiting, CreatedAt: now}
}

// NewSignInMail makes the mail that proves an address. It is not sent any more
// when its link has expired.
func NewSignInMail(institution uint32, to, link string, now time.Time) Mail {
	return Mail{Kind: MailSignIn, Institution: institution, To: to, Link: link, State: MailWaiting,
		CreatedAt: now, Expires: now.Add(magicLinkTTL)}
}

// NewCorrectionMail makes the mail that tells staff that somebody asks for a
// correction of a certificate. From, an address, may be empty.
func NewCorrectionMail(c Certificate, from, text string, now time.Time) Mail {
	m := c.MailTo(MailCorrection, now)
	m.To, m.From, m.Text = "", from, text
	return m
}

// MaxDigestLines is how many applications a mail to staff names at most.
const MaxDigestLines = 20

// NewDigestMail makes the mail that tells staff of applications that wait for a decision,
// the newest first, of all that there are. It names no person, since mails are kept.
func NewDigestMail(institution uint32, to string, newest []Certificate, all int, now time.Time) Mail {
	var lines []string
	for _, c := range newest[:min(len(newest), MaxDigestLines)] {
		line := c.Reference + ", since " + formatTime(c.CreatedAt)
		if c.Status == InReview {
			line += ", in review"
		}
		lines = append(lines, line)
	}
	if more := all - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return Mail{Kind: MailDigest, Institution: institution, To: to, Text: strings.Join(lines, "\n"), Count: all,
		State: MailWaiting, CreatedAt: now}
}

// NewOutcomeMail makes the mail that tells staff what became of a manifest that was put into
// the drop folder. The text names no person, since mails are kept.
func NewOutcomeMail(institution uint32, to, manifest, text string, now time.Time) Mail {
	return Mail{Kind: MailOutcome, Institution: institution, To: to, Text: manifest + "\n" + text, State: MailWaiting, CreatedAt: now}
}

// NewExpiryListMail makes the mail that tells staff which certificates' recipients are reminded of
// their end. It names no person, since mails are kept.
func NewExpiryListMail(institution uint32, ending []Certificate, now time.Time) Mail {
	var lines []string
	for _, c := range ending[:min(len(ending), MaxDigestLines)] {
		lines = append(lines, c.Reference+", valid until "+string(c.ExpiryDate))
	}
	if more := len(ending) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return Mail{Kind: MailExpiryList, Institution: institution, Text: strings.Join(lines, "\n"), Count: len(ending),
		State: MailWaiting, CreatedAt: now}
}

// Job is the work of sending the mail.
func (m Mail) Job() Job {
	due := m.CreatedAt
	if m.NotBefore.After(due) {
		due = m.NotBefore
	}
	return Job{Kind: JobMail, Certificate: m.Certificate, Institution: m.Institution, Batch: m.Batch,
		Mail: m.ID, RunAt: due, CreatedAt: m.CreatedAt}
}

// ToRecipient reports whether the mail tells a recipient about a certificate, or
// what became of an application for it.
func (m Mail) ToRecipient() bool {
	return m.Kind == MailIssued || m.Kind == MailReissued || m.Kind == MailRevoked || m.Kind == MailRejected ||
		m.Kind == MailExpiring
}

// MakeMessageID draws a mail's Message-ID: the mail's number, by which a bounce finds
// it, and digits that only who got the mail can know. It is the same whenever
// it is asked for.
func (m Mail) MakeMessageID(c Certificate, domain string) string {
	if m.MessageID != "" {
		return m.MessageID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%s\x00%s\x00%d",
		m.ID, m.Kind, c.ShareToken, m.Link, c.UUID, m.CreatedAt.UnixNano()))
	return fmt.Sprintf("%d.%s@%s", m.ID, hex.EncodeToString(sum[:10]), domain)
}

// ParseMessageID reads a mail's number out of a Message-ID, with or without brackets; 0
// when it is not one of ours.
func ParseMessageID(messageID string) uint64 {
	digits, _, _ := strings.Cut(strings.Trim(strings.TrimSpace(messageID), "<>"), ".")
	id, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// SkipReason says why a waiting mail is of no use any more, "" when it is.
func (m Mail) SkipReason(c Certificate, now time.Time) string {
	switch {
	case !m.Expires.IsZero() && !now.Before(m.Expires):
		return "it was not sent while its link was valid"
	case c.ErasedAt != nil && (m.ToRecipient() && m.Kind != MailRevoked || m.Kind == MailReceived):
		return "the recipient's data were erased"
	case m.Kind != MailIssued && m.Kind != MailReissued && m.Kind != MailExpiring:
		return ""
	case c.Status == Revoked:
		return "the certificate was revoked"
	case c.SupersededBy != "":
		return "a corrected certificate took its place"
	}
	return ""
}

// MarkSent notes that a mail server took the mail.
func (m Mail) MarkSent(messageID string, now time.Time) Mail {
	m.State, m.MessageID, m.SentAt, m.Failure, m.Link = MailSent, messageID, now, nil, ""
	m.Attempts++
	return m
}

// MarkDelayed notes an attempt that failed for a reason that may pass.
func (m Mail) MarkDelayed(messageID string, why MailFailure) Mail {
	m.MessageID, m.Failure = messageID, &why
	m.Attempts++
	return m
}

// MarkRefused ends a mail that no server will take.
func (m Mail) MarkRefused(why MailFailure) Mail {
	m.State, m.Failure, m.Link = MailRefused, &why, ""
	m.Attempts++
	return m
}

// MarkBounced notes that a mail came back. One that is known not to have arrived stays
// as it is: Illegal.
func (m Mail) MarkBounced(why MailFailure) (Mail, error) {
	if m.State != MailSent && m.State != MailWaiting {
		return m, fault.Newf(fault.Illegal, "mail %d is %s already", m.ID, m.State)
	}
	m.State, m.Failure, m.Link = MailBounced, &why, ""
	return m, nil
}

// Cancel ends a mail that has not left.
func (m Mail) Cancel(why string, now time.Time) (Mail, error) {
	if m.State != MailWaiting {
		return m, fault.Newf(fault.Illegal, "mail %d is %s; only one that waits can be cancelled", m.ID, m.State)
	}
	m.State, m.Link = MailCancelled, ""
	m.Failure = &MailFailure{Reason: why, At: now}
	return m, nil
}

// Repeat makes a new mail with the content of one that has ended; to another
// address where one is given.
func (m Mail) Repeat(to string, now time.Time) (Mail, error) {
	switch {
	case m.State == MailWaiting:
		return m, fault.Newf(fault.Illegal, "mail %d still waits; it is sent when its turn comes", m.ID)
	case m.Kind == MailConfirm:
		return m, fault.New(fault.Illegal, "the link in the mail confirmed one application; apply again if it is still wanted")
	case m.Kind == MailSignIn:
		return m, fault.New(fault.Illegal, "the link of a sign-in mail works once; request another one to sign in")
	case m.Certificate == 0 || m.To == "" && m.Kind != MailCorrection && to == "":
		return m, fault.Newf(fault.Illegal, "mail %d cannot be sent again: its content was erased", m.ID)
	case to != "" && !ValidEmail(to):
		return m, fault.Newf(fault.Invalid, "%q is not an e-mail address", to)
	}
	next := Mail{Kind: m.Kind, Institution: m.Institution, Certificate: m.Certificate, Batch: m.Batch, To: m.To,
		Text: m.Text, From: m.From, State: MailWaiting, Resends: m.ID, CreatedAt: now}
	if to != "" {
		next.To = to
	}
	return next, nil
}

// Erase forgets who a mail was for. One that waits is cancelled.
func (m Mail) Erase(now time.Time) Mail {
	if m.State == MailWaiting {
		m.State = MailCancelled
	}
	m.To, m.Link, m.Text, m.From = "", "", "", ""
	if m.Failure != nil {
		m.Failure = &MailFailure{Code: m.Failure.Code, Reason: "erased", At: now}
	}
	return m
}

// Undelivered says that a certificate's recipient was not reached.
type Undelivered struct {
	Mail    uint64 `json:"mail"`
	Address string `json:"address"`
	MailFailure
}

// ApplyMailResult is the certificate after a mail about it took another state, and whether
// that changes anything: that its recipient was not reached is noted on it until
// a later mail goes out.
func (c Certificate) ApplyMailResult(m Mail) (Certificate, bool) {
	if !m.ToRecipient() {
		return c, false
	}
	switch m.State {
	case MailRefused, MailBounced:
		c.Undelivered = &Undelivered{Mail: m.ID, Address: m.To, MailFailure: *m.Failure}
		return c, true
	case MailSent:
		if c.Undelivered != nil {
			c.Undelivered = nil
			return c, true
		}
	case MailWaiting, MailCancelled:
	}
	return c, false
}
