package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// MailFilter selects mails; empty fields do not restrict, and all that are set
// must hold.
type MailFilter struct {
	Institution uint32
	Certificate uint64
	Batch       string
	State       vault.MailState
	Below       uint64 // the number of a mail: only those that were made before it
	// Returned selects mails that were refused or bounced and were not sent again.
	Returned bool
}

// Mails are the operations on mails. A mail that waits has a job of kind
// vault.JobMail; what becomes of the mail is kept with the end of that job
// (JobResult.Mail), and noted on its certificate.
type Mails interface {
	// QueueMail keeps a mail with the job of sending it.
	QueueMail(ctx context.Context, m vault.Mail) error
	// Mail finds one by its number; NotFound when the institution has none.
	Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error)
	// MailsByID finds mails of any institution; one that does not exist is an error.
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	// ListMails returns up to n mails, newest first. MailFilter.Below reads on from the last of
	// them; the cost is that of the mails read, not of those before.
	ListMails(ctx context.Context, f MailFilter, n int) ([]vault.Mail, error)
	// ChangeMail applies a transition to a mail of any institution. The job of one that
	// waits no longer ends; cancelling one that is being sent is Illegal.
	ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	// RepeatMail keeps what a transition makes of an ended mail as a new one with
	// the job of sending it.
	RepeatMail(ctx context.Context, institution uint32, id uint64, repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	// DeleteOldMails removes up to n mails that ended and were made before a moment,
	// except those that did not arrive and were not sent again.
	DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error)
	// OldMails says what DeleteOldMails would delete. Next is of any younger one.
	OldMails(ctx context.Context, before time.Time) (OldRecords, error)
	// CancelMails applies a transition to all mails of a batch that wait and are not
	// being sent, and returns how many.
	CancelMails(ctx context.Context, institution uint32, batch string, cancel func(vault.Mail) (vault.Mail, error)) (int, error)
}
