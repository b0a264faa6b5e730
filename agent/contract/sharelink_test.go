package contract

import (
	"net/http"
	"strings"
	"testing"
)

// A share link lets anyone who has it download. A token that may not download is not given one, in
// any answer; one that may is.
func TestShareLinksOnlyForTokensThatMayDownload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.want(s.upload("ann@example.org"), http.StatusCreated)
	uuid, _ := made.get("data.uuid").(string)
	if link, _ := made.get("data.share_url").(string); !strings.Contains(link, "/c/") {
		t.Fatalf("with all permissions: %s", made)
	}
	s.settled(uuid)
	poor := s.as(s.newToken("certificate-vault:list", "certificate-vault:view", "certificate-vault:create", "certificate-vault:update"))
	rich := s.as(s.newToken("certificate-vault:list", "certificate-vault:view", "certificate-vault:download"))
	for _, path := range []string{vaultPath, vaultPath + "/" + uuid, "/business/certificates"} {
		if a := poor.want(poor.get(path), http.StatusOK); strings.Contains(a.String(), "/c/") || strings.Contains(a.String(), "share_url") {
			t.Errorf("GET %s without the permission: %s", path, a)
		}
		if a := rich.want(rich.get(path), http.StatusOK); !strings.Contains(a.String(), "/c/") {
			t.Errorf("GET %s with the permission: %s", path, a)
		}
	}
	if a := poor.want(poor.upload("ben@example.org"), http.StatusCreated); strings.Contains(a.String(), "share_url") {
		t.Errorf("an upload: %s", a)
	}
}
