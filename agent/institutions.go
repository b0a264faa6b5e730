package agent

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// seatInstitutions readies every institution of the home; a new home gets one.
func (a *Agent) seatInstitutions(ctx context.Context, baseURL string) error {
	all, err := a.store.Institutions(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		made := a.Options.Institution
		made.CreatedAt = a.Now()
		if made, err = a.store.AddInstitution(ctx, made); err != nil {
			return err
		}
		all = append(all, made)
	}
	now := state{baseURL: baseURL}
	for _, i := range all {
		one, err := a.seatOf(ctx, i)
		if err != nil {
			return err
		}
		now = now.with(one)
	}
	if now.institution, err = a.store.CurrentInstitution(ctx); err != nil {
		return err
	}
	a.state.Store(&now)
	return nil
}

// seatOf loads an institution's signing key. One that has issued nothing yet gets
// its key here.
func (a *Agent) seatOf(ctx context.Context, i vault.Institution) (seat, error) {
	has, err := a.Home.HasSigner(i.ID)
	if err != nil {
		return seat{}, err
	}
	if !has {
		return a.newSeat(ctx, i)
	}
	signer, err := a.Home.Signer(i.ID)
	if err != nil {
		return seat{}, err
	}
	return seat{i, a.seal(signer)}, nil
}

// newSeat makes the signing key of an institution that has issued nothing.
func (a *Agent) newSeat(ctx context.Context, i vault.Institution) (seat, error) {
	issued, err := a.store.Counts(ctx, i.ID)
	if err != nil {
		return seat{}, err
	}
	if issued.Approved+issued.Revoked > 0 {
		return seat{}, a.Home.LostSigner(i.ID)
	}
	signer, err := a.Home.MakeSigner(a.Random, i.ID, i.Name, a.Now())
	if err != nil {
		return seat{}, err
	}
	return seat{i, a.seal(signer)}, nil
}

// InstitutionByID finds one of the home's institutions.
func (a *Agent) InstitutionByID(id uint32) (vault.Institution, bool) {
	one, ok := a.state.Load().seats[id]
	return one.institution, ok
}

// Institutions lists the home's institutions in order of their IDs.
func (a *Agent) Institutions(ctx context.Context) ([]client.Institution, error) {
	all, err := a.store.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]client.Institution, len(all))
	for n, i := range all {
		shown[n] = a.shapeInstitution(i)
	}
	return shown, nil
}

// AddInstitution makes an institution with a signing key of its own. The current
// one stays what it is.
func (a *Agent) AddInstitution(ctx context.Context, s client.Settings) (client.Institution, error) {
	if vault.Clean(s.Institution) == "" {
		return client.Institution{}, fault.New(fault.Invalid, "an institution needs a name")
	}
	if err := CheckSettings(s); err != nil {
		return client.Institution{}, err
	}
	a.configuring.Lock()
	defer a.configuring.Unlock()
	now := a.state.Load()
	for _, one := range now.seats {
		if strings.EqualFold(one.institution.Name, vault.Clean(s.Institution)) {
			return client.Institution{}, fault.Newf(fault.Conflict, "there is an institution %q already (%d)", one.institution.Name, one.institution.ID)
		}
	}
	made, err := a.store.AddInstitution(ctx, vault.Institution{
		Name: vault.Clean(s.Institution), TimeZone: cmp.Or(s.TimeZone, now.institution.TimeZone),
		Sender: s.Sender, CreatedAt: a.Now(),
	})
	if err != nil {
		return client.Institution{}, err
	}
	one, err := a.seatOf(ctx, made)
	if err != nil {
		return client.Institution{}, err
	}
	next := now.with(one)
	a.state.Store(&next)
	return a.shapeInstitution(made), nil
}

// UseInstitution makes an institution, named by ID or name, the one whose staff
// the agent serves.
func (a *Agent) UseInstitution(ctx context.Context, name string) (client.Institution, error) {
	a.configuring.Lock()
	defer a.configuring.Unlock()
	next := *a.state.Load()
	for id, one := range next.seats {
		if strconv.FormatUint(uint64(id), 10) != name && !strings.EqualFold(one.institution.Name, vault.Clean(name)) {
			continue
		}
		if err := a.store.UseInstitution(ctx, id); err != nil {
			return client.Institution{}, err
		}
		next.institution = one.institution
		a.state.Store(&next)
		a.feed.News()
		return a.shapeInstitution(one.institution), nil
	}
	return client.Institution{}, fault.Newf(fault.NotFound, "there is no institution %q; see: vecctl institution list", name)
}

func (a *Agent) shapeInstitution(i vault.Institution) client.Institution {
	return client.Institution{
		ID: i.ID, Name: i.Name, TimeZone: i.TimeZone, Sender: i.Sender, PartialNames: i.PartialNames, Logo: i.Logo != nil, Applying: shapeApplying(i.Applying()), CreatedAt: i.CreatedAt.UTC(),
		Current: i.ID == a.Institution().ID,
	}
}

// verified is the folder of an institution's outcomes; two of them may have
// batches of one name.
func (a *Agent) verified(institution uint32) string {
	if institution <= 1 {
		return a.Home.Verified()
	}
	return filepath.Join(a.Home.Verified(), fmt.Sprintf("institution-%d", institution))
}
