package vault

import (
	"fmt"
	"time"
)

// MaxClockError is by how much a clock may be off before staff are warned.
const MaxClockError = 5 * time.Minute

// DescribeClock says in a sentence without its end what is wrong with a clock; "" where nothing is
// known to be. Recorded is the latest time that is recorded, ahead by how much a time stamp server
// is ahead of the clock; the zero values say nothing.
func DescribeClock(now, recorded time.Time, ahead time.Duration) string {
	const fix = "set it, and keep it right with NTP"
	switch {
	case recorded.Sub(now) > MaxClockError:
		return fmt.Sprintf("the clock of this machine says %s, but %s was recorded already; %s; work goes on meanwhile",
			now.UTC().Format(time.RFC3339), recorded.UTC().Format(time.RFC3339), fix)
	case ahead > MaxClockError:
		return fmt.Sprintf("the clock of this machine is %s behind the time stamp server's; %s", ahead.Round(time.Second), fix)
	case -ahead > MaxClockError:
		return fmt.Sprintf("the clock of this machine is %s ahead of the time stamp server's; %s", (-ahead).Round(time.Second), fix)
	}
	return ""
}
