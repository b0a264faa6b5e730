package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// erasedReason is why an erased certificate counts no more.
const erasedReason = "withdrawn: the recipient's data were erased"

// Erase forgets who a certificate was issued to, for what, and its document.
// What is left are its reference ID, its dates and its place in the succession,
// so that a person who checks it learns that it was withdrawn.
func (c Certificate) Erase(now time.Time) (Certificate, Effects, error) {
	switch {
	case c.ErasedAt != nil:
		return c, Effects{}, fault.Newf(fault.Illegal, "the data of certificate %s were erased already", c.Reference)
	case c.Status == Processing:
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s is still being processed; erase it when that is done", c.Reference)
	}
	c.Content = c.erased()
	c.File, c.Verified, c.Failure, c.Undelivered, c.ShareToken = File{}, nil, nil, nil, ""
	c.Assignment, c.Person = nil, ""
	if c.Log != nil {
		c.Log = &LogPlace{Log: c.Log.Log, Index: c.Log.Index} // without its salt the entry says nothing
	}
	if c.notIssuedError("erased") != nil {
		c.Status = Rejected
	} else {
		c.Status, c.Revocation = Revoked, &Revocation{At: now, Reason: erasedReason}
	}
	if c.Application != nil {
		c.Application = &Application{Proof: c.Application.Proof, By: c.Application.By}
	}
	c.ErasedAt, c.UpdatedAt = &now, now
	return c, Effects{Events: []Event{c.event(EventErased, ByAdmin, now)}}, nil
}

// Anonymous is an event without the data of the certificate's recipient.
func (e Event) Anonymous() Event {
	e.Name, e.Title, e.Email = "", "", ""
	return e
}
