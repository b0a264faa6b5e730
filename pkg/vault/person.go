package vault

import "strings"

// People who share an address are told apart by a word that is part of the uniqueness
// key: the external ID where one is given, else the name. The first who has an address,
// title and date keeps the key without it, so that a certificate has the same key
// whether addresses may be shared or not.
const (
	personByID   = "id "
	personByName = "name "
)

// PersonOf returns what tells a recipient from others of the same address.
func PersonOf(c Content) string {
	if c.ExternalID != "" {
		return personByID + c.ExternalID
	}
	return personByName + FoldName(c.Name)
}

// PersonKeys returns the keys that a certificate of this person may have where another
// one has the key without a person.
func (c Content) PersonKeys() []Key {
	keys := []Key{c.keyAs(PersonOf(c))}
	if c.ExternalID != "" {
		keys = append(keys, c.keyAs(personByName+FoldName(c.Name)))
	}
	return keys
}

// SamePerson reports whether two contents are for one recipient, as far as external IDs
// and, where one of them has none, names tell.
func (c Content) SamePerson(other Content) bool {
	if c.ExternalID != "" && other.ExternalID != "" {
		return c.ExternalID == other.ExternalID
	}
	return FoldName(c.Name) == FoldName(other.Name)
}

// IsFor reports whether a text is the name or the external ID of the recipient.
func (c Content) IsFor(person string) bool {
	person = Clean(person)
	return person != "" && (c.ExternalID == person || FoldName(c.Name) == FoldName(person))
}

// keyAs returns the uniqueness key with a person in it; "" for none.
func (c Content) keyAs(person string) Key {
	last := string(c.IssueDate)
	if person != "" {
		last += "\x00" + person
	}
	return keyOf(c.Email, c.Title, last)
}

// FoldName is the form in which names are compared: without regard to case, accents
// and the width of spaces.
func FoldName(name string) string { return Fold(strings.Join(strings.Fields(name), " ")) }
