package office

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/scroll"
	"github.com/vecctl/vecctl/tui/table"
)

// WebhookVault is what is asked of the vault about webhooks.
type WebhookVault interface {
	Webhooks(ctx context.Context) ([]staff.Webhook, error)
	Deliveries(ctx context.Context, f staff.DeliveryFilter) ([]staff.WebhookDelivery, error)
	Delivery(ctx context.Context, id string) (staff.WebhookDelivery, error)
	TestWebhook(ctx context.Context, id string) (staff.WebhookDelivery, error)
	Redeliver(ctx context.Context, r staff.Redelivery) (int, error)
}

// Webhooks is the page of the endpoints that are told of events: the endpoints,
// the deliveries to one, and the attempts of one.
type Webhooks struct {
	desk    *desk.Desk
	vault   WebhookVault
	visible bool
	reading bool
	asked   time.Time
	took    time.Duration
	err     error

	hooks     hookRows
	known     bool
	endpoints table.Table
	inside    *staff.Webhook // whose deliveries are listed

	sent    deliveryRows
	list    table.Table
	state   string // of the deliveries that are listed; "" is any
	whole   bool   // there are no older ones
	one     *staff.WebhookDelivery
	details scroll.Scroll
}

// NewWebhooks makes the page.
func NewWebhooks(d *desk.Desk, v WebhookVault) *Webhooks {
	p := &Webhooks{desk: d, vault: v, details: scroll.New(),
		endpoints: table.New(
			table.Column{Title: "address", Min: 22, Max: 90}, table.Column{Title: "state", Min: 8},
			table.Column{Title: "last", Min: 8}, table.Column{Title: "failures", Min: 8, Right: true, Keep: 1},
			table.Column{Title: "events", Min: 12, Max: 120, Keep: 2}),
		list: table.New(
			table.Column{Title: "time", Min: 8, Max: 19}, table.Column{Title: "event", Min: 16, Max: 42},
			table.Column{Title: "state", Min: 8}, table.Column{Title: "attempts", Min: 8, Right: true, Keep: 1},
			table.Column{Title: "last answer", Min: 10, Max: 100, Keep: 2}),
	}
	p.endpoints.Single = true
	p.sent.clock = d.Clock
	return p
}

// Name implements desk.Page.
func (*Webhooks) Name() string { return "Webhooks" }

// Typing implements desk.Page.
func (*Webhooks) Typing() bool { return false }

// Keys implements desk.Page.
func (p *Webhooks) Keys() []key.Binding {
	k := p.desk.Keys
	switch {
	case p.one != nil:
		return append([]key.Binding{k.Back, k.Redeliver, k.Copy}, k.Moves()...)
	case p.inside != nil:
		return append([]key.Binding{k.Enter, k.Redeliver, k.States, k.Mark, k.Range, k.Test, k.Copy, k.Export, k.Back}, k.Moves()...)
	}
	return append([]key.Binding{k.Enter, k.Test, k.Copy, k.Export}, k.Moves()...)
}

// Messages of this page.
type (
	hooksRead struct {
		hooks []staff.Webhook
		took  time.Duration
		err   error
	}
	deliveriesRead struct {
		of, state string
		before    uint64
		found     []staff.WebhookDelivery
		took      time.Duration
		err       error
	}
	deliveryRead struct {
		one staff.WebhookDelivery
		err error
	}
	hookActed struct{ said desk.Said }
)

// deliveriesAtOnce is how many deliveries are read at a time.
const deliveriesAtOnce = 100

// Update implements desk.Page.
func (p *Webhooks) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Shown:
		p.visible = true
		return p.refresh(0)
	case desk.Hidden:
		p.visible = false
	case desk.Tick:
		const usual = 2 * time.Second
		return p.refresh(usual)
	case hooksRead:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.hooks, p.known = msg.hooks, true
		}
	case deliveriesRead:
		p.take(msg)
	case deliveryRead:
		if p.one != nil && msg.err == nil && msg.one.ID == p.one.ID {
			p.one = &msg.one
		}
	case hookActed:
		p.list.Clear()
		return tea.Batch(p.refresh(0), func() tea.Msg { return msg.said })
	case tea.MouseClickMsg:
		p.click(msg)
	case tea.MouseWheelMsg:
		p.details.Update(msg, p.desk.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Webhooks) click(msg tea.MouseClickMsg) {
	if p.inside == nil {
		p.endpoints.Click(msg.Y, p.hooks)
	} else if p.one == nil {
		p.list.Click(msg.Y-2, p.sent)
	}
}

// refresh reads what is shown, unless that was done just now.
func (p *Webhooks) refresh(pause time.Duration) tea.Cmd {
	const share = 10
	if !p.visible || p.reading || pause > 0 && p.desk.Now().Sub(p.asked) < max(pause, share*p.took) {
		return nil
	}
	p.reading, p.asked = true, p.desk.Now()
	if p.inside != nil {
		return tea.Batch(p.read(0), p.readOne())
	}
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := p.desk.Now()
		hooks, err := p.vault.Webhooks(ctx)
		return hooksRead{hooks, p.desk.Now().Sub(begun), err}
	})
}

// read reads the deliveries before a number, 0 the latest.
func (p *Webhooks) read(before uint64) tea.Cmd {
	of, state := p.inside.ID, p.state
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := p.desk.Now()
		found, err := p.vault.Deliveries(ctx, staff.DeliveryFilter{Webhook: of, Status: state, Before: before, Limit: deliveriesAtOnce})
		return deliveriesRead{of, state, before, found, p.desk.Now().Sub(begun), err}
	})
}

