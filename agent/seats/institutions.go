package seats

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Open readies every institution of the home; a home without any gets the first.
func Open(ctx context.Context, o Options, baseURL string, first vault.Institution) (*Seats, error) {
	s := &Seats{Options: o}
	all, err := s.Records.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		first.CreatedAt = s.Now()
		made, err := s.Records.AddInstitution(ctx, first)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	now := state{baseURL: baseURL}
	for _, i := range all {
		one, err := s.seatOf(ctx, i)
		if err != nil {
			return nil, err
		}
		now = now.with(one)
	}
	if now.institution, err = s.Records.CurrentInstitution(ctx); err != nil {
		return nil, err
	}
	s.state.Store(&now)
	return s, nil
}

// seatOf loads an institution's signing key. One that has issued nothing yet gets
// its key here.
func (s *Seats) seatOf(ctx context.Context, i vault.Institution) (seat, error) {
	has, err := s.Signers.HasSigner(i.ID)
	if err != nil {
		return seat{}, err
	}
	if !has {
		return s.newSeat(ctx, i)
	}
	signer, err := s.Signers.Signer(i.ID)
	if err != nil {
		return seat{}, err
	}
	return seat{i, s.seal(signer)}, nil
}

// newSeat makes the signing key of an institution that has issued nothing.
func (s *Seats) newSeat(ctx context.Context, i vault.Institution) (seat, error) {
	issued, err := s.Records.Counts(ctx, i.ID)
	if err != nil {
		return seat{}, err
	}
	if issued.Approved+issued.Revoked > 0 {
		return seat{}, s.Signers.LostSigner(i.ID)
	}
	signer, err := s.Signers.MakeSigner(s.Random, i.ID, i.Name, s.Now())
	if err != nil {
		return seat{}, err
	}
	return seat{i, s.seal(signer)}, nil
}

// Institutions lists the home's institutions in order of their IDs.
func (s *Seats) Institutions(ctx context.Context) ([]staff.Institution, error) {
	all, err := s.Records.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]staff.Institution, len(all))
	for n, i := range all {
		shown[n] = s.shapeInstitution(i)
	}
	return shown, nil
}

// AddInstitution makes an institution with a signing key of its own. The current
// one stays what it is.
func (s *Seats) AddInstitution(ctx context.Context, q staff.Settings) (staff.Institution, error) {
	if vault.Clean(q.Institution) == "" {
		return staff.Institution{}, fault.New(fault.Invalid, "an institution needs a name")
	}
	if err := s.Check(q); err != nil {
		return staff.Institution{}, err
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	now := s.state.Load()
	for _, one := range now.seats {
		if strings.EqualFold(one.institution.Name, vault.Clean(q.Institution)) {
			return staff.Institution{}, fault.Newf(fault.Conflict, "there is an institution %q already (%d)", one.institution.Name, one.institution.ID)
		}
	}
	made, err := s.Records.AddInstitution(ctx, vault.Institution{
		Name: vault.Clean(q.Institution), TimeZone: cmp.Or(q.TimeZone, now.institution.TimeZone),
		Sender: q.Sender, CreatedAt: s.Now(),
	})
	if err != nil {
		return staff.Institution{}, err
	}
	one, err := s.seatOf(ctx, made)
	if err != nil {
		return staff.Institution{}, err
	}
	next := now.with(one)
	s.state.Store(&next)
	return s.shapeInstitution(made), nil
}

// UseInstitution makes an institution, named by ID or name, the one whose staff
// is served.
func (s *Seats) UseInstitution(ctx context.Context, name string) (staff.Institution, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := *s.state.Load()
	for id, one := range next.seats {
		if strconv.FormatUint(uint64(id), 10) != name && !strings.EqualFold(one.institution.Name, vault.Clean(name)) {
			continue
		}
		if err := s.Records.UseInstitution(ctx, id); err != nil {
			return staff.Institution{}, err
		}
		next.institution = one.institution
		s.state.Store(&next)
		s.News()
		return s.shapeInstitution(one.institution), nil
	}
	return staff.Institution{}, fault.Newf(fault.NotFound, "there is no institution %q; see: vecctl institution list", name)
}

func (s *Seats) shapeInstitution(i vault.Institution) staff.Institution {
	return staff.Institution{
		ID: i.ID, Name: i.Name, TimeZone: i.TimeZone, Sender: i.Sender, PartialNames: i.PartialNames, Logo: i.Logo != nil, Applying: shapeApplying(i.Applying()), CreatedAt: i.CreatedAt.UTC(),
		Current: i.ID == s.Current().ID,
	}
}
