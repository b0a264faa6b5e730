package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// Webhooks is the page of webhook endpoints, the deliveries to one of them, and the attempts
// of one delivery.
type Webhooks struct {
	polling

	ui    *ui.Context
	vault Vault
	err   error

	hooks     webhookRows
	known     bool
	endpoints ui.Table
	endpoint  *adminclient.Webhook // whose deliveries are listed

	deliveries deliveryRows
	list       ui.Table
	state      string // of the listed deliveries; "" is any
	complete   bool   // the oldest ones are loaded
	one        *adminclient.WebhookDelivery
	details    ui.Viewport
}

// NewWebhooks returns the page.
func NewWebhooks(d *ui.Context, v Vault) *Webhooks {
	p := &Webhooks{ui: d, vault: v, details: ui.NewViewport(),
		endpoints: ui.NewTable(
			ui.Column{Title: "address", Min: 22, Max: 90}, ui.Column{Title: "state", Min: 8},
			ui.Column{Title: "last", Min: 8}, ui.Column{Title: "failures", Min: 8, Right: true, DropOrder: 1},
			ui.Column{Title: "events", Min: 12, Max: 120, DropOrder: 2}),
		list: ui.NewTable(
			ui.Column{Title: "time", Min: 8, Max: 19}, ui.Column{Title: "event", Min: 16, Max: 42},
			ui.Column{Title: "state", Min: 8}, ui.Column{Title: "attempts", Min: 8, Right: true, DropOrder: 1},
			ui.Column{Title: "last response", Min: 10, Max: 100, DropOrder: 2}),
	}
	p.endpoints.Single = true
	p.deliveries.ui = d
	return p
}

// Name implements ui.Page.
func (*Webhooks) Name() string { return "Webhooks" }

// Typing implements ui.Page.
func (*Webhooks) Typing() bool { return false }

// Keys implements ui.Page.
func (p *Webhooks) Keys() []key.Binding {
	k := p.ui.Keys
	switch {
	case p.one != nil:
		return append([]key.Binding{k.Back, k.Redeliver, k.Copy}, k.Navigation()...)
	case p.endpoint != nil:
		return append([]key.Binding{k.Enter, k.Redeliver, k.NextState, k.Mark, k.Range, k.Test, k.Copy, k.Export, k.Back}, k.Navigation()...)
	}
	return append([]key.Binding{k.Enter, k.Test, k.Copy, k.Export}, k.Navigation()...)
}

// Messages of this page.
type (
	webhooksLoadedMsg struct {
		hooks []adminclient.Webhook
		took  time.Duration
		err   error
	}
	deliveriesLoadedMsg struct {
		of, state string
		before    uint64
		found     []adminclient.WebhookDelivery
		took      time.Duration
		err       error
	}
	deliveryLoadedMsg struct {
		one adminclient.WebhookDelivery
		err error
	}
	webhookActionMsg struct{ result ui.ResultMsg }
)

// deliveriesPerRead is the number of deliveries per call.
const deliveriesPerRead = 100

// Update implements ui.Page.
func (p *Webhooks) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		p.visible = true
		return p.refresh(0)
	case ui.PageHiddenMsg:
		p.visible = false
	case ui.TickMsg:
		const usual = 2 * time.Second
		return p.refresh(usual)
	case webhooksLoadedMsg:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.hooks, p.known = msg.hooks, true
		}
	case deliveriesLoadedMsg:
		p.onLoaded(msg)
	case deliveryLoadedMsg:
		if p.one != nil && msg.err == nil && msg.one.ID == p.one.ID {
			p.one = &msg.one
		}
	case webhookActionMsg:
		p.list.ClearMarks()
		return tea.Batch(p.refresh(0), func() tea.Msg { return msg.result })
	case tea.MouseClickMsg:
		p.click(msg)
	case tea.MouseWheelMsg:
		p.details.Update(msg, p.ui.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Webhooks) click(msg tea.MouseClickMsg) {
	if p.endpoint == nil {
		p.endpoints.Click(msg.Y, p.hooks)
	} else if p.one == nil {
		p.list.Click(msg.Y-2, p.deliveries)
	}
}

// refresh reads the shown data again, but not too often.
func (p *Webhooks) refresh(pause time.Duration) tea.Cmd {
	if !p.due(p.ui.Now(), pause) {
		return nil
	}
	p.reading, p.asked = true, p.ui.Now()
	if p.endpoint != nil {
		return tea.Batch(p.read(0), p.readOne())
	}
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		hooks, err := p.vault.Webhooks(ctx)
		return webhooksLoadedMsg{hooks, p.ui.Now().Sub(begun), err}
	})
}

// read reads the deliveries before a number; 0 reads the latest.
func (p *Webhooks) read(before uint64) tea.Cmd {
	of, state := p.endpoint.ID, p.state
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		found, err := p.vault.Deliveries(ctx, adminclient.DeliveryFilter{Webhook: of, Status: state, Before: before, Limit: deliveriesPerRead})
		return deliveriesLoadedMsg{of, state, before, found, p.ui.Now().Sub(begun), err}
	})
}

func (p *Webhooks) readOne() tea.Cmd {
	if p.one == nil {
		return nil
	}
	id := p.one.ID
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		one, err := p.vault.Delivery(ctx, id)
		return deliveryLoadedMsg{one, err}
	})
}

