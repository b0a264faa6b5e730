package web

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

// BadgeSize is a badge's width and height in pixels.
type BadgeSize struct{ Width, Height int }

// BadgeSizes lists the sizes that there are; the middle one is drawn unless another is
// asked for.
func BadgeSizes() []BadgeSize { return []BadgeSize{{80, 20}, {150, 40}, {200, 60}} }

// DefaultBadgeSize returns the size of a badge without ?size=.
func DefaultBadgeSize() BadgeSize { return BadgeSizes()[1] }

// String is what ParseBadgeSize reads.
func (s BadgeSize) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// ParseBadgeSize reads a size such as 150x40; "" is the usual one.
func ParseBadgeSize(text string) (BadgeSize, bool) {
	if text == "" {
		return DefaultBadgeSize(), true
	}
	for _, s := range BadgeSizes() {
		if s.String() == text {
			return s, true
		}
	}
	return BadgeSize{}, false
}

// Badges holds every badge, each drawn when it is first asked for.
type Badges struct {
	images map[string]func() (badgeImage, error) // by name, such as VW-CERT-FIN.svg 150x40
}

type badgeImage struct {
	contentType string
	body        []byte
	etag        string
}

// NewBadges makes a handler.
func NewBadges() *Badges {
	g := &Badges{images: map[string]func() (badgeImage, error){}}
	for _, b := range authority.Badges() {
		for _, s := range BadgeSizes() {
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
func (g *Badges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	size, known := ParseBadgeSize(r.URL.Query().Get("size"))
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
