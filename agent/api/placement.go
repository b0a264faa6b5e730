package api

import (
	"context"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// readPlacement reads where the code of an uploaded document goes, and looks whether it has
// room there. It returns what is wrong with it.
func (a *API) readPlacement(user vault.Institution, f *form.Form) (vault.Placement, []fault.Field, error) {
	p, bad, err := form.ReadPlacement(f.Fields, f.NotText, "", a.Templates.For(user).Placement)
	if err != nil || len(bad) > 0 || f.Upload == nil {
		return p, bad, err
	}
	err = a.Uploads.Room(f.Upload, p)
	if bad = form.PlacementErrors("", err); bad != nil {
		err = nil
	}
	return p, bad, err
}

// readPlacements does the same for the entries of a bulk request, whose documents are
// stored already.
func (a *API) readPlacements(ctx context.Context, user vault.Institution, o *bulkRequest) error {
	defaults := form.DefaultPlacement(a.Templates.For(user).Placement).Cached()
	for i, e := range o.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.IsObject {
			continue
		}
		prefix := "entries." + e.Key + "."
		p, bad, err := form.ReadPlacement(e.Fields, e.NotText, prefix, defaults)
		if err != nil {
			return err
		}
		o.drafts[i].Placement = p
		if o.fieldErrors[i] = append(o.fieldErrors[i], bad...); len(o.fieldErrors[i]) > 0 {
			continue
		}
		err = a.Uploads.RoomOf(ctx, o.drafts[i].File, p)
		if bad = form.PlacementErrors(prefix, err); bad == nil && err != nil {
			return err
		}
		o.fieldErrors[i] = append(o.fieldErrors[i], bad...)
	}
	return nil
}
