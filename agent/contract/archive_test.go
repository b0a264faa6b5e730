package contract

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

const archivePath = vaultPath + "/download"

// entriesOf reads an archive with a program that is not ours.
func (s *site) entriesOf(a answer) (names []string, contents map[string][]byte) {
	s.Helper()
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	s.check(err)
	contents = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		s.check(err)
		body, err := io.ReadAll(r)
		s.check(err)
		names, contents[f.Name] = append(names, f.Name), body
	}
	return names, contents
}

// TestArchive downloads what filters select as one ZIP.
func TestArchive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.want(s.get(archivePath), http.StatusNotFound)
	var made []answer
	for i := range 5 {
		one := s.settled(s.want(s.upload(fmt.Sprintf("p%d@example.com", i)), http.StatusCreated).text("data.uuid"))
		made = append([]answer{one}, made...) // newest first
	}
	nameOf := func(a answer) string { return a.text("data.verified.name") }
	all := s.want(s.get(archivePath), http.StatusOK)
	if all.header.Get("Content-Type") != "application/zip" || all.header.Get(client.TotalHeader) != "5" || !strings.Contains(all.header.Get("Content-Disposition"), ".zip") {
		t.Errorf("headers: %v", all.header)
	}
	names, contents := s.entriesOf(all)
	for i, one := range made {
		if name := nameOf(one); i >= len(names) || names[i] != name || fmt.Sprintf("%x", sha256.Sum256(contents[name])) != one.text("data.verified.sha256") {
			t.Errorf("entry %d is not %s: %v", i, name, names)
		}
	}
	for query, want := range map[string][]answer{
		"?search=p3@":                                                         made[1:2],
		"?applicant_email=P0@example.com":                                     made[4:],
		"?status=generated&from=2026-06-01":                                   made,
		"?after=" + made[1].text("data.reference_id"):                         made[2:],
		"?search=p0&after=" + made[1].text("data.uuid"):                       made[4:],
		"?after=" + made[4].text("data.uuid"):                                 nil,
		"?issue_date_to=2026-06-01&after=" + made[3].text("data.uuid"):        made[4:],
		"?issue_date_from=2026-06-02&after=" + made[0].text("data.uuid"):      nil,
		"?search=p4@example.com&applicant_email=p4@example.com&to=2026-07-01": made[:1],
	} {
		names, _ := s.entriesOf(s.want(s.get(archivePath+query), http.StatusOK))
		var wanted []string
		for _, one := range want {
			wanted = append(wanted, nameOf(one))
		}
		if !slices.Equal(names, wanted) {
			t.Errorf("%s: %v, want %v", query, names, wanted)
		}
	}
	for query, status := range map[string]int{
		"?search=nobody": http.StatusNotFound, "?status=failed": http.StatusUnprocessableEntity, "?status=x": http.StatusUnprocessableEntity,
		"?page=2": http.StatusUnprocessableEntity, "?per_page=5": http.StatusUnprocessableEntity, "?sort_field=name": http.StatusUnprocessableEntity, "?generated_at_from=2026-01-01": http.StatusUnprocessableEntity, "?after=none": http.StatusUnprocessableEntity,
		"?search[]=a": http.StatusUnprocessableEntity, "?batch_id=none": http.StatusNotFound,
	} {
		s.want(s.get(archivePath+query), status)
	}
	if a := s.call(http.MethodHead, archivePath, nil); a.status != http.StatusOK || len(a.body) > 0 || a.header.Get(client.TotalHeader) != "5" {
		t.Errorf("HEAD: %v %v", a.status, a.header)
	}
	for _, missing := range []apiaccess.Permission{apiaccess.MayList, apiaccess.MayDownload} {
		may := slices.DeleteFunc(permissions(), func(p string) bool { return p == string(missing) })
		if a := s.as(s.newToken(may...)).get(archivePath); a.status != http.StatusForbidden || a.text("required_permission") != string(missing) {
			t.Errorf("without %s: %v", missing, a)
		}
	}
	s.want(s.as("").get(archivePath), http.StatusUnauthorized)
}

// TestArchiveOfDamagedDocuments leaves a damaged document out and says so in its place.
func TestArchiveOfDamagedDocuments(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var made []answer
	for i := range 3 {
		made = append(made, s.settled(s.want(s.upload(fmt.Sprintf("p%d@example.com", i)), http.StatusCreated).text("data.uuid")))
	}
	sum := made[1].text("data.file.sha256")
	blob := filepath.Join(s.home, "blobs", sum[:2], sum)
	raw, err := os.ReadFile(blob)
	s.check(err)
	s.check(os.Chmod(blob, 0o600))
	raw[len(raw)/2]++
	s.check(os.WriteFile(blob, raw, 0o600))
	names, contents := s.entriesOf(s.want(s.get(archivePath), http.StatusOK))
	skipped := made[1].text("data.reference_id") + client.SkippedSuffix
	if len(names) != 3 || names[1] != skipped || !strings.Contains(string(contents[skipped]), "restore the home from a backup") {
		t.Errorf("%v, %s", names, contents[skipped])
	}
	s.check(os.Remove(blob))
	if names, _ := s.entriesOf(s.want(s.get(archivePath), http.StatusOK)); !slices.Contains(names, skipped) {
		t.Errorf("without the document: %v", names)
	}
}
