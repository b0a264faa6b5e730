package admin

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	// sealsPage is how many certificates are read at a time.
	sealsPage = 1000
	// sealChanges are asked of the store at a time, so that it commits them in groups.
	sealChanges = 64
	// sealPatience is how long a renewal waits from one file that was tried to the next.
	sealPatience = 45 * time.Second
)

// SealsDue lists the verified PDFs that are to be renewed, and changes nothing.
func (s *Service) SealsDue(ctx context.Context, f adminclient.SealFilter) (adminclient.SealReport, error) {
	due, examined, err := s.dueSeals(ctx, f, func(client.Progress) {})
	report := adminclient.SealReport{Examined: examined, Seals: []adminclient.Seal{}}
	for _, c := range due {
		report.Add(s.toSeal(c, adminclient.SealDue))
	}
	return report, err
}

// dueSeals finds the certificates whose verified PDFs are to be renewed, and those that wait for
// that already.
func (s *Service) dueSeals(ctx context.Context, f adminclient.SealFilter, progress func(client.Progress)) (due []vault.Certificate, examined int, err error) {
	institution := s.institutionID(ctx)
	if f.Certificate != "" {
		c, err := s.store.Certificate(ctx, institution, f.Certificate)
		if err == nil && (c.Verified == nil || c.ErasedAt != nil || c.Status != vault.Approved) {
			err = fault.Newf(fault.Invalid, "certificate %s has no verified PDF to renew", c.Reference)
		}
		return []vault.Certificate{c}, 1, err
	}
	before := s.now().Add(f.Within)
	filter := store.Filter{Institution: institution, Status: vault.Approved}
	for {
		page, err := s.store.List(ctx, filter, 1, sealsPage)
		if err != nil {
			return nil, examined, err
		}
		for _, c := range page.Certificates {
			examined++
			filter.Below = c.ID
			if is, err := s.isDue(ctx, c, before); err != nil {
				return nil, examined, err
			} else if is {
				due = append(due, c)
			}
		}
		progress(client.Progress{Stage: "examining", Done: examined, Total: examined + max(0, page.Total-len(page.Certificates))})
		if len(page.Certificates) < sealsPage {
			return due, examined, nil
		}
	}
}

// isDue reports whether the newest time stamp of a verified PDF ends before a moment. One that
// has none never ends.
func (s *Service) isDue(ctx context.Context, c vault.Certificate, before time.Time) (bool, error) {
	v := c.Verified
	if v == nil || c.ErasedAt != nil {
		return false, nil
	}
	if v.LevelOwed != "" || v.LevelProblem != "" {
		return true, nil
	}
	until, err := s.preserve.TimestampUntil(ctx, c)
	return !until.IsZero() && until.Before(before), err
}

func (s *Service) toSeal(c vault.Certificate, status adminclient.SealStatus) adminclient.Seal {
	seal := adminclient.Seal{UUID: c.UUID, ReferenceID: c.Reference, Status: status}
	if v := c.Verified; v != nil {
		seal.Level, seal.TimestampUntil = string(v.Level), client.TimeOrNull(v.TimestampUntil)
		if v.LevelOwed != "" && status != adminclient.SealRenewed {
			seal.Problem = s.preserve.Problem(c.ID)
		}
		if v.LevelProblem != "" {
			seal.Problem = v.LevelProblem
		}
	}
	return seal
}

// RenewSeals renews the verified PDFs that are due, and returns when each was tried. What is
// not renewed then is owed; the agent goes on by itself, and so does another call.
func (s *Service) RenewSeals(ctx context.Context, f adminclient.SealFilter, progress func(client.Progress)) (adminclient.SealReport, error) {
	due, examined, err := s.dueSeals(ctx, f, progress)
	report := adminclient.SealReport{Examined: examined, Seals: []adminclient.Seal{}}
	if err != nil || len(due) == 0 {
		return report, err
	}
	if s.preserve.Timestamper == nil {
		return report, fault.Newf(fault.Invalid, "%d verified PDFs are due, and no time stamp server is set that could renew them; name one in signing.timestamps", len(due))
	}
	tried := s.events.Subscribe()
	defer tried.Stop()
	if err := s.oweRenewals(ctx, due); err != nil {
		return report, err
	}
	s.preserve.Retry()
	waiting := map[uint64]bool{}
	for _, c := range due {
		waiting[c.ID] = true
	}
	patience := time.NewTimer(sealPatience)
	defer patience.Stop()
	for total := len(due); len(waiting) > 0; {
		progress(client.Progress{Stage: "renewing", Done: total - len(waiting), Total: total})
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-patience.C:
			clear(waiting)
		case <-tried.Ready():
			ids, _ := tried.Take() // what holds others up shows in what is owed
			for _, id := range ids {
				if waiting[id] {
					delete(waiting, id)
					patience.Reset(sealPatience)
				}
			}
		}
	}
	progress(client.Progress{Stage: "renewing", Done: len(due), Total: len(due)})
	return report, s.reportSeals(ctx, due, &report)
}

// oweRenewals has the files brought to the highest level. The first change is alone, since it
// writes down who asked for it.
func (s *Service) oweRenewals(ctx context.Context, due []vault.Certificate) error {
	now := s.now()
	owe := func(ctx context.Context, c vault.Certificate) error {
		_, err := s.store.Change(ctx, c.Institution, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.OweLevel(vault.SealLTA, now)
		})
		return err
	}
	for i, c := range due {
		if c.Verified.LevelOwed != "" {
			continue
		}
		if err := owe(ctx, c); err != nil {
			return err
		}
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(sealChanges)
		for _, c := range due[i+1:] {
			if c.Verified.LevelOwed == "" {
				work.Go(func() error { return owe(ctx, c) })
			}
		}
		return work.Wait()
	}
	return nil
}

// reportSeals says what became of files that were due.
func (s *Service) reportSeals(ctx context.Context, due []vault.Certificate, report *adminclient.SealReport) error {
	ids := make([]uint64, len(due))
	for i, c := range due {
		ids[i] = c.ID
	}
	now, err := s.store.ByID(ctx, ids...)
	if err != nil {
		return err
	}
	for _, c := range now {
		status := adminclient.SealRenewed
		if c.Verified == nil || c.Verified.LevelOwed != "" || c.Verified.LevelProblem != "" {
			status = adminclient.SealOwed
		}
		report.Add(s.toSeal(c, status))
	}
	return nil
}
