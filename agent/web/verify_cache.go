package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Nearly all pages are of genuine certificates and differ in a few texts only. Such
// a page is rendered once with markers in the places of these texts, and split there; and
// what was read of a certificate is remembered until it changes. So a page costs
// no more than copying it.

// cachedCertificate is what such a page shows of a certificate.
type cachedCertificate struct {
	version     uint64
	institution uint32
	content     vault.Content // the public fields
	shape       pageShape
	reference   string
	sha256      string
	log         *vault.LogPlace // without its salt
	level       vault.SealLevel
}

// pageShape says, by bits, which public fields a page shows: pages that show others are
// split elsewhere.
type pageShape uint32

func shapeOf(c vault.Content) (s pageShape) {
	for _, f := range vault.Fields() {
		if isShown(f, c) {
			s |= 1 << f.ID
		}
	}
	return s
}

// loggedShape is the bit of pages that show a place in a log.
const loggedShape pageShape = 1 << vault.FieldCount

func (s pageShape) has(f vault.FieldID) bool { return s&(1<<f) != 0 }

// pageKey is what all pages have in common that are split at the same places.
type pageKey struct {
	layout.CacheKey
	shape pageShape
	level vault.SealLevel
}

// verifyCache keeps certificates and split pages.
type verifyCache struct {
	mu            sync.RWMutex
	recent, older map[string]cachedCertificate // by reference ID; the old ones are forgotten first
	pages         map[pageKey]*splitPage
}

const (
	maxRecent     = 1 << 16 // certificates, at about 300 bytes each, and as many old ones
	maxSplitPages = 64
)

func newVerifyCache() *verifyCache {
	return &verifyCache{recent: map[string]cachedCertificate{}, pages: map[pageKey]*splitPage{}}
}

// cacheable is what is kept of a result; ok is false for the rarer kinds of page.
func cacheable(f verifyResult, version uint64) (k cachedCertificate, ok bool) {
	c := f.certificate
	if f.validity != vault.ValidityGenuine || f.predecessor != "" || c.Verified == nil {
		return k, false
	}
	shown := c.PublicOnly()
	k = cachedCertificate{version: version, institution: c.Institution, content: shown, shape: shapeOf(shown), reference: c.Reference, sha256: c.Verified.SHA256, level: c.Verified.Level}
	if c.Log != nil {
		k.shape |= loggedShape
		k.log = &vault.LogPlace{Log: c.Log.Log, Index: c.Log.Index}
	}
	return k, true
}

func (q *verifyCache) add(k cachedCertificate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.recent) >= maxRecent {
		q.older, q.recent = q.recent, make(map[string]cachedCertificate, maxRecent)
	}
	q.recent[k.reference] = k
}

// find is what is known of a certificate.
func (q *verifyCache) find(reference string) (cachedCertificate, bool) {
	q.mu.RLock()
	k, ok := q.recent[reference]
	if !ok {
		k, ok = q.older[reference]
	}
	q.mu.RUnlock()
	return k, ok
}

// page is the split page for a kind of page context; nil when it is to be made yet.
func (q *verifyCache) page(s pageKey) *splitPage {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.pages[s]
}

func (q *verifyCache) addPage(s pageKey, p *splitPage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pages) >= maxSplitPages {
		clear(q.pages)
	}
	q.pages[s] = p
}

// The texts in which such pages differ: two of each field, of which a date needs both,
// and six others.
const (
	referenceSlot = 2*vault.FieldCount + iota
	urlSlot
	sumSlot
	nowSlot
	logSlot
	logLinkSlot
	slotCount
)

// fieldSlots returns the slots of a field: its text, and as programs read it.
func fieldSlots(f vault.FieldID) (text, day int) { return 2 * int(f), 2*int(f) + 1 }

// slotMarker begins the mark of a text's place. It is of no script, and a page with it
// in a text that stays is not split.
const slotMarker = '\ue5a0'

func slotPlaceholder(n int) string { return string(slotMarker) + string(rune('a'+n)) }

// splitPage is a page split at the places of its texts.
type splitPage struct {
	parts [][]byte
	slots []int // the text behind each part but the last
}

