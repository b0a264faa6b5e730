package layout

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
	contentType string
	content     []byte
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

func stylePath(assets map[string]asset) string  { return assetPath(assets, ".css") }
func scriptPath(assets map[string]asset) string { return assetPath(assets, ".js") }
func iconPath(assets map[string]asset) string   { return assetPath(assets, ".svg") }

func assetPath(assets map[string]asset, ext string) string {
	for address := range assets {
		if path.Ext(address) == ext {
			return address
		}
	}
	return ""
}

// ServeAsset answers with an asset; false when there is none at the address.
func (f *Layout) ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	one, ok := f.assets[r.URL.Path]
	if !ok {
		return false
	}
	SetFileHeaders(w, one.contentType, "public, max-age=31536000, immutable")
	_, _ = w.Write(one.content)
	return true
}

// SetFileHeaders sets the headers of something that is no page: it can be shown, and
// neither run nor draw on anything else when it is opened by itself.
func SetFileHeaders(w http.ResponseWriter, kind, cache string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h["X-Content-Type-Options"] = noSniff
	h["X-Robots-Tag"] = noIndex
}
