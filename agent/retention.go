package agent

import "github.com/vecctl/vecctl/agent/retention"

// newCleaner makes the cleaner of what need not be kept. It has no store yet.
func (a *Agent) newCleaner() *retention.Cleaner {
	r := a.config.Retention
	return &retention.Cleaner{
		Folders: retention.Folders{Mail: a.Home.Mail(), Verified: a.Home.Verified(), Refused: a.Home.Failed(), Database: a.Home.Database(), Backups: r.BackupFolder},
		Limits: retention.Limits{
			Deliveries: r.Deliveries, Received: r.Received, Mails: r.Mails,
			Verified: r.Verified, Refused: r.Refused, Evidence: r.Evidence,
			SchemaCopies: r.SchemaCopies, Backups: r.Backups,
		},
		Now: a.Now, Log: a.Log,
	}
}
