package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// asset is a file that pages name. Its address holds its sum, so that browsers may
// keep it for ever.
type asset struct {
	kind    string
	content []byte
}

func loadAssets() (map[string]asset, error) {
	all := map[string]asset{}
	for name, kind := range map[string]string{
		"pages.css": "text/css; charset=utf-8", "pages.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		content, err := files.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("reading the pages' %s: %w", name, err)
		}
		sum := sha256.Sum256(content)
		stem, ext, _ := strings.Cut(name, ".")
		all["/assets/"+stem+"-"+hex.EncodeToString(sum[:6])+"."+ext] = asset{kind, content}
	}
	return all, nil
}

func styleAddress(assets map[string]asset) string  { return addressOf(assets, ".css") }
func scriptAddress(assets map[string]asset) string { return addressOf(assets, ".js") }
func iconAddress(assets map[string]asset) string   { return addressOf(assets, ".svg") }

func addressOf(assets map[string]asset, ext string) string {
	for address := range assets {
		if path.Ext(address) == ext {
			return address
		}
	}
	return ""
}

// ServeAsset answers with an asset; false when there is none at the address.
func (f *Frame) ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	one, ok := f.assets[r.URL.Path]
	if !ok {
		return false
	}
	KeepFor(w, one.kind, "public, max-age=31536000, immutable")
	_, _ = w.Write(one.content)
	return true
}

// KeepFor sets the headers of something that is no page: it can be shown, and
// neither run nor draw on anything else when it is opened by itself.
func KeepFor(w http.ResponseWriter, kind, cache string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h["X-Content-Type-Options"] = noSniff
	h["X-Robots-Tag"] = noIndex
}
