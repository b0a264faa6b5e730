package office

import (
	"fmt"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/table"
)

// ours begins the names of most events; a narrow column is better without it.
const ours = "certificate_application."

type hookRows []staff.Webhook

// Len implements table.Rows.
func (r hookRows) Len() int { return len(r) }

// Row implements table.Rows.
func (r hookRows) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(r) {
		return table.Row{}, false
	}
	w := r[i]
	state := "active"
	switch {
	case w.SuspendedAt != nil:
		state = "paused"
	case !w.IsActive:
		state = "inactive"
	}
	return table.Row{ID: w.ID, State: state, Cells: []string{
		look.Clean(w.URL), state, w.LastDeliveryStatus, look.Number(w.ConsecutiveFailures), look.Clean(strings.ReplaceAll(strings.Join(w.Events, " "), ours, ""))}}, true
}

type deliveryRows struct {
	all   []staff.WebhookDelivery
	clock func(time.Time) string
}

// Len implements table.Rows.
func (r deliveryRows) Len() int { return len(r.all) }

// Row implements table.Rows.
func (r deliveryRows) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(r.all) {
		return table.Row{}, false
	}
	d := r.all[i]
	answer := ""
	if n := len(d.Attempts); n > 0 {
		answer = answerOf(d.Attempts[n-1])
	}
	return table.Row{ID: d.ID, State: d.Status, Cells: []string{
		r.clock(d.CreatedAt), look.Clean(strings.TrimPrefix(d.Event, ours)), d.Status, look.Number(len(d.Attempts)), look.Clean(answer)}}, true
}

func answerOf(a staff.DeliveryAttempt) string {
	if a.Error != "" {
		return a.Error
	}
	return fmt.Sprintf("HTTP %d", a.Status)
}

// View implements desk.Page.
func (p *Webhooks) View(width, height int) string {
	l := p.desk.Look
	switch {
	case p.one != nil:
		return p.details.View(l, p.tell(l, width), width, height)
	case p.inside != nil:
		return p.viewDeliveries(l, width, height)
	case p.err != nil && !p.known:
		return p.desk.Unread("The webhooks", p.err, width, height)
	case !p.known:
		return p.desk.Reading(width, height)
	case len(p.hooks) == 0:
		return l.Block(l.Wrap(l.Dim.Render("There is no webhook. One is made with: vecctl webhook create URL --event EVENT"), width), width, height)
	}
	return p.endpoints.View(l, p.hooks, width, height)
}

func (p *Webhooks) viewDeliveries(l look.Look, width, height int) string {
	state := "any"
	if p.state != "" {
		state = l.State(p.state, p.state)
	}
	head := l.Short("Deliveries to "+l.Strong.Render(look.Clean(p.inside.URL)), max(20, width-24)) + "   State: " + state
	body := ""
	switch {
	case p.err != nil && len(p.sent.all) == 0:
		body = p.desk.Unread("They", p.err, width, height-2)
	case len(p.sent.all) == 0 && p.reading:
		body = p.desk.Reading(width, height-2)
	case len(p.sent.all) == 0:
		body = l.Block([]string{l.Dim.Render("There is no such delivery.")}, width, height-2)
	default:
		body = p.list.View(l, p.sent, width, height-2)
	}
	return l.Block([]string{head}, width, 2) + "\n" + body
}

// tell writes down one delivery and its attempts.
func (p *Webhooks) tell(l look.Look, width int) []string {
	d := p.one
	lines := []string{l.Strong.Render(look.Clean(d.Event)) + "  " + l.State(d.Status, d.Status), ""}
	say := func(indent int, label, text string) {
		for _, line := range l.Entry(label, text, 11, width-indent) {
			lines = append(lines, strings.Repeat(" ", indent)+line)
		}
	}
	say(0, "delivery", d.ID)
	say(0, "certificate", d.UUID)
	say(0, "made", p.desk.Clock(d.CreatedAt))
	if d.NextAttemptAt != nil {
		say(0, "next try", p.desk.Clock(*d.NextAttemptAt))
	}
	for i, a := range d.Attempts {
		lines = append(lines, "", l.Strong.Render(fmt.Sprintf("Attempt %d", i+1))+"  "+p.desk.Clock(a.At)+fmt.Sprintf("  %d ms", a.DurationMS))
		say(2, "answer", answerOf(a))
		say(2, "it said", a.Response)
	}
	if d.Body != "" {
		lines = append(lines, "", l.Strong.Render("What was sent"))
		for _, part := range l.Wrap(look.Clean(d.Body), width) {
			lines = append(lines, "  "+part)
		}
	}
	return lines
}
