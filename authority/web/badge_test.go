package web

import (
	"bytes"
	"encoding/xml"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/authority"
)

func ask(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	NewBadges().ServeHTTP(w, r)
	return w
}

func TestEveryBadgeInEverySize(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, b := range authority.Badges() {
		for _, s := range BadgeSizes() {
			query := "?size=" + s.String()
			w := ask(t, "/badges/"+string(b)+".svg"+query)
			svg := w.Body.String()
			if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg, "<title id=\"t\">VendWeave: "+b.Name()) ||
				!strings.Contains(svg, `role="img"`) || strings.Contains(svg, "NaN") {
				t.Errorf("%s %s: %d %.200s", b, s, w.Code, svg)
			}
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			w = ask(t, "/badges/"+string(b)+".png"+query)
			p, err := png.Decode(bytes.NewReader(w.Body.Bytes()))
			if err != nil || p.Bounds().Dx() != s.Width || p.Bounds().Dy() != s.Height {
				t.Fatalf("%s %s: %v", b, s, err)
			}
			if before, twice := seen[w.Body.String()]; twice {
				t.Errorf("%s %s looks like %s", b, s, before)
			}
			seen[w.Body.String()] = string(b) + " " + s.String()
			light := 0
			for y := range s.Height {
				for x := range s.Width {
					if r, g, b, _ := p.At(x, y).RGBA(); r > 0xe000 && g > 0xe000 && b > 0xe000 {
						light++
					}
				}
			}
			if part := float64(light) / float64(s.Width*s.Height); part < 0.02 || part > 0.35 {
				t.Errorf("%s %s: %.0f %% of it is white", b, s, part*100)
			}
			if _, _, _, a := p.At(0, 0).RGBA(); a > 0x8000 {
				t.Errorf("%s %s: the corner is not round", b, s)
			}
		}
	}
}

func TestContrast(t *testing.T) {
	t.Parallel()
	linear := func(v uint8) float64 {
		c := float64(v) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	luminance := func(c color.NRGBA) float64 { return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B) }
	for _, b := range authority.Badges() {
		if ratio := 1.05 / (luminance(background(b)) + 0.05); ratio < 4.5 {
			t.Errorf("%s: white on it has a contrast of %.2f", b, ratio)
		}
	}
}

func TestCachingAndStrangeNames(t *testing.T) {
	t.Parallel()
	w := ask(t, "/badges/VW-CERT-FIN.svg")
	if !strings.Contains(w.Body.String(), `width="150" height="40"`) || !strings.Contains(w.Header().Get("Cache-Control"), "max-age=") {
		t.Errorf("%v", w.Header())
	}
	if again := ask(t, "/badges/VW-CERT-FIN.svg", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("again: %d", again.Code)
	}
	for _, path := range []string{"/badges/VW-CERT-FIN", "/badges/VW-CERT-XXX.svg", "/badges/", "/badges/VW-CERT-FIN.svg?size=1x1", "/badges/vw-cert-fin.svg", "/badges/..%2f"} {
		if w := ask(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
