// Package store is what persistence promises. It speaks the domain's words:
// accept these certificates, change this one by this function, claim up to n
// jobs. Every store must pass the suite in package storetest.
package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// NewCertificate is a certificate that is to be kept, with its effects.
type NewCertificate struct {
	Certificate vault.Certificate
	Effects     vault.Effects
	// Freeze, when set, is the key under which the issue date of an undated
	// manifest row is kept for good.
	Freeze *vault.Key
}

// InsertResult is what became of an acceptance.
type InsertResult struct {
	// Certificate is the one that was kept, with its ID, or, when Duplicate is
	// true, the one that holds the same key.
	Certificate vault.Certificate
	Duplicate   bool
}

// JobResult ends a claimed job: Change is applied to the job's certificate,
// and the result, its effects and the end of the job are one transaction.
type JobResult struct {
	Job vault.Job
	// Change is run inside the transaction and must do nothing but compute. A nil
	// Change leaves the certificate as it is.
	Change Change
	// Mail, when set, is applied to the job's mail, which is kept in the same
	// transaction. Like Change it must do nothing but compute.
	Mail func(vault.Mail) (vault.Mail, error)
	// Again, when true, keeps the job for another attempt as Job says (RunAt,
	// LastError) instead of ending it.
	Retry bool
	// Untried, when true, does the same and takes the attempt back.
	Release bool
}

// Change is a transition of package vault with its arguments filled in.
type Change func(vault.Certificate) (vault.Certificate, vault.Effects, error)

// AtomicBatch is a request that is kept as a whole or not at all.
type AtomicBatch struct {
	Batch *vault.Batch // made with it; nil for none
	Rows  []AtomicRow
	// Reply, when set, makes the answer that is kept in the same transaction. It
	// must do nothing but compute.
	Response func([]vault.Certificate) (apiaccess.StoredResponse, error)
}

// AtomicRow is an acceptance of a Whole.
type AtomicRow struct {
	NewCertificate
	// Upload, when set, is the ID of the uploaded file that the certificate is made
	// of; it is used up.
	Upload string
}

// Conflict says why a row of a Whole keeps all of it from being kept.
type Conflict struct {
	Row       int
	Duplicate bool // the key is held, or an earlier row has it; else the upload is gone
}

// ErasureResult is what was forgotten, as it was before.
type ErasureResult struct {
	Certificates []vault.Certificate
	Unconfirmed  []vault.UnconfirmedApplication // applications whose address was not proven
	Mails        []uint64
}

// Filter selects certificates; empty fields do not restrict, and all that are
// set must hold.
type Filter struct {
	Institution uint32
	Status      vault.Status
	Source      vault.Source
	Open        bool   // applications that wait for a decision
	Email       string // compared folded, whole
	Search      string // substring, compared folded, of vault.Certificate.SearchText
	Batch       string
	From, To    vault.Date // issue date, inclusive
}

// Page is one page of a list, newest first.
type Page struct {
	Certificates []vault.Certificate
	Total        int // over all pages
}

// Queue counts jobs of one kind.
type Queue struct {
	Waiting int `json:"waiting"` // due now
	Later   int `json:"later"`   // due later, or claimed
}

// Certificates is what is asked of a store about certificates.
type Certificates interface {
	// Insert keeps certificates, each with its effects, all in one transaction.
	// A key that is held already makes its row a duplicate and changes nothing;
	// that includes keys of earlier rows of the same call. A batch that was cancelled
	// takes no more: Illegal for the whole call. An identity that is
	// taken already is a Conflict for the whole call.
	Insert(ctx context.Context, rows []NewCertificate) ([]InsertResult, error)
	// InsertAtomic keeps a batch and all of its certificates, uses up their uploads
	// and keeps the answer, all in one transaction. Where a key is held or an
	// upload is gone, nothing is changed, and the rows at fault are returned. An
	// identity that is taken already is a Conflict.
	InsertAtomic(ctx context.Context, w AtomicBatch) ([]vault.Certificate, []Conflict, error)
	// Reissue keeps what a transition makes of one certificate: itself, marked as
	// replaced, and its successor, which may bear the uniqueness key of those that it
	// replaces; that key stays theirs. A key that another holds is
	// Invalid, an identity that is taken a Conflict.
	Reissue(ctx context.Context, institution uint32, name string,
		reissue func(vault.Certificate) (vault.Reissue, error)) (vault.Reissue, error)
	// Erase forgets the personal data of everything that an institution issued to an
	// address, compared folded (vault.Certificate.Erase), and of the mails to it, all
	// in one transaction; where one certificate cannot be erased, nothing is.
	Erase(ctx context.Context, institution uint32, email string, now time.Time) (ErasureResult, error)
	// Change applies a transition to one certificate. An error of the transition
	// is returned as it is and nothing is changed.
	Change(ctx context.Context, institution uint32, name string, change Change) (vault.Certificate, error)
	// Certificate finds one by UUID or reference ID; NotFound when the institution
	// has none.
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	// ByReference finds one by its reference ID, whatever its institution; NotFound
	// when there is none.
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	// Version is a number that is another one after each change of the certificate
	// with a reference ID, before whoever changed it is told so. What was read after
	// asking for it holds as long as it is the same. It costs no reading.
	Version(reference string) uint64
	// ByShareToken finds one by the token of its view-and-share page; NotFound when no
	// certificate has it now.
	ByShareToken(ctx context.Context, token string) (vault.Certificate, error)
	// ByID finds certificates by the store's own numbers; one that does not exist
	// is an error.
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	// KeyHolders finds the certificates that hold keys; the result has an entry for
	// each key, nil where nobody holds it.
	KeyHolders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error)
	// FrozenDates returns the issue dates kept for undated rows, "" where there is none.
	FrozenDates(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error)
	// List returns page number page (from 1) of the certificates that a filter
	// selects.
	List(ctx context.Context, f Filter, page, perPage int) (Page, error)
	// Tail returns the last bytes of an approved certificate's verified PDF.
	Tail(ctx context.Context, id uint64) ([]byte, error)
	// Events returns a certificate's events in order of happening.
	Events(ctx context.Context, id uint64) ([]vault.Event, error)
	// EventsAfter returns up to n of an institution's events that happened after the
	// event with a number, in order, and the number to ask with next.
	EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) ([]vault.Event, uint64, error)
	// LastEvent is the number of the latest event of all; 0 before the first.
	LastEvent(ctx context.Context) (uint64, error)
	// Counts counts an institution's certificates by state.
	Counts(ctx context.Context, institution uint32) (vault.Counts, error)
	// BlobReferenced reports whether any certificate, upload or waiting application needs a blob.
	BlobReferenced(ctx context.Context, sum string) (bool, error)
}

