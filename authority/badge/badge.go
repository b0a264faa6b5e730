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

// DefaultSize returns the size of a badge without ?size=.
func DefaultSize() Size { return Sizes()[1] }

// String is what ParseSize reads.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// ParseSize reads a size such as 150x40; "" is the usual one.
func ParseSize(text string) (Size, bool) {
	if text == "" {
		return DefaultSize(), true
	}
	for _, s := range Sizes() {
		if s.String() == text {
			return s, true
		}
	}
	return Size{}, false
}

// Handler holds every badge, each drawn when it is first asked for.
type Handler struct {
	images map[string]func() (badgeImage, error) // by name, such as VW-CERT-FIN.svg 150x40
}

type badgeImage struct {
	contentType string
	body        []byte
	etag        string
}

// NewHandler makes a handler.
func NewHandler() *Handler {
	g := &Handler{images: map[string]func() (badgeImage, error){}}
	for _, b := range authority.Badges() {
		for _, s := range Sizes() {
			g.images[string(b)+".svg "+s.String()] = sync.OnceValues(func() (badgeImage, error) {
				d, err := layout(b, s)
				if err != nil {
					return badgeImage{}, err
				}
				return newBadgeImage("image/svg+xml", d.svg(b)), nil
			})
			g.images[string(b)+".png "+s.String()] = sync.OnceValues(func() (badgeImage, error) {
				d, err := layout(b, s)
				if err != nil {
					return badgeImage{}, err
				}
				body, err := d.png()
				return newBadgeImage("image/png", body), err
			})
		}
	}
	return g
}

func newBadgeImage(kind string, body []byte) badgeImage {
	sum := sha256.Sum256(body)
	return badgeImage{kind, body, `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// maxAge is how long a badge may be cached: its look does not depend on any
// certification.
const maxAge = 24 * time.Hour

// ServeHTTP answers GET /badges/{name}: a badge's code and .svg or .png, with
// ?size= where another than the usual size is wanted.
func (g *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	size, known := ParseSize(r.URL.Query().Get("size"))
	drawn, exists := g.images[strings.TrimPrefix(r.URL.Path, "/badges/")+" "+size.String()]
	if !known || !exists {
		http.Error(w, "There is no such badge. Sizes are 80x20, 150x40 and 200x60.", http.StatusNotFound)
		return
	}
	p, err := drawn()
	if err != nil {
		http.Error(w, "The badge could not be drawn.", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", p.contentType)
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", maxAge/time.Second))
	h.Set("ETag", p.etag)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// Someone may open the picture as a page of its own.
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
}
