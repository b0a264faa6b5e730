package admin

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/agent/retention"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Retention lists what the home keeps for a time, with what is due to be deleted.
func (s *Service) Retention(ctx context.Context) []adminclient.RetentionItem {
	return retentionItems(s.retention.Due(ctx))
}

// RunRetention deletes what is due.
func (s *Service) RunRetention(ctx context.Context) []adminclient.RetentionItem {
	return retentionItems(s.retention.CleanDue(ctx))
}

func retentionItems(found []retention.Item) []adminclient.RetentionItem {
	const day = 24 * time.Hour
	all := make([]adminclient.RetentionItem, len(found))
	for i, one := range found {
		all[i] = adminclient.RetentionItem{What: one.What, Setting: one.Setting, Days: int(one.Limit / day), Due: one.Due, Bytes: one.Bytes,
			Next: client.TimeOrNull(one.Next.UTC())}
		if one.Err != nil {
			var known bool
			if all[i].Error, known = fault.Message(one.Err); !known {
				all[i].Error = one.Err.Error()
			}
		}
	}
	return all
}
