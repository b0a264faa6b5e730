package vault

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// A certificate that ends is valid through the whole of its last day, where its institution
// is. Nothing is done at its end: that it has ended follows from the clock.

// EndedBefore reports whether the content's last day lies before a day.
func (c Content) EndedBefore(today Date) bool { return c.ExpiryDate != "" && c.ExpiryDate < today }

// ExpiresAt is the last second in which the content is valid, in a time zone; the zero time
// where it does not end.
func (c Content) ExpiresAt(zone *time.Location) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, string(c.ExpiryDate), zone)
	if err != nil {
		return time.Time{}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone).Add(-time.Second)
}

// ResolveTerm replaces a term in place of the expiry date by the date on which it ends. What is
// neither stays, and is a problem of its field.
func (c *Content) ResolveTerm() {
	if term, err := ParseTerm(string(c.ExpiryDate)); err == nil {
		if end, err := term.From(c.IssueDate); err == nil {
			c.ExpiryDate = end
		}
	}
}

// expiryProblem says what is wrong with the expiry date, "" where nothing is.
func (c Content) expiryProblem() string {
	if c.ExpiryDate == "" {
		return ""
	}
	if _, err := ParseDate(string(c.ExpiryDate)); err != nil {
		return "The expiry date field must match the format YYYY-MM-DD."
	}
	if c.ExpiryDate < c.IssueDate {
		return "The expiry date field must be a date after or equal to issue date."
	}
	return ""
}

// Term is a length of time by the calendar.
type Term struct{ Years, Months, Days int }

var termFormat = regexp.MustCompile(`^([1-9][0-9]{0,4})([ymwd])$`)

// ParseTerm reads a term such as 2y, 18m, 6w or 90d.
func ParseTerm(s string) (Term, error) {
	m := termFormat.FindStringSubmatch(s)
	if m == nil {
		return Term{}, fault.Newf(fault.Invalid, "%q is not a term; give one such as 2y, 18m, 6w or 90d", s)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return Term{}, fmt.Errorf("reading the term %q: %w", s, err)
	}
	const daysOfWeek = 7
	switch m[2] {
	case "y":
		return Term{Years: n}, nil
	case "m":
		return Term{Months: n}, nil
	case "w":
		return Term{Days: daysOfWeek * n}, nil
	}
	return Term{Days: n}, nil
}

// From returns the last day of a term that begins on a day: the same day of a later month, or
// the last of that month where it is shorter.
func (t Term) From(d Date) (Date, error) {
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return "", fault.Newf(fault.Invalid, "%q is not a date in the form YYYY-MM-DD", d)
	}
	end := day.AddDate(t.Years, t.Months, 0)
	if end.Day() != day.Day() {
		end = end.AddDate(0, 0, -end.Day())
	}
	end = end.AddDate(0, 0, t.Days)
	if lastYear := 9999; end.Year() > lastYear {
		return "", fault.Newf(fault.Invalid, "a term that begins on %s must end before the year 10000", d)
	}
	return Date(end.Format(time.DateOnly)), nil
}

// AddDays returns the day so many days later; the same where it is no day.
func (d Date) AddDays(n int) Date {
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return Date(day.AddDate(0, 0, n).Format(time.DateOnly))
}

// DaysTo is how many days lie between a day and a later one.
func (d Date) DaysTo(later Date) int {
	from, err := time.Parse(time.DateOnly, string(d))
	to, err2 := time.Parse(time.DateOnly, string(later))
	if err != nil || err2 != nil {
		return 0
	}
	const hours = 24
	return int(to.Sub(from).Hours() / hours)
}

// DueReminder returns which reminder of its end a certificate's recipient is to get on a day: so
// many days before it, of those at which people are reminded. The nearest to the end takes the
// place of those that nobody sent while no agent ran. Days that lay before the certificate was
// approved count for nothing.
func (c Certificate) DueReminder(days []int, today Date, zone *time.Location) (due int, ok bool) {
	if c.ExpiryDate == "" || c.ValidityOn(today) != ValidityGenuine {
		return 0, false
	}
	approved := DateOf(c.ApprovedAt, zone)
	for _, n := range days {
		day := c.ExpiryDate.AddDays(-n)
		if day <= today && day > approved && (c.Reminded == 0 || n < c.Reminded) && (!ok || n < due) {
			due, ok = n, true
		}
	}
	return due, ok
}

// RemindExpiry makes the mail that reminds the recipient of the end, and notes it.
func (c Certificate) RemindExpiry(days []int, today Date, zone *time.Location, now time.Time) (Certificate, Effects, error) {
	due, ok := c.DueReminder(days, today, zone)
	if !ok {
		return c, Effects{}, fault.Newf(fault.Illegal, "no reminder of the end of certificate %s is due", c.Reference)
	}
	c.Reminded = due
	return c, Effects{Mails: []Mail{c.MailTo(MailExpiring, now)}}, nil
}
