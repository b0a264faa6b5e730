package api

import (
	"context"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/api/placing"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// place reads where the code of an uploaded document goes, and looks whether it has
// room there. It returns what is wrong with it.
func (a *API) place(f *form.Form) (vault.Placement, []fault.Field, error) {
	p, bad, err := placing.Read(f.Fields, f.Wrong, "", a.Placement)
	if err != nil || len(bad) > 0 || f.Document == nil {
		return p, bad, err
	}
	err = a.Intake.Room(f.Document, p)
	if bad = placing.OffPage("", err); bad != nil {
		err = nil
	}
	return p, bad, err
}

// placeAll does the same for the entries of a bulk request, whose documents are
// stored already.
func (a *API) placeAll(ctx context.Context, o *order) error {
	of := placing.Standards(a.Placement).Remembered()
	for i, e := range o.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.Object {
			continue
		}
		prefix := "entries." + e.Key + "."
		p, bad, err := placing.Read(e.Fields, e.Wrong, prefix, of)
		if err != nil {
			return err
		}
		o.drafts[i].Placement = p
		if o.bad[i] = append(o.bad[i], bad...); len(o.bad[i]) > 0 {
			continue
		}
		err = a.Intake.RoomOf(o.drafts[i].File, p)
		if bad = placing.OffPage(prefix, err); bad == nil && err != nil {
			return err
		}
		o.bad[i] = append(o.bad[i], bad...)
	}
	return nil
}
