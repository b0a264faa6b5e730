package roster

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
)

// Happened lists what happened to a certificate; every beginning of processing is an
// attempt.
func Happened(d *desk.Desk, events []staff.CertificateEvent) []string {
	if len(events) == 0 {
		return nil
	}
	l := d.Look
	lines := []string{"", l.Strong.Render("What happened")}
	attempt := 0
	for _, e := range events {
		_, what, _ := strings.Cut(e.Event, ".")
		note := e.Trigger
		switch StateAfter(e) {
		case vault.Processing:
			attempt++
		case vault.Approved, vault.Failed:
			note = fmt.Sprintf("attempt %d", attempt)
		}
		lines = append(lines, "  "+l.Fit(d.Clock(e.At), 19)+"  "+l.State(what, l.Fit(what, 10))+"  "+l.Dim.Render(note))
	}
	return lines
}

// SaveEvents exports what happened to a certificate.
func SaveEvents(d *desk.Desk, reference string, events []staff.CertificateEvent) tea.Cmd {
	return d.Save(reference, []string{"at", "event", "trigger_context"}, "event was", "events were",
		desk.Each(events, func(e staff.CertificateEvent) []string {
			return []string{e.At.Format("2006-01-02T15:04:05Z07:00"), e.Event, e.Trigger}
		}))
}
