// Package badge draws the badges, as SVG and as PNG, of the same outlines: a badge
// looks alike everywhere, whatever fonts there are.
package badge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/authority"
)

// Size is a badge's width and height in pixels.
type Size struct{ Width, Height int }

// Sizes lists the sizes that there are; the middle one is drawn unless another is
// asked for.
func Sizes() []Size { return []Size{{80, 20}, {150, 40}, {200, 60}} }

// Usual is the size of a badge that nobody asked for in another.
func Usual() Size { return Sizes()[1] }

// String is what ParseSize reads.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// ParseSize reads a size such as 150x40; "" is the usual one.
func ParseSize(text string) (Size, bool) {
	if text == "" {
		return Usual(), true
	}
	for _, s := range Sizes() {
		if s.String() == text {
			return s, true
		}
	}
	return Size{}, false
}

// Gallery holds every badge, each drawn when it is first asked for.
type Gallery struct {
	pictures map[string]func() (picture, error) // by name, such as VW-CERT-FIN.svg 150x40
}

type picture struct {
	kind string
	body []byte
	etag string
}

// NewGallery makes a gallery.
func NewGallery() *Gallery {
	g := &Gallery{pictures: map[string]func() (picture, error){}}
	for _, b := range authority.Ladder() {
		for _, s := range Sizes() {
			g.pictures[string(b)+".svg "+s.String()] = sync.OnceValues(func() (picture, error) {
				d, err := layOut(b, s)
				if err != nil {
					return picture{}, err
				}
				return newPicture("image/svg+xml", d.svg(b)), nil
			})
			g.pictures[string(b)+".png "+s.String()] = sync.OnceValues(func() (picture, error) {
				d, err := layOut(b, s)
				if err != nil {
					return picture{}, err
				}
				body, err := d.png()
				return newPicture("image/png", body), err
			})
		}
	}
	return g
}

func newPicture(kind string, body []byte) picture {
	sum := sha256.Sum256(body)
	return picture{kind, body, `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// maxAge is how long a badge may be cached: its look does not depend on any
// certification.
const maxAge = 24 * time.Hour

// ServeHTTP answers GET /badges/{name}: a badge's code and .svg or .png, with
// ?size= where another than the usual size is wanted.
func (g *Gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	size, known := ParseSize(r.URL.Query().Get("size"))
	drawn, exists := g.pictures[strings.TrimPrefix(r.URL.Path, "/badges/")+" "+size.String()]
	if !known || !exists {
		http.Error(w, "There is no such badge. Sizes are 80x20, 150x40 and 200x60.", http.StatusNotFound)
		return
	}
	p, err := drawn()
	if err != nil {
		http.Error(w, "The badge could not be drawn.", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", p.kind)
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", maxAge/time.Second))
	h.Set("ETag", p.etag)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// Someone may open the picture as a page of its own.
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
}
