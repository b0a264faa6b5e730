package intake

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Claims finds who holds the uniqueness keys of drafts, and tells people apart who share
// an address. One Claims serves drafts that are kept together.
type Claims struct {
	Store       Store
	Institution uint32
	// Shared says that several people may have one address, title and issue date.
	Shared bool

	first map[vault.Key]vault.Content // who has each key, among the drafts
}

// Claims begins for drafts of an institution.
func (in *Intake) Claims(who vault.Institution) *Claims {
	return &Claims{Store: in.Store, Institution: who.ID, Shared: who.SharesAddresses(in.SharedAddresses)}
}

// Find returns the certificate that holds each draft's key, nil where none does. Where
// addresses may be shared, a draft for another person than the holder becomes one with
// a person in its key.
func (s *Claims) Find(ctx context.Context, drafts []*vault.Draft) ([]*vault.Certificate, error) {
	keys := make([]vault.Key, len(drafts))
	for i, d := range drafts {
		d.Person = ""
		keys[i] = d.Key()
	}
	holders, err := s.Store.KeyHolders(ctx, s.Institution, keys)
	if err != nil {
		return nil, fmt.Errorf("looking for issued certificates: %w", err)
	}
	if s.first == nil {
		s.first = make(map[vault.Key]vault.Content, len(drafts))
	}
	for i, d := range drafts {
		other, err := s.another(ctx, holders[i], d)
		if err != nil {
			return nil, err
		}
		if !other {
			continue
		}
		own, err := s.ownHolder(ctx, d.Content)
		if err != nil {
			return nil, err
		}
		switch {
		case own != nil:
			holders[i], d.Person = own, own.Person
		case s.Shared:
			holders[i], d.Person = nil, vault.PersonOf(d.Content)
		}
	}
	return holders, nil
}

// another reports whether the key of a draft is another person's: the holder's, or that
// of an earlier draft.
func (s *Claims) another(ctx context.Context, holder *vault.Certificate, d *vault.Draft) (bool, error) {
	if holder != nil {
		same, err := s.isFor(ctx, *holder, d.Content)
		return !same, err
	}
	if !s.Shared {
		return false, nil
	}
	if _, held := s.first[d.Key()]; !held {
		s.first[d.Key()] = d.Content
	}
	return !s.first[d.Key()].SamePerson(d.Content), nil
}

// isFor reports whether a certificate, or one that has replaced it, is for the recipient
// of a content.
func (s *Claims) isFor(ctx context.Context, c vault.Certificate, content vault.Content) (bool, error) {
	for !c.SamePerson(content) {
		if c.SupersededBy == "" {
			return false, nil
		}
		next, err := s.Store.Certificate(ctx, s.Institution, c.SupersededBy)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("looking for a successor: %w", err)
		}
		c = next
	}
	return true, nil
}

// ownHolder finds the certificate of a person whose address another one had first.
func (s *Claims) ownHolder(ctx context.Context, content vault.Content) (*vault.Certificate, error) {
	holders, err := s.Store.KeyHolders(ctx, s.Institution, content.PersonKeys())
	if err != nil {
		return nil, fmt.Errorf("looking for issued certificates: %w", err)
	}
	for _, h := range holders {
		if h == nil {
			continue
		}
		if same, err := s.isFor(ctx, *h, content); err != nil || same {
			return h, err
		}
	}
	return nil, nil //nolint:nilnil // absence is no error here and has no value
}

// Claim reports which drafts of a request have a key that is held. Where addresses may be
// shared, it tells the recipients of the others apart.
func (u *Uploads) Claim(ctx context.Context, who vault.Institution, drafts []vault.Draft) ([]bool, error) {
	all := make([]*vault.Draft, len(drafts))
	for i := range drafts {
		all[i] = &drafts[i]
	}
	holders, err := u.Claims(who).Find(ctx, all)
	held := make([]bool, len(holders))
	for i, h := range holders {
		held[i] = h != nil
	}
	return held, err
}

// retryForOthers inserts those rows of a group again whose key was taken meanwhile by
// another person of the same address.
func (in *Intake) retryForOthers(ctx context.Context, who vault.Institution, group []*RowResult, results []store.InsertResult) error {
	claims := in.Claims(who)
	if !claims.Shared {
		return nil
	}
	var again []*RowResult
	var places []int
	for i, r := range results {
		if !r.Duplicate || group[i].Draft.Person != "" {
			continue
		}
		holders, err := claims.Find(ctx, []*vault.Draft{&group[i].Draft})
		if err != nil {
			return err
		}
		if holders[0] == nil && group[i].Draft.Person != "" {
			again, places = append(again, group[i]), append(places, i)
		}
	}
	if len(again) == 0 {
		return nil
	}
	rows, err := in.newCertificates(who, again)
	if err != nil {
		return err
	}
	repeated, err := in.Store.Insert(ctx, rows)
	for i, r := range repeated {
		results[places[i]] = r
	}
	return err
}
