package agent

import (
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/retention"
)

// newCleaner makes who forgets what need not be kept, as the settings say. It has no
// records yet.
func (a *Agent) newCleaner(config home.Config) (*retention.Cleaner, error) {
	k := &retention.Cleaner{
		Folders: retention.Folders{Mail: a.Home.Mail(), Verified: a.Home.Verified(), Refused: a.Home.Failed()},
		Now:     a.Now, Log: a.Log,
	}
	for key, limit := range map[string]*time.Duration{
		"retention.deliveries": &k.Limits.Deliveries, "retention.received": &k.Limits.Received, "retention.mails": &k.Limits.Mails,
		"retention.verified": &k.Limits.Verified, "retention.refused": &k.Limits.Refused,
		"retention.evidence": &k.Limits.Evidence,
	} {
		text, err := a.setting(config, key)
		if err != nil {
			return nil, err
		}
		days, _ := strconv.Atoi(text) // checked already; "" is 0
		*limit = time.Duration(days) * 24 * time.Hour
	}
	return k, nil
}
