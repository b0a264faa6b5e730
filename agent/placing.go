package agent

import (
	"context"
	"strconv"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	templates "github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// loadPlacement reads the settings that say where codes go.
func (a *Agent) loadPlacement(config home.Config) (vault.Placement, error) {
	var p vault.Placement
	var err error
	if p.At, err = a.setting(config, "qr.at"); err != nil {
		return p, err
	}
	for key, length := range map[string]*float64{"qr.size": &p.SizeMM, "qr.margin": &p.MarginMM} {
		text, err := a.setting(config, key)
		if err != nil {
			return p, err
		}
		*length, _ = strconv.ParseFloat(text, 64) // checked already; "" is 0, left open
	}
	return p, nil
}

// placement is where codes go that an upload does not say: what a template wants or,
// without a name, the settings.
func (a *Agent) placement(template string) (vault.Placement, error) {
	if template == "" {
		return a.standard, nil
	}
	if err := templates.CheckName(template); err != nil {
		return vault.Placement{}, err
	}
	a.listed.mu.Lock()
	defer a.listed.mu.Unlock()
	l := a.listed.have[template]
	if stamp := a.shelf().Stamp(template); l.stamp != stamp {
		l = a.look(template)
		l.stamp = stamp
		if a.listed.have == nil {
			a.listed.have = map[string]listing{}
		}
		a.listed.have[template] = l
	}
	if !l.sound {
		return vault.Placement{}, fault.Newf(fault.Invalid, "there is no template %q, or it has faults", template)
	}
	return l.placement, nil
}

// Room implements api.Intake.
func (d door) Room(one api.Incoming, p vault.Placement) error {
	received, err := d.received(one)
	if err != nil {
		return err
	}
	return d.Uploads.Room(received, p)
}

// roomFor refuses a correction whose document does not have the place that its code
// goes to.
func (a *Agent) roomFor(ctx context.Context, name string, m vault.Mend, file *intake.NewFile) error {
	if file == nil && m.Placement == nil {
		return nil
	}
	c, err := a.store.Certificate(ctx, a.Institution().ID, name)
	if err != nil {
		return err
	}
	at := c.Placement
	if m.Placement != nil {
		at = *m.Placement
	}
	if file != nil {
		return file.Room(at)
	}
	return a.uploads.RoomOf(c.File, at)
}
