package openbadge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Award is what a credential says: who awards which achievement to whom.
type Award struct {
	ID          string // address of the credential
	IssuerName  string
	IssuerURL   string
	Title       string
	Description string
	Criteria    string // how the achievement is earned, in words
	Picture     string // address of the badge picture; "" for none
	// Email is the recipient's address, of which the credential holds a hash with Salt.
	Email, Salt string
	Name        string    // of the recipient; "" leaves it out
	ValidFrom   time.Time // the begin of validity
	ValidUntil  time.Time // the zero time where there is no end
	// Evidence is the address of a page that confirms the award, and EvidenceText says more.
	Evidence, EvidenceText string
	Status                 StatusEntry
}

// StatusEntry is a credential's place in a status list.
type StatusEntry struct {
	List  string // address
	Index int
}

// Credential returns the award as an unsigned credential of an issuer.
func (a Award) Credential(issuer string) map[string]any {
	profile := map[string]any{"id": issuer, "type": []any{"Profile"}, "name": a.IssuerName, "url": a.IssuerURL}
	achievement := map[string]any{
		"id": achievementID(issuer, a.Title), "type": []any{"Achievement"}, "name": a.Title,
		"description": a.Description, "criteria": map[string]any{"narrative": a.Criteria},
	}
	if a.Picture != "" {
		achievement["image"] = map[string]any{"id": a.Picture, "type": "Image"}
	}
	c := map[string]any{
		"@context": []any{contextVC, contextOB}, "id": a.ID,
		"type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": a.Title,
		"issuer": profile, "validFrom": a.ValidFrom.UTC().Format(time.RFC3339),
		"credentialSubject": map[string]any{"type": []any{"AchievementSubject"}, "identifier": a.identifiers(), "achievement": achievement},
		"evidence":          []any{map[string]any{"id": a.Evidence, "type": []any{"Evidence"}, "narrative": a.EvidenceText}},
		"credentialStatus":  a.Status.entry("revocation"),
	}
	if !a.ValidUntil.IsZero() {
		c["validUntil"] = a.ValidUntil.UTC().Format(time.RFC3339)
	}
	return c
}

// identifiers say who the recipient is.
func (a Award) identifiers() []any {
	all := []any{map[string]any{
		"type": "IdentityObject", "identityType": "emailAddress", "hashed": true,
		"identityHash": HashIdentity(a.Email, a.Salt), "salt": a.Salt,
	}}
	if a.Name != "" {
		all = append(all, map[string]any{"type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": a.Name})
	}
	return all
}

// HashIdentity is how a credential names an e-mail address (Open Badges 3.0, IdentityObject): the
// SHA-256 of the address in small letters with the salt behind it.
func HashIdentity(email, salt string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email)) + salt))
	return "sha256$" + hex.EncodeToString(sum[:])
}

// achievementID names an achievement: the same for all credentials of an issuer with a title.
func achievementID(issuer, title string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + title))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8, RFC 9562
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// StatusListLength is how many entries a status list has: the least that the specification allows,
// among which one credential is not told apart.
const StatusListLength = 131_072

// entry is the status of a credential, for one purpose.
func (s StatusEntry) entry(purpose string) map[string]any {
	return map[string]any{
		"id": fmt.Sprintf("%s#%d", s.List, s.Index), "type": "BitstringStatusListEntry", "statusPurpose": purpose,
		"statusListIndex": fmt.Sprint(s.Index), "statusListCredential": s.List,
	}
}

// text returns a text below keys of nested objects; "" where there is none.
func text(value any, keys ...string) string {
	for _, key := range keys {
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		object, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = object[key]
	}
	s, _ := value.(string)
	return s
}

// objects returns a value that is an object or a list of them as a list.
func objects(value any) (all []map[string]any) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, one := range list {
		if object, ok := one.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all
}

// issuerOf returns the identifier of a credential's issuer.
func issuerOf(credential map[string]any) string {
	if id, ok := credential["issuer"].(string); ok {
		return id
	}
	return text(credential, "issuer", "id")
}

// moment reads a date of a credential; the zero time where it has none.
func moment(credential map[string]any, names ...string) (time.Time, error) {
	for _, name := range names {
		if given := text(credential, name); given != "" {
			at, err := time.Parse(time.RFC3339, given)
			if err != nil {
				return at, fault.Newf(fault.Invalid, "%s is %q, which is no moment", name, given)
			}
			return at, nil
		}
	}
	return time.Time{}, nil
}
