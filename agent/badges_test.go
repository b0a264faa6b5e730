package agent_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// TestBadgePages asks the public pages for badges, their issuer and status list, the live picture and
// the card, before and after a revocation, and for what there is not.
func TestBadgePages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	during(t, dir, "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(a *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = false
		q.Manifest = bytes.Replace(q.Manifest, []byte("Diploma"), []byte("First <Aid>"), 1)
		issued, err := c.Certificate(t.Context(), bulk(t, c, q).Rows[0].UUID)
		if err != nil {
			t.Fatal(err)
		}
		v := visit(t, a)
		page, share := "/v/"+issued.ReferenceID, "/c/"+issued.ShareURL[strings.LastIndexByte(issued.ShareURL, '/')+1:]
		v.sees(page+"/badge.json", 200, `"eddsa-rdfc-2022"`, "OpenBadgeCredential")
		v.sees(page+"/badge.jwt", 200, "eyJ")
		v.sees(share+"/badge.json", 200, `"eddsa-rdfc-2022"`)
		v.sees(share+"/badge.svg", 200, "openbadges:credential")
		v.sees("/did.json", 200, `"Multikey"`)
		v.sees("/.well-known/did.json", 200, `"Multikey"`)
		v.sees("/issuers/1/did.json", 200, `"Multikey"`)
		v.sees("/credentials/status/1/1", 200, "BitstringStatusListCredential")
		v.sees("/badge/"+issued.ReferenceID+".svg", 200, ": Valid</title>")
		v.sees(page+"/picture.svg", 200, "First &lt;Aid&gt;")
		v.sees(share, 200, "/badge.png", "/badge.json", "card.png", "summary_large_image", "/badge/"+issued.ReferenceID+".svg")
		for path, side := range map[string]int{share + "/card.png": 1200, page + "/picture.png": 600, share + "/badge.png": 600} {
			status, body := v.page(path, nil)
			picture, err := png.Decode(bytes.NewReader([]byte(body)))
			if status != 200 || err != nil || picture.Bounds().Dx() != side {
				t.Errorf("%s: status %d, %v", path, status, err)
			}
		}
		for _, path := range []string{"/v/VEC-IC-20260000000000000/badge.json", page + "/badge.pdf", page + "/other", "/issuers/9/did.json", "/credentials/status/1/2", "/credentials/status/x/y",
			"/badge/" + issued.ReferenceID, "/badge/nothing.svg", "/c/nothing/badge.png"} {
			v.sees(path, 404)
		}
		names, err := c.Site(t.Context(), func(string, []byte) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"did.json", ".well-known/did.json", "issuers/1/did.json", "credentials/status/1/1"} {
			if !slices.Contains(names, name) {
				t.Errorf("the static site has no %s", name)
			}
		}
		if _, err := c.Revoke(t.Context(), issued.UUID, "in error"); err != nil {
			t.Fatal(err)
		}
		v.sees(page+"/badge.json", 404, "revoked")
		v.sees(share+"/badge.png", 404)
		v.sees("/badge/"+issued.ReferenceID+".svg", 200, ": Revoked</title>")
		status, body := v.page("/credentials/status/1/1", nil)
		var list struct{ Type []string }
		if err := json.Unmarshal([]byte(body), &list); status != 200 || err != nil {
			t.Errorf("the status list: %d, %v", status, err)
		}
	})
}
