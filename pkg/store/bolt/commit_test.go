package bolt_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestARefusedWriteDoesNotHarmItsNeighbours lets writes come together of which
// half are refused, before and within transitions.
func TestARefusedWriteDoesNotHarmItsNeighbours(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	all := populate(t, s)
	oops := errors.New("not today")
	const n = 64
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			r := row(t, 100+i)
			switch i % 4 {
			case 0, 1:
				if _, err := s.Insert(t.Context(), []store.NewCertificate{r}); err != nil {
					t.Errorf("row %d: %v", i, err)
				}
			case 2:
				r.Certificate.Identity = all[0].Identity
				if _, err := s.Insert(t.Context(), []store.NewCertificate{row(t, 1000+i), r}); !fault.Is(err, fault.Conflict) {
					t.Errorf("row %d: %v", i, err)
				}
			case 3:
				_, err := s.Change(t.Context(), 1, all[1].UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
					return c, vault.Effects{}, oops
				})
				if !errors.Is(err, oops) {
					t.Errorf("row %d: %v", i, err)
				}
			}
		})
	}
	done.Wait()
	if c, err := s.Counts(t.Context(), 1); err != nil || c != (vault.Counts{Processing: 4 + n/2, Approved: 1}) {
		t.Errorf("counts %+v, %v", c, err)
	}
}

func TestAPanicOfATransitionIsAnError(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "vault.db"))
	c := populate(t, s)[1]
	_, err := s.Change(t.Context(), 1, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c, vault.Effects{}, errors.New(c.Failure.Reason) // there is none
	})
	if err == nil {
		t.Error("no error")
	}
	if got, err := s.Change(t.Context(), 1, c.UUID, approve); err != nil || got.Status != vault.Approved {
		t.Errorf("afterwards: %s, %v", got.Status, err)
	}
}
