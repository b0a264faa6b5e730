package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// codes says what verdict each reason leads to. Any other is that of a forgery.
var codes = map[Reason]Code{
	Altered: Changed, Added: Changed, BeyondPermission: Changed, Remains: Changed, Damaged: Changed,
	Contradiction: Unreadable, NotComparable: Unreadable,
}

func (r Reason) code() Code {
	if c, ok := codes[r]; ok {
		return c
	}
	return Forged
}

// isUnknown reports whether a signature cannot be checked here, rather than being wrong. Where
// another one covers all that it does, it counts for nothing.
func (r Reason) isUnknown() bool { return r == Weak || r == UnknownKind || r == NoCertificate }

// verdict makes the verdict on the file out of those on its signatures.
func (d *document) verdict() Verdict {
	var v Verdict
	for _, c := range d.signatures {
		v.Signatures = append(v.Signatures, c.result)
		if c.whole != nil {
			v.SHA256 = c.whole
		}
	}
	v.name()
	main := v.main()
	if bad := v.worst(false); bad != nil {
		v.Reason, v.Code = bad.Reason, bad.Reason.code()
		v.Sentence = describeProblem(v.Code, bad)
		return v
	}
	v.Valid, v.Code, v.Level = true, Trusted, main.Level
	for i := range v.Signatures {
		s := &v.Signatures[i]
		if !s.Trusted && (s.counts() || s == main) {
			v.Code, v.Reason = Valid, UnknownCertificate
		}
		if s.counts() {
			v.Level = lower(v.Level, s.Level)
		}
	}
	d.describeLevel(&v)
	v.WhoVouches = describeTrust(main)
	v.Sentence = describeValid(main) + v.WhoVouches + describeEarlier(v.Signatures, main) + describeLog(main)
	return v
}

// counts reports whether somebody stands for the file with the signature.
func (s *Signature) counts() bool { return s.Problem == "" && !s.IsTimestamp }

// name takes the reference of the last signature that has one.
func (v *Verdict) name() {
	for _, s := range slices.Backward(v.Signatures) {
		if s.ReferenceID != "" || s.URL != "" {
			v.ReferenceID, v.URL = s.ReferenceID, s.URL
			return
		}
	}
}

// main is the signature that stands for the file: the last that is no mere time stamp.
func (v *Verdict) main() *Signature {
	for i := range slices.Backward(v.Signatures) {
		if v.Signatures[i].counts() {
			return &v.Signatures[i]
		}
	}
	return &v.Signatures[len(v.Signatures)-1]
}

// Signer is the last signature that somebody stands for the file with; nil where there is none.
func (v *Verdict) Signer() *Signature {
	if s := v.main(); s.counts() {
		return s
	}
	return nil
}

// Unsound is the signature for which the file would not be valid even when somebody signed
// it as it is; nil where there is none.
func (v *Verdict) Unsound() *Signature { return v.worst(true) }

// worst is the signature whose problem makes the file invalid; nil where none does. That of
// an earlier one counts before that of a later one, and what is known before what
// cannot be judged. covered says whether a signature behind covers the file.
func (v *Verdict) worst(covered bool) *Signature {
	var found *Signature
	for i := range slices.Backward(v.Signatures) {
		s := &v.Signatures[i]
		if s.Problem == "" {
			covered = covered || !s.IsTimestamp
			continue
		}
		if covered && s.Reason.isUnknown() {
			continue
		}
		if found == nil || s.Reason.code() != Unreadable || found.Reason.code() == Unreadable {
			found = s
		}
	}
	return found
}

// describeProblem says why a file is not valid.
func describeProblem(code Code, s *Signature) string {
	who := quoteName(s.SignedBy) + " signed it" + formatTime(s.SignedAt)
	if s.IsTimestamp {
		who = "it was time-stamped" + formatTime(s.SignedAt)
	}
	begins := "Not valid: "
	if code == Unreadable {
		begins = "Not judged: "
	}
	clause := lowerFirst(strings.TrimSuffix(s.Problem, "."))
	switch s.Reason {
	case Altered:
		return fmt.Sprintf("Not valid: the file was altered after %s.", who)
	case Added:
		what, why, _ := strings.Cut(clause, " after this signature: ")
		return fmt.Sprintf("Not valid: %s after %s; %s.", what, who, why)
	case BeyondPermission:
		if s.Certifies > 0 {
			who = quoteName(s.SignedBy) + " certified it" + formatTime(s.SignedAt)
		}
		what := strings.TrimSuffix(clause, ", which this signature does not allow")
		return fmt.Sprintf("Not valid: after %s, the file was changed in a way that this signature does not allow: %s.", who, what)
	}
	return begins + clause + "."
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && (s[1] < 'A' || s[1] > 'Z') {
		return string(s[0]-'A'+'a') + s[1:]
	}
	return s
}

// describeValid says what holds.
func describeValid(s *Signature) string {
	who := quoteName(s.SignedBy) + " signed it" + formatTime(s.SignedAt)
	switch {
	case s.IsTimestamp:
		return fmt.Sprintf("Valid: nothing in the document was changed since %s time-stamped it%s. Nobody signed it.", quoteName(s.SignedBy), formatTime(s.SignedAt))
	case s.CoversWholeFile:
		return fmt.Sprintf("Valid: nothing in the document was changed since %s.", who)
	}
	return fmt.Sprintf("Valid: since %s, the file was added to as this allows: %s.", who, listChanges(s.Changes))
}

const maxListed = 3 // changes named in a sentence

func listChanges(changes []Change) string {
	var what []string
	for _, c := range changes {
		if len(what) == maxListed {
			what = append(what, fmt.Sprintf("and %d more", len(changes)-maxListed))
			break
		}
		what = append(what, c.What)
	}
	return strings.Join(what, "; ")
}

// describeTrust says who vouches for the signer's name.
func describeTrust(s *Signature) string {
	switch {
	case s.Trusted && s.SelfSigned:
		return " Its certificate is trusted."
	case s.Trusted:
		return fmt.Sprintf(" It is certified by %q, which is trusted.", s.Issuer)
	case s.SelfSigned:
		return " Nobody vouches for this name: the issuer of the certificate is the signer."
	}
	return fmt.Sprintf(" The certificate names %q as its issuer, which was not checked.", s.Issuer)
}

// describeEarlier tells of the other signatures.
func describeEarlier(all []Signature, main *Signature) string {
	for i := range slices.Backward(all) {
		switch s := &all[i]; {
		case s == main || s.IsTimestamp:
		case s.Reason.isUnknown() && s.Problem != "":
			return " An earlier signature in it cannot be checked."
		case s.Fingerprint != main.Fingerprint:
			return fmt.Sprintf(" An earlier version of it was signed by %s%s, and what was added since is allowed.",
				quoteName(s.SignedBy), formatTime(s.SignedAt))
		}
	}
	return ""
}

// describeLog says whether the file proves that it was entered in its issuer's log.
func describeLog(s *Signature) string {
	switch l := s.Log; {
	case l.Proof != nil:
		return fmt.Sprintf(" It proves that it is entry %d of the log %q, which the signer names.", l.Proof.Index, l.Proof.Checkpoint.Origin)
	case l.Key != "":
		return " It carries no log proof, although its signature names a log: the proof was taken out, or never put in."
	}
	return ""
}

func quoteName(name string) string {
	if name == "" {
		return "somebody without a name"
	}
	return fmt.Sprintf("%q", name)
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " on " + t.UTC().Format("2 January 2006 at 15:04 MST")
}

func formatDay(t time.Time) string { return t.UTC().Format("2 January 2006") }
