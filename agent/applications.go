package agent

import (
	"io"

	"github.com/vecctl/vecctl/agent/applying"
	"github.com/vecctl/vecctl/pkg/vault"
)

// newDesk makes the desk at which applications are handed in and decided.
func (a *Agent) newDesk() *applying.Desk {
	return applying.New(applying.Desk{
		Book: a.store, Documents: a.uploads, Institution: a.seats.ByID, BaseURL: a.BaseURL, Now: a.Now, Random: a.Random,
		Open: func(sum string) (io.ReadCloser, error) { return a.blobs.Get(sum) },
		Print: func(template, person string, values map[string]string) (vault.File, vault.Placement, error) {
			t, err := a.presses()(template)
			if err != nil {
				return vault.File{}, vault.Placement{}, err
			}
			f, err := a.uploads.Print(t, person, values)
			return f, t.Placement(), err
		},
	})
}

// Window is where people hand applications in.
func (a *Agent) Window() *applying.Window {
	return &applying.Window{Desk: a.desk, Lists: a.store, Current: a.Institution, Accepting: a.Accepting, Mailed: a.post.Wake, Wake: a.wake, Log: a.Log}
}

// applications are those of the current institution, for its staff.
func (a *Agent) applications() *applying.Counter {
	return &applying.Counter{Desk: a.desk, Lists: a.store, Current: a.Institution, Accepting: a.Accepting, Shape: a.shape(), Wake: a.wake}
}
