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
		if head.Cosigned != nil {
			all[i].Cosigned = head.Cosigned.Size
		}
		if all[i].Growing {
			all[i].Problem = s.logs.Forks.Find(ctx, head.Key)
		}
	}
	return all, nil
}

// ContinueLogs records that this home, which was moved, continues its logs: no other does. Where
// another history of a log is published or witnessed, it is refused.
func (s *Service) ContinueLogs(ctx context.Context) ([]adminclient.LogStatus, error) {
	if err := s.store.RecordAction(ctx); err != nil {
		return nil, err
	}
	if err := s.institutions.KeepLogKeysHere(); err != nil {
		return nil, err
	}
	for _, id := range s.institutions.IDs() {
		key, err := s.institutions.LogKey(id)
		if err != nil {
			return nil, err
		}
		s.logs.Forks.Forget(key.Public())
	}
	if err := s.logs.Compare(ctx); err != nil {
		return nil, err
	}
	s.work.Wake()
	return s.Logs(ctx)
}

// NewLog begins a new log: what is issued from now on enters that one. The older one stays as it
// is. In a home that was copied or moved, all institutions begin a new log.
func (s *Service) NewLog(ctx context.Context) ([]adminclient.LogStatus, error) {
	moved, err := s.institutions.LogKeysMoved()
	if err != nil {
		return nil, err
	}
	if err := s.store.RecordAction(ctx); err != nil {
		return nil, err
	}
	ids := []uint32{s.institutionID(ctx)}
	if moved {
		ids = s.institutions.IDs()
	}
	for _, id := range ids {
		if _, err := s.institutions.NewLogKey(id); err != nil {
			return nil, err
		}
	}
	if err := s.institutions.KeepLogKeysHere(); err != nil {
		return nil, err
	}
	s.work.Wake()
	return s.Logs(ctx)
}
