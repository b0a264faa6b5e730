package vault

import (
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Proof says how it is known that an application comes from its address.
type Proof string

// The proofs that there are.
const (
	ProvenByMail    Proof = "mail"    // a link that was sent to the address was followed
	ProvenByAccount Proof = "account" // its account holder was signed in
	ProvenByStaff   Proof = "staff"   // staff submitted it for somebody
)

// Application is what a certificate has besides when somebody applied for it
// (guide, "customer-submitted applications").
type Application struct {
	Proof    Proof  `json:"proof"`
	By       string `json:"by,omitempty"`       // who of the staff submitted it
	Evidence *File  `json:"evidence,omitempty"` // what the applicant submitted; never issued by itself
	// EvidenceGone is when it was removed after a rejection; zero while it is kept, and
	// where there was none.
	EvidenceGone time.Time `json:"evidence_gone,omitzero"`
	Review       *Review   `json:"review,omitempty"`
	Decision     *Decision `json:"decision,omitempty"`
}

// Review is who of the staff looks into an application, and since when.
type Review struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Decision is what became of an application, and who decided so.
type Decision struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"` // why it was rejected
}

// ApplicationDraft is what somebody applies for.
type ApplicationDraft struct {
	Content        // without an issue date
	Evidence *File `json:"evidence,omitempty"`
}

// Clean returns the draft with its texts in the form in which they are kept.
func (d ApplicationDraft) Clean() ApplicationDraft {
	d.Content = d.Content.cleaned()
	return d
}

// Problems are the complaints about the texts of a clean draft; the fields are
// named as in the guide's request.
func (d ApplicationDraft) Problems() []fault.Field { return d.textProblems() }

// Submission is an application that counts.
type Submission struct {
	ApplicationDraft
	Proof Proof
	By    string // who of the staff submitted it, "" for nobody
	Day   Date   // today; the issue date is that of the approval
}

// MaxOpenApplications is how many applications of one address may wait for a
// decision at a time.
const MaxOpenApplications = 5

// Submit makes an application of a valid, clean draft. Until it is approved its
// issue date is the day of its submission.
func Submit(s Submission, institution uint32, id Identity, now time.Time) (Certificate, Effects) {
	c := Certificate{
		Identity: id, Institution: institution, Source: FromCustomer, Trigger: CustomerSubmission, Status: Pending,
		Content:     s.Content,
		Application: &Application{Proof: s.Proof, By: s.By, Evidence: s.Evidence},
		CreatedAt:   now, UpdatedAt: now,
	}
	c.IssueDate = s.Day
	return c, Effects{
		Events: []Event{c.event(EventCreated, CustomerSubmission, now)},
		Mails:  []Mail{c.MailTo(MailReceived, now)},
	}
}

// Open reports whether the certificate is an application that waits for a decision.
func (c Certificate) Open() bool { return c.Status == Pending || c.Status == InReview }

// TakeInReview notes that somebody of the staff looks into an application.
func (c Certificate) TakeInReview(by string, now time.Time) (Certificate, Effects, error) {
	switch {
	case c.Source != FromCustomer:
		return c, Effects{}, c.notAnApplicationError()
	case c.Status == InReview:
		r := c.Application.Review
		return c, Effects{}, fault.Newf(fault.Illegal, "application %s was taken in review by %s on %s", c.Reference, r.By, formatTime(r.At))
	case c.Status != Pending:
		return c, Effects{}, c.alreadyDecidedError()
	}
	a := *c.Application
	a.Review = &Review{By: by, At: now}
	c.Application, c.Status, c.UpdatedAt = &a, InReview, now
	return c, Effects{Events: []Event{c.event(EventInReview, ByAdmin, now)}}, nil
}

// Approval is what an approved application is issued with.
type Approval struct {
	By        string
	File      File
	Placement Placement
	IssueDate Date
	Details   *string // in place of the applicant's; nil leaves them
}

