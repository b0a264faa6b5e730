package contract

import (
	"fmt"
	"net/http"
	"testing"
)

// TestETags answers 304 to a program that polls, as long as nothing happened.
func TestETags(t *testing.T) {
	t.Parallel()
	s := newTemplatedSite(t)
	one := s.settled(s.want(s.upload("ann@example.com"), http.StatusCreated).text("data.uuid")).text("data.uuid")
	file := s.uploadFile()
	batch := s.want(s.post(bulkPath, newForm("entries[0][certificate_title]", "T", "entries[0][full_name]", "N", "entries[0][applicant_email]", "n@example.com", "entries[0][file_id]", file)), http.StatusAccepted).text("data.batch_id")
	s.settled(s.get(vaultPath + "?batch_id=" + batch).text("data.0.uuid"))
	for _, path := range []string{vaultPath, vaultPath + "?status=approved", "/business/certificates", "/business/batches", "/business/batches?status=completed", "/business/certificate-templates",
		vaultPath + "/" + one, "/business/certificates/" + one, "/business/batches/" + batch, "/business/certificate-templates/degree"} {
		first := s.want(s.get(path), http.StatusOK)
		tag := first.header.Get("ETag")
		if tag == "" || first.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %v", path, first.header)
		}
		for _, given := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			again := s.want(s.get(path, header("If-None-Match", given)), http.StatusNotModified)
			if len(again.body) > 0 || again.header.Get("ETag") != tag {
				t.Errorf("%s, %s: %v %v", path, given, again.header, again)
			}
		}
		s.want(s.get(path, header("If-None-Match", `"other"`)), http.StatusOK)
		if a := s.call(http.MethodHead, path, nil); a.header.Get("ETag") != tag {
			t.Errorf("HEAD %s: %v", path, a.header)
		}
	}
	for i, path := range []string{vaultPath, "/business/certificates"} {
		tag := s.get(path).header.Get("ETag")
		s.settled(s.want(s.upload(fmt.Sprintf("new%d@example.com", i)), http.StatusCreated).text("data.uuid"))
		s.want(s.get(path, header("If-None-Match", tag)), http.StatusOK)
	}
	// An error has none, and neither has what another token must not see.
	if a := s.want(s.as("").get(vaultPath, header("If-None-Match", "*")), http.StatusUnauthorized); a.header.Get("ETag") != "" {
		t.Errorf("%v", a.header)
	}
}
