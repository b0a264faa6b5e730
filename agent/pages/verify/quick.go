package verify

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Nearly all pages are of genuine certificates and differ in a few texts only. Such
// a page is drawn once with marks in the places of these texts, and cut there; and
// what was read of a certificate is remembered until it changes. So a page costs
// no more than copying it.

// known is what such a page shows of a certificate.
type known struct {
	version     uint64
	institution uint32
	title, name string
	reference   string
	day         vault.Date
	sum         string
}

// quick remembers certificates and cut pages.
type quick struct {
	mu         sync.RWMutex
	young, old map[string]known // by reference ID; the old ones are forgotten first
	cut        map[frame.Sort]*cutPage
}

const (
	mostYoung = 1 << 16 // certificates, at about 300 bytes each, and as many old ones
	mostCut   = 64
)

func newQuick() *quick {
	return &quick{young: map[string]known{}, cut: map[frame.Sort]*cutPage{}}
}

// knownOf is what is kept of a finding; ok is false for the rarer kinds of page.
func knownOf(f finding, version uint64) (k known, ok bool) {
	c := f.certificate
	if f.standing != vault.ValidityGenuine || f.predecessor != "" || c.Verified == nil {
		return k, false
	}
	return known{version, c.Institution, c.Title, c.Name, c.Reference, c.IssueDate, c.Verified.SHA256}, true
}

func (q *quick) remember(k known) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.young) >= mostYoung {
		q.old, q.young = q.young, make(map[string]known, mostYoung)
	}
	q.young[k.reference] = k
}

// find is what is known of a certificate.
func (q *quick) find(reference string) (known, bool) {
	q.mu.RLock()
	k, ok := q.young[reference]
	if !ok {
		k, ok = q.old[reference]
	}
	q.mu.RUnlock()
	return k, ok
}

// page is the cut page for a sort of view; nil when it is to be made yet.
func (q *quick) page(s frame.Sort) *cutPage {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.cut[s]
}

func (q *quick) keepPage(s frame.Sort, p *cutPage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.cut) >= mostCut {
		clear(q.cut)
	}
	q.cut[s] = p
}

// The texts in which such pages differ.
const (
	titleSlot = iota
	nameSlot
	daySlot
	dateSlot
	referenceSlot
	urlSlot
	sumSlot
	slots
)

// slotMark begins the mark of a text's place. It is of no script, and a page with it
// in a text that stays is not cut.
const slotMark = '\ue5a0'

func slot(n int) string { return string(slotMark) + string(rune('a'+n)) }

// cutPage is a page cut at the places of its texts.
type cutPage struct {
	parts [][]byte
	slots []int // the text behind each part but the last
}

// cutOf draws a page with marks and cuts it. It is nil when the page cannot be cut.
func (p *Pages) cutOf(v frame.View) (*cutPage, error) {
	if strings.ContainsRune(v.Institution.Name, slotMark) {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	verdict := v.T("verdict." + string(vault.ValidityGenuine))
	c := p.content(v, finding{standing: vault.ValidityGenuine, institution: v.Institution}, verdict, "")
	c.Title, c.Name, c.Day, c.Date = slot(titleSlot), slot(nameSlot), slot(daySlot), slot(dateSlot)
	c.Reference, c.URL, c.SHA256, c.Same = slot(referenceSlot), slot(urlSlot), slot(sumSlot), v.T("check.same")
	var out bytes.Buffer
	if err := p.Frame.Draw(&out, frame.Page{View: v, Title: verdict}, p.verdict, c); err != nil {
		return nil, err
	}
	page, seen := &cutPage{}, map[int]bool{}
	mark := []byte(string(slotMark))
	for rest := out.Bytes(); ; {
		before, after, found := bytes.Cut(rest, mark)
		page.parts = append(page.parts, before)
		if !found {
			break
		}
		n := int(after[0] - 'a')
		page.slots, rest = append(page.slots, n), after[1:]
		seen[n] = true
	}
	if len(seen) != slots {
		return nil, fmt.Errorf("of %d texts of the verification page %d have a place", slots, len(seen))
	}
	return page, nil
}

// buffers keep their room from one page to the next.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// serveKnown answers with the page of a certificate that is known and unchanged;
// false when it is not.
func (p *Pages) serveKnown(w http.ResponseWriter, r *http.Request, reference string) bool {
	k, ok := p.quick.find(strings.ToUpper(reference))
	if !ok || p.Vault.Version(k.reference) != k.version {
		return false
	}
	who, ok := p.Institution(k.institution)
	if !ok {
		return false
	}
	return p.send(w, r, k, who)
}

// send answers with the page of a certificate that is known; false when its page
// cannot be cut.
func (p *Pages) send(w http.ResponseWriter, r *http.Request, k known, who vault.Institution) bool {
	v := p.Frame.View(r, who)
	sort := v.Sort()
	page := p.quick.page(sort)
	if page == nil {
		var err error
		if page, err = p.cutOf(v); err != nil || page == nil {
			if err != nil {
				p.Log.Error("the verification page cannot be cut", "error", err)
			}
			return false
		}
		p.quick.keepPage(sort, page)
	}
	out, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	page.fill(out, p.textsOf(v, k))
	frame.Send(w, http.StatusOK, out.Bytes())
	return true
}

// textsOf are the texts of a page, by slot.
func (p *Pages) textsOf(v frame.View, k known) [slots]string {
	f := finding{institution: v.Institution, certificate: vault.Certificate{Name: k.name}}
	texts := [slots]string{
		titleSlot: k.title, nameSlot: f.shownName(), daySlot: string(k.day), dateSlot: v.Day(k.day),
		referenceSlot: k.reference, urlSlot: p.VerifyURL(k.reference), sumSlot: k.sum,
	}
	return texts
}

// fill writes a page. The places are in texts and in quoted attributes, for which
// one way of escaping does.
func (c *cutPage) fill(out *bytes.Buffer, texts [slots]string) {
	for i, part := range c.parts {
		out.Write(part)
		if i < len(c.slots) {
			template.HTMLEscape(out, []byte(texts[c.slots[i]]))
		}
	}
}
