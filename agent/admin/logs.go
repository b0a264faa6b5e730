package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Logs lists the institution's logs of issued certificates, the newest last. A checkpoint that
// its log's key did not sign is an error.
func (s *Service) Logs(ctx context.Context) ([]adminclient.LogStatus, error) {
	institution := s.institutionID(ctx)
	heads, err := s.store.LogHeads(ctx, institution)
	if err != nil {
		return nil, err
	}
	growing := ""
	if len(heads) > 0 {
		key, err := s.institutions.LogKey(institution)
		if err != nil {
			return nil, err
		}
		growing = key.Public()
	}
	all := make([]adminclient.LogStatus, len(heads))
	for i, head := range heads {
		c, err := transparency.OpenCheckpoint(head.Checkpoint, head.Key)
		if err != nil {
			return nil, err
		}
		all[i] = adminclient.LogStatus{ID: vault.LogID(head.Key), Origin: c.Origin, Key: head.Key, Size: head.Size, Root: c.Root.String(), CreatedAt: head.CreatedAt,
			Growing: head.Key == growing, Checkpoint: string(head.Checkpoint), URL: s.institutions.BaseURL() + "/log/" + vault.LogID(head.Key)}
	}
	return all, nil
}
