package pages

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// TimelineLines lists the events of a certificate. Each start of processing is an attempt.
func TimelineLines(d *ui.Context, events []adminclient.CertificateEvent) []string {
	if len(events) == 0 {
		return nil
	}
	l := d.Theme
	lines := []string{"", l.Strong.Render("Events")}
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
		lines = append(lines, "  "+l.Fit(d.FormatTime(e.At), 19)+"  "+l.StateText(what, l.Fit(what, 10))+"  "+l.Dim.Render(note))
	}
	return lines
}

// ExportEvents exports the events of a certificate.
func ExportEvents(d *ui.Context, reference string, events []adminclient.CertificateEvent) tea.Cmd {
	return d.ExportCSV(reference, []string{"at", "event", "trigger_context"}, "event was", "events were",
		ui.EachRow(events, func(e adminclient.CertificateEvent) []string {
			return []string{e.At.Format("2006-01-02T15:04:05Z07:00"), e.Event, e.Trigger}
		}))
}
