package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Date is a day of the calendar as YYYY-MM-DD, or empty for none.
type Date string

// ParseDate takes YYYY-MM-DD, the form of the guide's issue_date, and nothing else.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fault.Newf(fault.Invalid, "%q is not a date in the form YYYY-MM-DD", s)
	}
	return Date(s), nil
}

// DateOf is the day on which now falls in a time zone.
func DateOf(now time.Time, zone *time.Location) Date {
	return Date(now.In(zone).Format(time.DateOnly))
}
