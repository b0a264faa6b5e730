package vault

import (
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Effects is what follows from a change. It is committed with the change or
// not at all.
type Effects struct {
	Events []Event
	Jobs   []Job
	Mails  []Mail // each with the job of sending it
	Tail   []byte // the verified PDF's last bytes, on approval
	Update []byte // what is added behind all that the verified PDF has
	// Log, where set, enters the certificate in its institution's log before anything is
	// kept, and completes certificate and tail.
	Log LogEntry
}

// HoldMailsUntil returns the effects with their mails held until a moment.
func (fx Effects) HoldMailsUntil(until time.Time) Effects {
	mails := make([]Mail, len(fx.Mails))
	for i, m := range fx.Mails {
		m.NotBefore = until
		mails[i] = m
	}
	fx.Mails = mails
	return fx
}

// Accept makes a certificate of a valid, clean draft. It enters processing at
// once: the institution is the source and nobody needs to approve (guide,
// "How the Vault Process Works").
func Accept(d Draft, institution uint32, id Identity, now time.Time) (Certificate, Effects) {
	c := Certificate{
		Identity: id, Institution: institution, Batch: d.Batch,
		Source: FromVault, Trigger: d.Trigger, Status: Processing,
		Content: d.Content, Person: d.Person, File: d.File, ScanBack: d.ScanBack, Placement: d.Placement,
		CreatedAt: now, UpdatedAt: now,
	}
	return c, Effects{
		Events: []Event{c.event(EventCreated, d.Trigger, now)},
		Jobs:   []Job{{Kind: JobSign, RunAt: now, CreatedAt: now}},
	}
}

// Approve ends processing with success: the verified PDF is the document
// followed by the tail.
func (c Certificate) Approve(v Verified, tail []byte, now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Processing, "approved"); err != nil {
		return c, Effects{}, err
	}
	c.Status, c.Verified, c.Failure = Approved, &v, nil
	c.File.HashState = nil
	c.UpdatedAt, c.ApprovedAt = now, now
	kind := MailIssued
	if c.Supersedes != "" {
		kind = MailReissued
	}
	fx := Effects{
		Events: []Event{c.event(EventApproved, c.Trigger, now)},
		Mails:  []Mail{c.MailTo(kind, now)},
		Tail:   tail,
	}
	if v.TimestampOwed {
		fx.Jobs = append(fx.Jobs, Job{Kind: JobTimestamp, RunAt: now, CreatedAt: now})
	}
	if v.LevelOwed != "" {
		fx.Jobs = append(fx.Jobs, Job{Kind: JobPreserve, RunAt: now, CreatedAt: now})
	}
	return c, fx, nil
}

// AddTimestamp gives a certificate the time stamp that it was issued without: its verified PDF
// now ends with another tail of the same length, and has another SHA-256.
func (c Certificate) AddTimestamp(sha256 string, tail []byte, until, now time.Time) (Certificate, Effects, error) {
	if c.Verified == nil || !c.Verified.TimestampOwed || len(c.Verified.Updates) > 0 {
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s lacks no time stamp", c.Reference)
	}
	if int64(len(tail)) != c.Verified.TailSize {
		return c, Effects{}, fault.New(fault.Invalid, "a time stamp must not change the length of a verified PDF")
	}
	v := *c.Verified
	v.Earlier = append(slices.Clone(v.Earlier), v.SHA256)
	v.SHA256, v.TimestampOwed, v.Level, v.TimestampUntil = sha256, false, SealT, until
	c.Verified, c.UpdatedAt = &v, now
	return c, Effects{Tail: tail}, nil
}

// Fail ends processing without success.
func (c Certificate) Fail(why Failure, now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Processing, "failed"); err != nil {
		return c, Effects{}, err
	}
	c.Status, c.Failure, c.UpdatedAt = Failed, &why, now
	return c, Effects{Events: []Event{c.event(EventFailed, c.Trigger, now)}}, nil
}

// Retry sends a failed certificate through processing again (guide, step 7).
func (c Certificate) Retry(trigger Trigger, now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Failed, "retried"); err != nil {
		return c, Effects{}, err
	}
	c.Status, c.Failure, c.UpdatedAt = Processing, nil, now
	return c, Effects{
		Events: []Event{c.event(EventRetried, trigger, now)},
		Jobs:   []Job{{Kind: JobSign, Certificate: c.ID, RunAt: now, CreatedAt: now}},
	}, nil
}

// Revoke takes an approved certificate back. The reason is shown to everyone
// who checks it.
func (c Certificate) Revoke(reason string, now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Approved, "revoked"); err != nil {
		return c, Effects{}, err
	}
	if err := c.refuseRemote("revoked"); err != nil {
		return c, Effects{}, err
	}
	reason = Clean(reason)
	if msg := checkText("reason", reason, true, MaxDetails, ForbiddenRune); msg != "" {
		return c, Effects{}, fault.InvalidFields([]fault.Field{{Name: "reason", Message: msg}})
	}
	c.Status, c.Revocation, c.UpdatedAt = Revoked, &Revocation{At: now, Reason: reason}, now
	return c, Effects{Events: []Event{c.event(EventRevoked, ByAdmin, now)}}, nil
}

// Supersede marks a certificate as replaced by a corrected one. Its state stays
// what it was; a certificate is replaced once.
func (c Certificate) Supersede(successor string, now time.Time) (Certificate, Effects, error) {
	switch {
	case c.SupersededBy != "":
		return c, Effects{}, fault.Newf(fault.Illegal,
			"certificate %s has a successor already; correct that one", c.Reference)
	case c.Status == Processing:
		return c, Effects{}, fault.Newf(fault.Illegal,
			"certificate %s is still being processed; correct it when that is done", c.Reference)
	case c.notIssuedError("corrected") != nil:
		return c, Effects{}, c.notIssuedError("corrected")
	case c.refuseRemote("corrected") != nil:
		return c, Effects{}, c.refuseRemote("corrected")
	case successor == "" || successor == c.UUID:
		return c, Effects{}, fault.New(fault.Invalid, "a successor must be another certificate")
	}
	c.SupersededBy, c.UpdatedAt = successor, now
	return c, Effects{Events: []Event{c.event(EventSuperseded, ByAdmin, now)}}, nil
}

// ReplaceShareToken gives a certificate another token for its view-and-share page; the
// address that was passed on until now no longer works.
func (c Certificate) ReplaceShareToken(token string, now time.Time) (Certificate, Effects, error) {
	if token == "" || token == c.ShareToken {
		return c, Effects{}, fault.New(fault.Invalid, "a new share token must be another one")
	}
	c.ShareToken, c.UpdatedAt = token, now
	return c, Effects{}, nil
}

func (c Certificate) requireStatus(want Status, verb string) error {
	if c.Status == want {
		return nil
	}
	return fault.Newf(fault.Illegal, "certificate %s is %s; only one that is %s can be %s",
		c.Reference, c.Status.words(), want, verb)
}
