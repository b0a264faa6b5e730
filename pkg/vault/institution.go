package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// PlaceholderName is the name of an institution whose staff have not named it yet. It is
// good for trying things out, and not to be printed on anybody's certificate.
const PlaceholderName = "My Institution"

// Institution is who issues certificates. A home can hold more than one, and
// each sees only its own.
type Institution struct {
	ID   uint32 `json:"id"` // given by the store, from 1
	Name string `json:"name"`
	// Slug names the institution on command lines and in folder names. Homes of earlier
	// versions get theirs when they are opened.
	Slug     string `json:"slug,omitempty"`
	TimeZone string `json:"time_zone"` // IANA name, "Europe/Warsaw"
	Sender   string `json:"sender,omitempty"`
	// Logo stands on the pages that the public sees; nil for none.
	Logo *Logo `json:"logo,omitempty"`
	// PartialNames lets the verification page show recipients' names in part only.
	PartialNames bool `json:"partial_names,omitempty"`
	// SharedAddresses says whether several people may have one address, title and issue
	// date; nil leaves it to the home's settings.
	SharedAddresses *bool `json:"shared_addresses,omitempty"`
	// Policy is what people may apply for here; nil is nothing. See Applying.
	Policy    *ApplicationPolicy `json:"applying,omitempty"`
	CreatedAt time.Time          `json:"created_at"`
	// ClosedAt is when the institution was closed; zero while it is open. What it issued
	// stays valid and can be read, nothing new is issued.
	ClosedAt time.Time `json:"closed_at,omitzero"`
}

// Closed reports whether the institution is read-only.
func (i Institution) Closed() bool { return !i.ClosedAt.IsZero() }

// CheckOpen refuses work of an institution that is closed.
func (i Institution) CheckOpen() error {
	if !i.Closed() {
		return nil
	}
	return fault.Newf(fault.Illegal, "%s was closed on %s: what it issued can be read and verified, and nothing can be changed; to open it again: vecctl institution reopen %s",
		i.Name, i.ClosedAt.In(i.Zone()).Format(time.DateOnly), i.Slug)
}

// Validate checks an institution that is about to be kept.
func (i Institution) Validate() error {
	var bad []fault.Field
	if msg := checkText("name", Clean(i.Name), true, MaxTitle, unfitForLine); msg != "" {
		bad = append(bad, fault.Field{Name: "name", Message: msg})
	}
	if i.Slug != "" && !ValidSlug(i.Slug) {
		bad = append(bad, fault.Field{Name: "slug", Message: slugRule})
	}
	if _, err := time.LoadLocation(i.TimeZone); err != nil || i.TimeZone == "" || i.TimeZone == "Local" {
		bad = append(bad, fault.Field{Name: "time_zone",
			Message: "the time zone must be a name such as Europe/Warsaw or UTC"})
	}
	if err := i.ApplicationPolicy().Validate(); err != nil {
		bad = append(bad, fault.FieldsOf(err)...)
	}
	return fault.InvalidFields(bad)
}

// Logo is an institution's picture.
type Logo struct {
	Type string `json:"type"` // "image/png" or "image/jpeg"
	Data []byte `json:"data"`
}

// MaxLogo is the most bytes that a logo may have.
const MaxLogo = 256 * 1024

// Sum tells one logo from another.
func (l *Logo) Sum() string { return HashSecret(string(l.Data)) }

// ApplicationPolicy is what people may apply for here.
func (i Institution) ApplicationPolicy() ApplicationPolicy {
	if i.Policy == nil {
		return ApplicationPolicy{}
	}
	return *i.Policy
}

// SharesAddresses reports whether several people may have one address, title and issue
// date here, where the home's settings say byDefault.
func (i Institution) SharesAddresses(byDefault bool) bool {
	if i.SharedAddresses == nil {
		return byDefault
	}
	return *i.SharedAddresses
}

// Zone is the time zone where the institution is.
func (i Institution) Zone() *time.Location {
	zone, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Today is the current date where the institution is.
func (i Institution) Today(now time.Time) Date { return DateOf(now, i.Zone()) }

// Year is the current year where the institution is.
func (i Institution) Year(now time.Time) int { return now.In(i.Zone()).Year() }