// Jobs is the one queue of work.
type Jobs interface {
	// Claim takes up to n jobs of a kind that are due (vault.Job.Due): of each institution in turn, the
	// oldest of each first. Each is hidden from others until its lease ends, and its
	// attempt is counted. A suspect job comes alone.
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	// Complete ends claimed jobs; the result has an error for each, nil where it was
	// done. A job whose lease was lost to another claim is a Conflict and changes
	// nothing. The second error is that of the transaction.
	Complete(ctx context.Context, settlements []JobResult) ([]error, error)
	// RequeueOrphaned orphans every claimed job (vault.Job.Orphaned). Only the sole owner
	// of a store may call it, at its start: whoever claimed before is gone.
	RequeueOrphaned(ctx context.Context, now time.Time) (int, error)
	// NextRun is the earliest moment at which a job of the kind is due; zero when
	// there is none.
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
	// Queues counts the jobs of each kind.
	Queues(ctx context.Context, now time.Time) (map[vault.JobKind]Queue, error)
}

// Batches is what is asked of a store about batches.
type Batches interface {
	// OpenBatch keeps a batch, or returns the one that the institution has for the
	// same digest, reopened where it was cancelled. A name that another batch bears gets a number behind it.
	OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error)
	// FindBatch returns the batch of a digest; NotFound when there is none.
	FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error)
	// Batches returns page number page (from 1), newest first, with counts, and
	// the number of all.
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
	// Batch finds one by its ID; NotFound when the institution has none.
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	// ChangeBatch applies a transition to a batch. The processing jobs of a batch
	// that is then paused cannot be claimed until it is no longer; those of a batch
	// that is then cancelled end, and their certificates take the transition waiting.
	// Claimed jobs are left alone.
	ChangeBatch(ctx context.Context, institution uint32, id string,
		change func(vault.Batch) (vault.Batch, error), waiting Change) (vault.Batch, error)
}

// Institutions is what is asked of a store about institutions.
type Institutions interface {
	// AddInstitution keeps a valid institution and returns it with its ID.
	AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error)
	// ChangeInstitution replaces one that exists.
	ChangeInstitution(ctx context.Context, i vault.Institution) error
	// Institutions returns all in order of their IDs.
	Institutions(ctx context.Context) ([]vault.Institution, error)
	// UseInstitution makes one the current one; NotFound when there is none.
	UseInstitution(ctx context.Context, id uint32) error
	// CurrentInstitution is the one last made so, else the first; NotFound when
	// there is none at all.
	CurrentInstitution(ctx context.Context) (vault.Institution, error)
}

// Uploads is what is asked of a store about uploaded files and kept answers.
type Uploads interface {
	// AddUpload keeps an uploaded file and, unless it is nil, the answer to its
	// upload.
	AddUpload(ctx context.Context, u apiaccess.Upload, reply *apiaccess.StoredResponse) error
	// Uploads finds an institution's uploads that are not used up; the result has
	// an entry for each ID, nil where there is none. Age is the caller's matter.
	Uploads(ctx context.Context, institution uint32, ids []string) ([]*apiaccess.Upload, error)
	// StoredResponse finds a kept answer; NotFound when there is none. Age is the caller's
	// matter; a new answer replaces an old one.
	StoredResponse(ctx context.Context, name apiaccess.IdempotencyKey) (apiaccess.StoredResponse, error)
	// DeleteExpired forgets uploads, answers, sign-in links, sessions and waiting applications
	// that are no longer usable and returns how many records that were.
	DeleteExpired(ctx context.Context, now time.Time) (int, error)
}

