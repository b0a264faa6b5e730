package vault

import "time"

// Adopt makes the certificate of a verified PDF that the home signed and has no record of, since
// it was restored from a backup that is older. It is approved as of when it was signed. Nobody is
// told by mail or webhook: they were told when it was issued.
func Adopt(d Draft, institution uint32, id Identity, v Verified, tail []byte, signed, now time.Time) (Certificate, Effects) {
	c := Certificate{
		Identity: id, Institution: institution, Source: FromVault, Trigger: ByAdmin, Status: Approved,
		Content: d.Content, Person: d.Person, File: d.File, Verified: &v,
		CreatedAt: signed, UpdatedAt: now, ApprovedAt: signed, AdoptedAt: now,
	}
	return c, Effects{Events: []Event{c.event(EventAdopted, ByAdmin, now)}, Tail: tail}
}