func (p *Webhooks) readOne() tea.Cmd {
	if p.one == nil {
		return nil
	}
	id := p.one.ID
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		one, err := p.vault.Delivery(ctx, id)
		return deliveryRead{one, err}
	})
}

// take puts deliveries in their place: new ones before those that are held, or older
// ones behind them.
func (p *Webhooks) take(m deliveriesRead) {
	p.reading, p.took = false, m.took
	if p.inside == nil || m.of != p.inside.ID || m.state != p.state {
		return
	}
	if p.err = m.err; m.err != nil {
		return
	}
	p.whole = p.whole || len(m.found) < deliveriesAtOnce
	if m.before > 0 {
		p.sent.all = append(p.sent.all, m.found...)
		return
	}
	added := 0
	if len(p.sent.all) > 0 {
		for _, d := range m.found {
			if d.Number > p.sent.all[0].Number {
				added++
			}
		}
	}
	rest := p.sent.all
	for len(rest) > 0 && len(m.found) > 0 && rest[0].Number >= m.found[len(m.found)-1].Number {
		rest = rest[1:]
	}
	if len(m.found) < deliveriesAtOnce {
		rest = nil
	}
	p.sent.all = slices.Concat(m.found, rest)
	if at := p.list.Cursor(); at > 0 {
		p.list.Select(at+added, len(p.sent.all))
	}
}

func (p *Webhooks) press(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case p.one != nil:
		return p.pressOne(msg)
	case p.inside != nil:
		return p.pressDelivery(msg)
	}
	k := p.desk.Keys
	if p.endpoints.Update(msg, k, p.hooks) || p.endpoints.Cursor() >= len(p.hooks) {
		return nil
	}
	w := p.hooks[p.endpoints.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.inside, p.sent.all, p.whole, p.state, p.reading = &w, nil, false, "", false
		p.list.Select(0, 0)
		return p.refresh(0)
	case key.Matches(msg, k.Test):
		return p.test(w)
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(w.URL), desk.Say("Copied: "+w.URL))
	case key.Matches(msg, k.Export):
		return p.export("webhooks", []string{"id", "url", "active", "last_delivery_status", "consecutive_failures", "events"}, len(p.hooks), func(i int) []string {
			w := p.hooks[i]
			return []string{w.ID, w.URL, fmt.Sprint(w.IsActive), w.LastDeliveryStatus, fmt.Sprint(w.ConsecutiveFailures), strings.Join(w.Events, " ")}
		})
	}
	return nil
}

func (p *Webhooks) pressDelivery(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.list.Update(msg, k, p.sent) {
		if n := len(p.sent.all); !p.whole && !p.reading && n > 0 && p.list.Cursor() >= n-10 {
			p.reading = true
			return p.read(p.sent.all[n-1].Number)
		}
		return nil
	}
	switch {
	case key.Matches(msg, k.Back):
		if !p.list.Clear() {
			p.inside, p.reading = nil, false
			return p.refresh(0)
		}
		return nil
	case key.Matches(msg, k.States):
		next := map[string]string{"": "pending", "pending": "success", "success": "failed"}
		p.state, p.sent.all, p.whole, p.reading = next[p.state], nil, false, false
		return p.refresh(0)
	case key.Matches(msg, k.Test):
		return p.test(*p.inside)
	case p.list.Cursor() >= len(p.sent.all):
		return nil
	}
	d := p.sent.all[p.list.Cursor()]
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
		return tea.Batch(tea.SetClipboard(d.ID), desk.Say("Copied: "+d.ID))
	case key.Matches(msg, k.Export):
		all := p.sent.all
		return p.export("deliveries", []string{"id", "event", "uuid", "status", "created_at", "attempts"}, len(all), func(i int) []string {
			d := all[i]
			return []string{d.ID, d.Event, d.UUID, d.Status, d.CreatedAt.Format(time.RFC3339), fmt.Sprint(len(d.Attempts))}
		})
	}
	return nil
}

func (p *Webhooks) pressOne(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	switch {
	case p.details.Update(msg, k):
	case key.Matches(msg, k.Back):
		p.one = nil
	case key.Matches(msg, k.Redeliver):
		return p.redeliver([]string{p.one.ID})
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(p.one.ID), desk.Say("Copied: "+p.one.ID))
	}
	return nil
}

// test sends an endpoint a test and says what it answered.
func (p *Webhooks) test(w staff.Webhook) tea.Cmd {
	return p.desk.Act(func(ctx context.Context) tea.Msg {
		d, err := p.vault.TestWebhook(ctx, w.ID)
		said := desk.Said{Text: "The test is " + d.Status + ".", Err: err}
		if n := len(d.Attempts); n > 0 {
			said.Text = fmt.Sprintf("The test is %s: %s.", d.Status, answerOf(d.Attempts[n-1]))
		}
		return hookActed{said}
	})
}

func (p *Webhooks) redeliver(ids []string) tea.Cmd {
	again := func([]string) tea.Cmd {
		return p.desk.Act(func(ctx context.Context) tea.Msg {
			n, err := p.vault.Redeliver(ctx, staff.Redelivery{Deliveries: ids})
			return hookActed{desk.Said{Text: look.Count(n, "delivery is", "deliveries are") + " sent again.", Err: err}}
		})
	}
	if len(ids) == 1 {
		return again(nil)
	}
	return desk.Ask(desk.Question{Text: fmt.Sprintf("Send the %s that are marked again?", look.Count(len(ids), "delivery", "deliveries")), Do: again})
}

func (p *Webhooks) export(name string, heading []string, n int, cells func(int) []string) tea.Cmd {
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = cells(i)
	}
	return p.desk.Save(name, heading, "row was", "rows were",
		desk.Each(rows, func(cells []string) []string { return cells }))
}