// Tokens is what is asked of a store about API tokens.
type Tokens interface {
	// AddToken keeps a new token; one with the same ID or hash is a Conflict.
	AddToken(ctx context.Context, t apiaccess.Token) error
	// TokenByHash finds the token of a secret's hash, usable or not; NotFound when
	// there is none.
	TokenByHash(ctx context.Context, hash string) (apiaccess.Token, error)
	// ChangeToken replaces an institution's token by what change makes of it.
	ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error)
	// Tokens lists an institution's tokens in order of creation.
	Tokens(ctx context.Context, institution uint32) ([]apiaccess.Token, error)
}

// MailFilter selects mails; empty fields do not restrict, and all that are set
// must hold.
type MailFilter struct {
	Institution uint32
	Certificate uint64
	Batch       string
	State       vault.MailState
	// Returned selects mails that were refused or bounced and that no later one
	// repeats.
	Returned bool
}

// Mails is what is asked of a store about mails.
type Mails interface {
	// QueueMail keeps a mail with the job of sending it.
	QueueMail(ctx context.Context, m vault.Mail) error
	// Mail finds one by its number; NotFound when the institution has none.
	Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error)
	// MailsByID finds mails of any institution; one that does not exist is an error.
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	// ListMails returns page number page (from 1), newest first, and the number of all.
	ListMails(ctx context.Context, f MailFilter, page, perPage int) ([]vault.Mail, int, error)
	// ChangeMail applies a transition to a mail of any institution. One that then
	// waits no longer is not sent; while it is being sent its cancelling is Illegal.
	ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	// RepeatMail keeps what a transition makes of an ended mail as a new one with
	// the job of sending it.
	RepeatMail(ctx context.Context, institution uint32, id uint64, repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	// DeleteOldMails removes up to n mails that ended, of all that were made before a
	// moment, but for those that did not arrive and were not sent again.
	DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error)
	// CancelMails applies a transition to all mails of a batch that wait and are not
	// being sent, and returns how many.
	CancelMails(ctx context.Context, institution uint32, batch string, cancel func(vault.Mail) (vault.Mail, error)) (int, error)
}

// Accounts is what is asked of a store about recipients and their accounts. A
// certificate whose address has an account is assigned to it in the transaction
// that approves it or that changes its address.
type Accounts interface {
	// AccountByEmail finds the account of an address, compared folded; NotFound when
	// nobody has proven it.
	AccountByEmail(ctx context.Context, email string) (vault.Account, error)
	// AddMagicLink keeps a sign-in link.
	AddMagicLink(ctx context.Context, s vault.MagicLink) error
	// MagicLink finds a link by its hash; NotFound when it is used up or not usable any
	// more.
	MagicLink(ctx context.Context, hash string, now time.Time) (vault.MagicLink, error)
	// RedeemMagicLink uses a link up: fresh, with the link's address, becomes that address's
	// account unless it has one, all that was issued to the address in any
	// institution is assigned to it, and the session begins, all in one transaction.
	// It returns the account and how many certificates were assigned; NotFound as
	// with SignIn.
	RedeemMagicLink(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error)
	// SessionAccount finds the account of a session by its hash; NotFound when there
	// is none or it is over.
	SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error)
	// EndSession forgets a session; one that is not there is no error.
	EndSession(ctx context.Context, hash string) error
	// OwnedBy returns page number page (from 1) of the certificates that are assigned
	// to an account.
	OwnedBy(ctx context.Context, account string, page, perPage int) (Page, error)
	// EraseAccount forgets the account of an address, its sessions and links, and
	// to whom its certificates were assigned; one that is not there is no error.
	EraseAccount(ctx context.Context, email string) error
}

// Corrections is what is asked of a store about wishes for corrections.
type Corrections interface {
	// AddCorrection keeps a wish and returns it with its ID; when too many about the
	// certificate are open (vault.MaxOpenCorrectionRequests), it is Unavailable.
	AddCorrection(ctx context.Context, c vault.CorrectionRequest) (vault.CorrectionRequest, error)
	// Corrections lists an institution's wishes, oldest first, those that are done
	// only when all are asked for.
	Corrections(ctx context.Context, institution uint32, all bool) ([]vault.CorrectionRequest, error)
	// ChangeCorrection replaces an institution's wish by what change makes of it.
	ChangeCorrection(ctx context.Context, institution uint32, id uint64,
		change func(vault.CorrectionRequest) (vault.CorrectionRequest, error)) (vault.CorrectionRequest, error)
	// DeleteCorrections forgets all wishes about a certificate.
	DeleteCorrections(ctx context.Context, institution uint32, certificate string) error
}

// Store is all of it.
type Store interface {
	Accounts
	Applications
	Corrections
	Tokens
	Uploads
	Mails
	Certificates
	Jobs
	Batches
	Institutions
	Endpoints
	Deliveries
	InboundEvents
	Close() error
}