// onLoaded adds loaded deliveries: new ones at the beginning, older ones at the end.
func (p *Webhooks) onLoaded(m deliveriesLoadedMsg) {
	p.reading, p.took = false, m.took
	if p.endpoint == nil || m.of != p.endpoint.ID || m.state != p.state {
		return
	}
	if p.err = m.err; m.err != nil {
		return
	}
	p.complete = p.complete || len(m.found) < deliveriesPerRead
	if m.before > 0 {
		p.deliveries.all = append(p.deliveries.all, m.found...)
		return
	}
	added := 0
	if len(p.deliveries.all) > 0 {
		for _, d := range m.found {
			if d.Number > p.deliveries.all[0].Number {
				added++
			}
		}
	}
	rest := p.deliveries.all
	for len(rest) > 0 && len(m.found) > 0 && rest[0].Number >= m.found[len(m.found)-1].Number {
		rest = rest[1:]
	}
	if len(m.found) < deliveriesPerRead {
		rest = nil
	}
	p.deliveries.all = slices.Concat(m.found, rest)
	if at := p.list.Cursor(); at > 0 {
		p.list.Select(at+added, len(p.deliveries.all))
	}
}

func (p *Webhooks) press(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case p.one != nil:
		return p.pressOne(msg)
	case p.endpoint != nil:
		return p.pressDelivery(msg)
	}
	k := p.ui.Keys
	if p.endpoints.Update(msg, k, p.hooks) || p.endpoints.Cursor() >= len(p.hooks) {
		return nil
	}
	w := p.hooks[p.endpoints.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.endpoint, p.deliveries.all, p.complete, p.state, p.reading = &w, nil, false, "", false
		p.list.Select(0, 0)
		return p.refresh(0)
	case key.Matches(msg, k.Test):
		return p.test(w)
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(w.URL), ui.ShowResult("Copied: "+w.URL))
	case key.Matches(msg, k.Export):
		return p.export("webhooks", []string{"id", "url", "active", "last_delivery_status", "consecutive_failures", "events"}, len(p.hooks), func(i int) []string {
			w := p.hooks[i]
			return []string{w.ID, w.URL, fmt.Sprint(w.IsActive), w.LastDeliveryStatus, fmt.Sprint(w.ConsecutiveFailures), strings.Join(w.Events, " ")}
		})
	}
	return nil
}

func (p *Webhooks) pressDelivery(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.list.Update(msg, k, p.deliveries) {
		if n := len(p.deliveries.all); !p.complete && !p.reading && n > 0 && p.list.Cursor() >= n-10 {
			p.reading = true
			return p.read(p.deliveries.all[n-1].Number)
		}
		return nil
	}
	switch {
	case key.Matches(msg, k.Back):
		if !p.list.ClearMarks() {
			p.endpoint, p.reading = nil, false
			return p.refresh(0)
		}
		return nil
	case key.Matches(msg, k.NextState):
		next := map[string]string{"": "pending", "pending": "success", "success": "failed"}
		p.state, p.deliveries.all, p.complete, p.reading = next[p.state], nil, false, false
		return p.refresh(0)
	case key.Matches(msg, k.Test):
		return p.test(*p.endpoint)
	case p.list.Cursor() >= len(p.deliveries.all):
		return nil
	}
	d := p.deliveries.all[p.list.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.one = &d
		p.details.Top()
		return p.readOne()
	case key.Matches(msg, k.Redeliver):
		if marked := p.list.Marked(); len(marked) > 0 {
			return p.redeliver(marked)
		}
		return p.redeliver([]string{d.ID})
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(d.ID), ui.ShowResult("Copied: "+d.ID))
	case key.Matches(msg, k.Export):
		all := p.deliveries.all
		return p.export("deliveries", []string{"id", "event", "uuid", "status", "created_at", "attempts"}, len(all), func(i int) []string {
			d := all[i]
			return []string{d.ID, d.Event, d.UUID, d.Status, d.CreatedAt.Format(time.RFC3339), fmt.Sprint(len(d.Attempts))}
		})
	}
	return nil
}

func (p *Webhooks) pressOne(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	switch {
	case p.details.Update(msg, k):
	case key.Matches(msg, k.Back):
		p.one = nil
	case key.Matches(msg, k.Redeliver):
		return p.redeliver([]string{p.one.ID})
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(p.one.ID), ui.ShowResult("Copied: "+p.one.ID))
	}
	return nil
}

// test sends a test event to an endpoint and shows the response.
func (p *Webhooks) test(w adminclient.Webhook) tea.Cmd {
	return p.ui.Do(func(ctx context.Context) tea.Msg {
		d, err := p.vault.TestWebhook(ctx, w.ID)
		said := ui.ResultMsg{Text: "Result of the test: " + d.Status + ".", Err: err}
		if n := len(d.Attempts); n > 0 {
			said.Text = fmt.Sprintf("Result of the test: %s: %s.", d.Status, attemptOutcome(d.Attempts[n-1]))
		}
		return webhookActionMsg{said}
	})
}

func (p *Webhooks) redeliver(ids []string) tea.Cmd {
	again := func([]string) tea.Cmd {
		return p.ui.Do(func(ctx context.Context) tea.Msg {
			n, err := p.vault.Redeliver(ctx, adminclient.Redelivery{Deliveries: ids})
			return webhookActionMsg{ui.ResultMsg{Text: ui.Plural(n, "delivery is", "deliveries are") + " sent again.", Err: err}}
		})
	}
	if len(ids) == 1 {
		return again(nil)
	}
	return ui.OpenDialog(ui.DialogMsg{Text: fmt.Sprintf("Send the %s again?", ui.Plural(len(ids), "marked delivery", "marked deliveries")), Do: again})
}

func (p *Webhooks) export(name string, heading []string, n int, cells func(int) []string) tea.Cmd {
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = cells(i)
	}
	return p.ui.ExportCSV(name, heading, "row was", "rows were",
		ui.EachRow(rows, func(cells []string) []string { return cells }))
}
