package vault

import (
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// SealLevel is how far a verified PDF is made to last (ETSI EN 319 142-1). Records and answers
// have it, so that the values stay as they are.
type SealLevel string

// The levels, each with all that the one before it has.
const (
	SealB   SealLevel = "B-B"
	SealT   SealLevel = "B-T"   // a time stamp
	SealLT  SealLevel = "B-LT"  // the certificates and proofs of their status that validation needs
	SealLTA SealLevel = "B-LTA" // a time stamp of the document over these
)

// Seal is the level that the verified PDF reached, empty where that is not known, and the one
// that it is owed, empty where nothing is.
func (v Verified) Seal() (is, owed SealLevel) {
	if v.LevelOwed == "" && v.TimestampOwed {
		return v.Level, SealT
	}
	return v.Level, v.LevelOwed
}

// Preserved is what was added behind a verified PDF.
type Preserved struct {
	Before string // SHA-256 of the file that it was made for
	SHA256 string // of the file with it
	Update []byte // the bytes
	Level  SealLevel
	Until  time.Time // when the certificate of the newest time stamp ends
}

// OweLevel has a verified PDF brought to a level, or renewed at it: a job does that.
func (c Certificate) OweLevel(level SealLevel, now time.Time) (Certificate, Effects, error) {
	switch {
	case c.Verified == nil || c.ErasedAt != nil:
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s has no verified PDF to renew", c.Reference)
	case c.Verified.LevelOwed != "":
		return c, Effects{}, nil // its job is there
	}
	v := *c.Verified
	v.LevelOwed, v.LevelProblem = level, ""
	c.Verified, c.UpdatedAt = &v, now
	return c, Effects{Jobs: []Job{{Kind: JobPreserve, RunAt: now, CreatedAt: now}}}, nil
}

// GiveUpLevel ends the way of a verified PDF to a level without success.
func (c Certificate) GiveUpLevel(problem string, now time.Time) (Certificate, Effects, error) {
	if c.Verified == nil || c.Verified.LevelOwed == "" {
		return c, Effects{}, nil
	}
	v := *c.Verified
	v.LevelOwed, v.LevelProblem = "", problem
	c.Verified, c.UpdatedAt = &v, now
	return c, Effects{}, nil
}

// Preserve keeps what was added to a verified PDF for later years. The files before it stay
// genuine. What was made for another file than the present one is refused, so that nothing is
// added twice.
func (c Certificate) Preserve(p Preserved, now time.Time) (Certificate, Effects, error) {
	switch {
	case c.Verified == nil || c.ErasedAt != nil || c.Verified.LevelOwed == "":
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s is not to be renewed", c.Reference)
	case c.Verified.SHA256 != p.Before:
		return c, Effects{}, fault.Newf(fault.Conflict, "the verified PDF of certificate %s was changed meanwhile", c.Reference)
	}
	v := *c.Verified
	v.Level, v.LevelOwed, v.TimestampUntil = p.Level, "", p.Until
	if len(p.Update) > 0 {
		v.Earlier = append(slices.Clone(v.Earlier), v.SHA256)
		v.Updates = append(slices.Clone(v.Updates), int64(len(p.Update)))
		v.TailSize += int64(len(p.Update))
		v.SHA256 = p.SHA256
	}
	c.Verified, c.UpdatedAt = &v, now
	return c, Effects{Update: p.Update}, nil
}
