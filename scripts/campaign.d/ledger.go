//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/client"
)

// way is how a certificate is asked for.
type way string

const (
	byUpload  way = "upload"
	byBulkAPI way = "bulk call"
	byCommand way = "bulk command"
	byDrop    way = "drop folder"
)

// order is a certificate that was asked for.
type order struct {
	number int
	way    way
	key    string // of the call
	acked  bool   // the vault said that it has it
	maybe  bool   // nobody was told what became of it
	uuid   string // where the answer had it
	gone   bool   // it never came to the vault: nothing is owed
	seen   bool   // it was found whole once; its document is looked at again by chance only
}

func (o *order) email() string { return fmt.Sprintf("p%07d@example.org", o.number) }

func (o *order) content() client.Content {
	return client.Content{Title: "Certificate of Achievement", Name: fmt.Sprintf("Person %d", o.number), Email: o.email(), IssueDate: "2026-06-01"}
}

// body is the document, which is the same whenever it is made.
func (o *order) body() []byte { return document(o.number) }

func (o *order) upload() client.NewCertificate {
	return client.NewCertificate{Content: o.content(), File: o.document(), Key: o.key}
}

func (o *order) document() client.Document {
	body := o.body()
	return client.Document{Name: fmt.Sprintf("c%07d.pdf", o.number), Size: int64(len(body)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
}

// ledger is what was asked of a vault, and what it answered.
type ledger struct {
	mu     sync.Mutex
	orders map[string]*order // by address
	next   int
}

func newLedger() *ledger { return &ledger{orders: map[string]*order{}} }

// open notes orders before they are sent: from now on their outcome is unknown.
func (l *ledger) open(w way, n int) []*order {
	l.mu.Lock()
	defer l.mu.Unlock()
	made := make([]*order, n)
	for i := range made {
		l.next++
		o := &order{number: l.next, way: w, maybe: true, key: fmt.Sprintf("key-%d", l.next)}
		made[i], l.orders[o.email()] = o, o
	}
	return made
}

// ack notes that the vault has orders.
func (l *ledger) ack(orders ...*order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range orders {
		o.acked, o.maybe = true, false
	}
}

// named notes the vault's name of an order, and that it has it.
func (l *ledger) named(o *order, uuid string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.acked, o.maybe, o.uuid = true, false, uuid
}

// drop notes that orders never reached the vault.
func (l *ledger) drop(orders ...*order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range orders {
		o.maybe, o.gone = false, true
	}
}

// list copies the orders, in their sequence.
func (l *ledger) list() []*order {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Values(l.orders), func(a, b *order) int { return a.number - b.number })
}

// totals counts what was acknowledged and what is open.
func (l *ledger) totals() (acked, open int) {
	for _, o := range l.list() {
		switch {
		case o.acked:
			acked++
		case o.maybe:
			open++
		}
	}
	return acked, open
}

// document is a small one-page PDF that says a number.
func document(number int) []byte {
	text := fmt.Sprintf("BT /F1 24 Tf 72 720 Td (Person %d) Tj ET", number)
	padding := strings.Repeat(fmt.Sprintf("%% %07d\n", number), 100+number%7*300) // of different lengths
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(padding), padding),
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}
