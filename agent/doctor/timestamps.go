package doctor

import (
	"context"
)

// timestamps asks each time stamp server once.
func (p Target) timestamps(context.Context) (found []Finding) {
	const check = "timestamps"
	if p.Timestamper == nil {
		return nil
	}
	for _, c := range p.Timestamper.Check() {
		if c.Err != nil {
			found = append(found, failure(check, "correct signing.timestamps, or name another server there", "%s", errorText(c.Err))...)
			continue
		}
		found = append(found, ok(check, "the time stamp server %s answers with sound time stamps", c.URL)...)
	}
	return found
}
