package office

import (
	"context"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/ledger"
)

// Latest lists each domain's latest certification, whatever became of it, by the
// names of the domains.
func (o *Office) Latest(ctx context.Context) (all []authority.Certification, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error {
		domains, err := r.Domains()
		if err != nil {
			return err
		}
		for _, d := range domains {
			c, ok, err := r.Latest(d.Name)
			if err != nil {
				return err
			}
			if ok {
				all = append(all, c)
			}
		}
		return nil
	})
	return all, err
}
