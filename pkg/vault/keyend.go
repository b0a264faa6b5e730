package vault

import (
	"fmt"
	"time"
)

// KeyEndWarning is how long before its end a key or certificate is warned of.
const KeyEndWarning = 60 * 24 * time.Hour

// EndingKey is a key or certificate that stops working at a moment.
type EndingKey struct {
	Institution uint32    // whose staff are told
	What        string    // for a person, such as "the signing key of Test University"
	ID          string    // tells it from the one before and the next one
	End         time.Time // of its validity
	Fix         string    // what to do, an imperative clause
}

// Describe says in a sentence without its end that the key has ended or soon will; "" when it is
// valid for long.
func (k EndingKey) Describe(now time.Time) string {
	switch left := k.End.Sub(now); {
	case left <= 0:
		return fmt.Sprintf("%s ended on %s; %s", k.What, k.End.UTC().Format(time.DateOnly), k.Fix)
	case left < KeyEndWarning:
		return fmt.Sprintf("%s ends on %s; %s", k.What, k.End.UTC().Format(time.DateOnly), k.Fix)
	}
	return ""
}

// Reminder returns the mark, in days before the end, of which staff are to be reminded now: 60,
// 30 or 7. Last is the mark that they were reminded of last, 0 for none. A mark that passed while
// nobody could be told is made up for by the next one.
func (k EndingKey) Reminder(now time.Time, last int) (days int, due bool) {
	for _, days := range []int{7, 30, 60} {
		if !now.Before(k.End.AddDate(0, 0, -days)) {
			return days, last == 0 || days < last
		}
	}
	return 0, false
}

// NewKeyEndMail makes the mail that reminds staff of a key that ends.
func NewKeyEndMail(k EndingKey, now time.Time) Mail {
	return Mail{Kind: MailKeyEnd, Institution: k.Institution, Text: k.What + "\n" + k.Describe(now) + ".", State: MailWaiting, CreatedAt: now}
}
