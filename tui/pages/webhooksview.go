package pages

import (
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// applicationEventPrefix is the prefix of most event names. Columns show the names without it.
const applicationEventPrefix = "certificate_application."

type webhookRows []adminclient.Webhook

// Len implements ui.Rows.
func (r webhookRows) Len() int { return len(r) }

// Row implements ui.Rows.
func (r webhookRows) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(r) {
		return ui.Row{}, false
	}
	w := r[i]
	state := "active"
	switch {
	case w.SuspendedAt != nil:
		state = "paused"
	case !w.IsActive:
		state = "inactive"
	}
	return ui.Row{ID: w.ID, State: state, Cells: []string{
		ui.Sanitize(w.URL), state, w.LastDeliveryStatus, ui.FormatNumber(w.ConsecutiveFailures), ui.Sanitize(strings.ReplaceAll(strings.Join(w.Events, " "), applicationEventPrefix, ""))}}, true
}

type deliveryRows struct {
	all []adminclient.WebhookDelivery
	ui  *ui.Context
}

// Len implements ui.Rows.
func (r deliveryRows) Len() int { return len(r.all) }

// Row implements ui.Rows.
func (r deliveryRows) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(r.all) {
		return ui.Row{}, false
	}
	d := r.all[i]
	answer := ""
	if n := len(d.Attempts); n > 0 {
		answer = attemptOutcome(d.Attempts[n-1])
	}
	return ui.Row{ID: d.ID, State: d.Status, Cells: []string{
		r.ui.FormatTime(d.CreatedAt), ui.Sanitize(strings.TrimPrefix(d.Event, applicationEventPrefix)), d.Status, ui.FormatNumber(len(d.Attempts)), ui.Sanitize(answer)}}, true
}

func attemptOutcome(a adminclient.DeliveryAttempt) string {
	if a.Error != "" {
		return a.Error
	}
	return fmt.Sprintf("HTTP %d", a.Status)
}

// View implements ui.Page.
func (p *Webhooks) View(width, height int) string {
	l := p.ui.Theme
	switch {
	case p.one != nil:
		return p.details.View(l, p.detailLines(l, width), width, height)
	case p.endpoint != nil:
		return p.viewDeliveries(l, width, height)
	case p.err != nil && !p.known:
		return p.ui.ErrorView("The webhooks", p.err, width, height)
	case !p.known:
		return p.ui.LoadingView(width, height)
	case len(p.hooks) == 0:
		return l.Block(l.Wrap(l.Dim.Render("There are no webhooks. Create one with: vecctl webhook create URL --event EVENT"), width), width, height)
	}
	return p.endpoints.View(l, p.hooks, width, height)
}

func (p *Webhooks) viewDeliveries(l ui.Theme, width, height int) string {
	state := "any"
	if p.state != "" {
		state = l.StateText(p.state, p.state)
	}
	head := l.Truncate("Deliveries to "+l.Strong.Render(ui.Sanitize(p.endpoint.URL)), max(20, width-24)) + "   State: " + state
	body := ""
	switch {
	case p.err != nil && len(p.deliveries.all) == 0:
		body = p.ui.ErrorView("They", p.err, width, height-2)
	case len(p.deliveries.all) == 0 && p.reading:
		body = p.ui.LoadingView(width, height-2)
	case len(p.deliveries.all) == 0:
		body = l.Block([]string{l.Dim.Render("No delivery matches.")}, width, height-2)
	default:
		body = p.list.View(l, p.deliveries, width, height-2)
	}
	return l.Block([]string{head}, width, 2) + "\n" + body
}

// detailLines returns the details of a delivery and its attempts.
func (p *Webhooks) detailLines(l ui.Theme, width int) []string {
	d := p.one
	lines := []string{l.Strong.Render(ui.Sanitize(d.Event)) + "  " + l.StateText(d.Status, d.Status), ""}
	say := func(indent int, label, text string) {
		for _, line := range l.LabelLines(label, text, 11, width-indent) {
			lines = append(lines, strings.Repeat(" ", indent)+line)
		}
	}
	say(0, "delivery", d.ID)
	say(0, "certificate", d.UUID)
	say(0, "made", p.ui.FormatTime(d.CreatedAt))
	if d.NextAttemptAt != nil {
		say(0, "next try", p.ui.FormatTime(*d.NextAttemptAt))
	}
	for i, a := range d.Attempts {
		lines = append(lines, "", l.Strong.Render(fmt.Sprintf("Attempt %d", i+1))+"  "+p.ui.FormatTime(a.At)+fmt.Sprintf("  %d ms", a.DurationMS))
		say(2, "answer", attemptOutcome(a))
		say(2, "it said", a.Response)
	}
	if d.Body != "" {
		lines = append(lines, "", l.Strong.Render("Request body"))
		for _, part := range l.Wrap(ui.Sanitize(d.Body), width) {
			lines = append(lines, "  "+part)
		}
	}
	return lines
}