// splitTemplate renders a page of a shape with markers and splits it. It is nil when the
// page cannot be split.
func (p *verifyPages) splitTemplate(v layout.PageContext, shape pageShape, level vault.SealLevel) (*splitPage, error) {
	if strings.ContainsRune(v.Institution.Name, slotMarker) {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	verdict := v.T("verdict." + string(vault.ValidityGenuine))
	c := p.data(v, verifyResult{validity: vault.ValidityGenuine, institution: v.Institution}, verdict, "")
	c.Facts = nil
	slots := 4
	for _, f := range vault.Fields() {
		if !shape.has(f.ID) {
			continue
		}
		text, day := fieldSlots(f.ID)
		fact := verifyFact{Label: v.T("fact." + f.Flag), Text: slotPlaceholder(text)}
		slots++
		if f.Kind == vault.DateField {
			fact.Day = slotPlaceholder(day)
			slots++
		}
		c.Facts = append(c.Facts, fact)
	}
	c.Reference, c.URL, c.SHA256, c.Now = slotPlaceholder(referenceSlot), slotPlaceholder(urlSlot), slotPlaceholder(sumSlot), slotPlaceholder(nowSlot)
	if shape&loggedShape != 0 {
		c.LogEntry, c.LogLink = slotPlaceholder(logSlot), slotPlaceholder(logLinkSlot)
		slots += 2
	}
	c.Same, c.Level = v.T("check.same"), levelText(v, level)
	var out bytes.Buffer
	if err := p.Layout.Execute(&out, layout.Page{PageContext: v, Title: verdict}, p.page, c); err != nil {
		return nil, err
	}
	page, seen := &splitPage{}, map[int]bool{}
	marker := []byte(string(slotMarker))
	for rest := out.Bytes(); ; {
		before, after, found := bytes.Cut(rest, marker)
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

// serveCached answers with the page of a certificate that is known and unchanged;
// false when it is not.
func (p *verifyPages) serveCached(w http.ResponseWriter, r *http.Request, reference string) bool {
	k, ok := p.cache.find(strings.ToUpper(reference))
	if !ok || p.Store.Version(k.reference) != k.version {
		return false
	}
	who, ok := p.Institutions.ByID(k.institution)
	if !ok || k.content.EndedBefore(who.Today(p.Layout.Now())) {
		return false
	}
	return p.writeCached(w, r, k, who)
}

// writeCached answers with the page of a certificate that is known; false when its page
// cannot be split.
func (p *verifyPages) writeCached(w http.ResponseWriter, r *http.Request, k cachedCertificate, who vault.Institution) bool {
	v := p.Layout.PageContext(r, who)
	cacheKey := pageKey{v.CacheKey(), k.shape, k.level}
	page := p.cache.page(cacheKey)
	if page == nil {
		var err error
		if page, err = p.splitTemplate(v, k.shape, k.level); err != nil || page == nil {
			if err != nil {
				p.Log.Error("the verification page cannot be cut", "error", err)
			}
			return false
		}
		p.cache.addPage(cacheKey, page)
	}
	out, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	page.fill(out, p.slotTexts(v, k))
	layout.WriteHTML(w, http.StatusOK, out.Bytes())
	return true
}

// slotTexts are the texts of a page, by slot.
func (p *verifyPages) slotTexts(v layout.PageContext, k cachedCertificate) [slotCount]string {
	f := verifyResult{institution: v.Institution, certificate: vault.Certificate{Content: k.content}}
	texts := [slotCount]string{referenceSlot: k.reference, urlSlot: p.Institutions.Links().Verify(k.reference), sumSlot: k.sha256, nowSlot: v.LocalTime(p.Layout.Now())}
	texts[logSlot], texts[logLinkSlot] = logTexts(v, k.log)
	for _, field := range vault.Fields() {
		if text, day := fieldSlots(field.ID); k.shape.has(field.ID) {
			texts[text], texts[day] = f.fact(v, field)
		}
	}
	return texts
}

// fill writes a page. The places are in texts and in quoted attributes, for which
// one way of escaping does.
func (c *splitPage) fill(out *bytes.Buffer, texts [slotCount]string) {
	for i, part := range c.parts {
		out.Write(part)
		if i < len(c.slots) {
			template.HTMLEscape(out, []byte(texts[c.slots[i]]))
		}
	}
}