// ApproveApplication accepts an application, which is processed then as every other
// certificate is (guide, "certificate_application.processing").
func (c Certificate) ApproveApplication(a Approval, now time.Time) (Certificate, Effects, error) {
	if err := c.CheckUndecided(); err != nil {
		return c, Effects{}, err
	}
	d := Draft{Content: c.Content, File: a.File}
	d.IssueDate = a.IssueDate
	if a.Details != nil {
		d.Details = *a.Details
	}
	d = d.Clean()
	if err := d.Validate(); err != nil {
		return c, Effects{}, err
	}
	c = c.decide(Decision{By: a.By, At: now}, Processing)
	c.Details, c.IssueDate, c.File, c.Placement = d.Details, d.IssueDate, a.File, a.Placement
	return c, Effects{
		Events: []Event{c.event(EventProcessing, CustomerSubmission, now)},
		Jobs:   []Job{{Kind: JobSign, Certificate: c.ID, RunAt: now, CreatedAt: now}},
	}, nil
}

// Reject refuses an application; its applicant is told the reason.
func (c Certificate) Reject(by, reason string, now time.Time) (Certificate, Effects, error) {
	if err := c.CheckUndecided(); err != nil {
		return c, Effects{}, err
	}
	reason = Clean(reason)
	if msg := checkText("reason", reason, true, MaxDetails, ForbiddenRune); msg != "" {
		return c, Effects{}, fault.InvalidFields([]fault.Field{{Name: "reason", Message: msg}})
	}
	c = c.decide(Decision{By: by, At: now, Reason: reason}, Rejected)
	return c, Effects{
		Events: []Event{c.event(EventRejected, CustomerSubmission, now)},
		Mails:  []Mail{c.MailTo(MailRejected, now)},
	}, nil
}

// DropEvidence removes the file of an application that was rejected.
// Who applied, for what, and why it was rejected stays.
func (c Certificate) DropEvidence(now time.Time) (Certificate, Effects, error) {
	if c.Source != FromCustomer || c.Status != Rejected || c.Application.Evidence == nil {
		return c, Effects{}, fault.Newf(fault.Illegal, "%s is not a rejected application with a file", c.Reference)
	}
	a := *c.Application
	a.Evidence, a.EvidenceGone = nil, now
	c.Application, c.UpdatedAt = &a, now
	return c, Effects{}, nil
}

func (c Certificate) decide(d Decision, into Status) Certificate {
	a := *c.Application
	a.Decision = &d
	c.Application, c.Status, c.UpdatedAt = &a, into, d.At
	return c
}

// CheckUndecided is nil when the certificate is an application that waits for a decision;
// else it says why nothing can be decided about it any more.
func (c Certificate) CheckUndecided() error {
	switch {
	case c.Source != FromCustomer:
		return c.notAnApplicationError()
	case !c.Open():
		return c.alreadyDecidedError()
	}
	return nil
}

func (c Certificate) notAnApplicationError() error {
	return fault.Newf(fault.Illegal, "certificate %s is not an application; the institution itself issued it", c.Reference)
}

// alreadyDecidedError says who decided about an application already, and when.
func (c Certificate) alreadyDecidedError() error {
	if c.ErasedAt != nil {
		return fault.Newf(fault.Illegal, "the data of application %s were erased", c.Reference)
	}
	did := "approved"
	if c.Status == Rejected {
		did = "rejected"
	}
	d := c.Application.Decision
	return fault.Newf(fault.Illegal, "application %s was %s already, by %s on %s", c.Reference, did, d.By, formatTime(d.At))
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// notIssuedError says that an application has become no certificate, nil when it has.
func (c Certificate) notIssuedError(verb string) error {
	if !c.Open() && c.Status != Rejected {
		return nil
	}
	return fault.New(fault.Illegal, fmt.Sprintf("%s is an application that is %s; nothing was issued that could be %s",
		c.Reference, c.Status.words(), verb))
}
