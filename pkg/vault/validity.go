package vault

import (
	"strings"
	"unicode"
)

// Validity is what a certificate counts for in the eyes of somebody who checks
// it.
type Validity string

// The standings that there are.
const (
	ValidityGenuine    Validity = "genuine"
	ValidityRevoked    Validity = "revoked"
	ValiditySuperseded Validity = "superseded" // genuine, but a corrected one took its place
	ValidityProcessing Validity = "processing"
	ValidityFailed     Validity = "failed"
	ValidityWithdrawn  Validity = "withdrawn" // its data were erased
	ValidityUnknown    Validity = "unknown"   // there is none
	// ValidityExpired is a genuine certificate whose last day has passed.
	ValidityExpired Validity = "expired"
)

// ValidityOn is what the certificate counts for on a day, where its institution is.
func (c Certificate) ValidityOn(today Date) Validity {
	if v := c.Validity(); v != ValidityGenuine || !c.EndedBefore(today) {
		return v
	}
	return ValidityExpired
}

// Validity is what the certificate counts for, if its last day has not passed.
func (c Certificate) Validity() Validity {
	switch {
	case c.Open() || c.Status == Rejected:
		return ValidityUnknown // an application is no certificate
	case c.ErasedAt != nil:
		return ValidityWithdrawn
	case c.Status == Processing:
		return ValidityProcessing
	case c.Status == Failed:
		return ValidityFailed
	case c.Status == Revoked:
		return ValidityRevoked
	case c.SupersededBy != "":
		return ValiditySuperseded
	}
	return ValidityGenuine
}

// Issued reports whether there is a document that anybody may be shown.
func (s Validity) Issued() bool {
	return s == ValidityGenuine || s == ValidityRevoked || s == ValiditySuperseded || s == ValidityExpired
}

// Downloadable reports whether the verified PDF is given to those who have its link: it says
// itself until when it is valid.
func (s Validity) Downloadable() bool {
	return s == ValidityGenuine || s == ValiditySuperseded || s == ValidityExpired
}

// PartialName is a name of which only so much is shown that its bearer can be
// recognised by who knows it: the first word and the initials of the others; of a
// single word the first letter.
func PartialName(name string) string {
	words := strings.Fields(name)
	if len(words) == 1 {
		return initial(words[0]) + "\u2026"
	}
	for i := 1; i < len(words); i++ {
		words[i] = initial(words[i]) + "."
	}
	return strings.Join(words, " ")
}

// initial is a word's first letter with its marks.
func initial(word string) string {
	for i, r := range word {
		if i > 0 && !unicode.Is(unicode.M, r) {
			return word[:i]
		}
	}
	return word
}
