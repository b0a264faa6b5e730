package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// entry is the fields of an entry for a file.
func entry(email, file string) map[string]string {
	return map[string]string{"certificate_title": "Diploma", "full_name": "Ann", "applicant_email": email, "file_id": file, "issue_date": "2026-06-01"}
}

func (s *site) bulkJSON(body any, edit ...func(*http.Request)) answer {
	s.Helper()
	return s.jsonTo(bulkPath, body, edit...)
}

// jsonTo sends a body as JSON.
func (s *site) jsonTo(path string, body any, edit ...func(*http.Request)) answer {
	s.Helper()
	return s.call(http.MethodPost, path, bytes.NewReader(s.json(body)), append(edit, header("Content-Type", "application/json"))...)
}

func (s *site) json(body any) []byte {
	s.Helper()
	raw, err := json.Marshal(body)
	s.check(err)
	return raw
}

type entries map[string]any

// TestBulkForms sends the same request in all of its forms.
func TestBulkForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	send := map[string]func(map[string]map[string]string) answer{
		"multipart": func(all map[string]map[string]string) answer {
			f := newForm()
			for _, key := range slices.Backward(slices.Sorted(maps.Keys(all))) {
				for name, value := range all[key] {
					s.check(f.WriteField("entries["+key+"]["+name+"]", value))
				}
			}
			return s.post(bulkPath, f)
		},
		"urlencoded": func(all map[string]map[string]string) answer {
			v := url.Values{}
			for key, fields := range all {
				for name, value := range fields {
					v.Set("entries["+key+"]["+name+"]", value)
				}
			}
			return s.call(http.MethodPost, bulkPath, strings.NewReader(v.Encode()), header("Content-Type", "application/x-www-form-urlencoded"))
		},
		"array": func(all map[string]map[string]string) answer {
			var list []any
			for _, key := range slices.Sorted(maps.Keys(all)) {
				list = append(list, all[key])
			}
			return s.bulkJSON(entries{"entries": list})
		},
		"object": func(all map[string]map[string]string) answer { return s.bulkJSON(entries{"entries": all}) },
	}
	for name, send := range send {
		all := map[string]map[string]string{}
		for _, key := range []string{"0", "7", "9999"} {
			all[key] = entry(name+key+"@example.com", s.uploadFile())
		}
		a := s.want(send(all), http.StatusAccepted)
		if n, _ := a.get("data.total").(float64); n != 3 || a.text("data.status") != "processing" {
			t.Errorf("%s: %v", name, a)
		}
		listed := s.want(s.get(vaultPath+"?batch_id="+a.text("data.batch_id")), http.StatusOK)
		if n, _ := listed.get("meta.total").(float64); n != 3 {
			t.Errorf("%s: the batch has %v", name, listed)
		}
	}
	batches := s.want(s.get("/business/batches"), http.StatusOK)
	if n, _ := batches.get("meta.total").(float64); n != 4 {
		t.Errorf("batches: %v", batches)
	}
}

// TestBulkRefuses names every bad entry and keeps nothing.
func TestBulkRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.want(s.upload("held@example.com"), http.StatusCreated)
	other := s.second()
	foreign := other.uploadFile()
	used := s.uploadFile()
	s.want(s.bulkJSON(entries{"entries": []any{entry("used@example.com", used)}}), http.StatusAccepted)
	expired := s.uploadFile()
	s.clock.advance(apiaccess.UploadTTL + time.Second)
	good, twice := s.uploadFile(), s.uploadFile()
	empty := map[string]string{}
	a := s.want(s.bulkJSON(entries{"entries": []any{
		entry("0@example.com", good),
		entry("1@example.com", foreign),
		entry("2@example.com", used),
		entry("3@example.com", expired),
		entry("4@example.com", "no-uuid"),
		entry("5@example.com", "9e3b101f-c264-4f97-945f-20dfa7163768"),
		entry("held@EXAMPLE.com", twice),
		entry("7@example.com", twice),
		entry("8@example.com", s.uploadFile()),
		entry("8@example.com", s.uploadFile()),
		empty, 5, map[string]any{"file_id": []int{1}, "full_name": 5},
	}}), http.StatusUnprocessableEntity)
	const duplicate = "A vault certificate with this email, title, and issue date already exists"
	want := map[string]string{
		"entries.1.file_id": "The selected entries.1.file_id is invalid.", "entries.2.file_id": "The selected entries.2.file_id is invalid.",
		"entries.3.file_id": "The selected entries.3.file_id is invalid.", "entries.4.file_id": "The entries.4.file_id field must be a valid UUID.",
		"entries.5.file_id": "The selected entries.5.file_id is invalid.", "entries.6.applicant_email": duplicate,
		"entries.7.file_id": "The entries.7.file_id field has a duplicate value.", "entries.9.applicant_email": duplicate,
		"entries.10.certificate_title": "The entries.10.certificate_title field is required.", "entries.10.full_name": "The entries.10.full_name field is required.",
		"entries.10.applicant_email": "The entries.10.applicant_email field is required.", "entries.10.file_id": "The entries.10.file_id field is required.",
		"entries.11": "The entries.11 field must be an array.", "entries.12.file_id": "The entries.12.file_id field must be a string.",
		"entries.12.full_name": "The entries.12.full_name field must be a string.", "entries.12.certificate_title": "The entries.12.certificate_title field is required.",
		"entries.12.applicant_email": "The entries.12.applicant_email field is required.",
	}
	got := a.complaints()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if len(got[name]) != 1 || got[name][0] != want[name] {
			t.Errorf("%s: %q, want %q", name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also complained of: %v", got)
	}
	if n := s.total(); n != 2 {
		t.Errorf("%d certificates, want the 2 from before", n)
	}
	// What a refused request named can be named again.
	s.want(s.bulkJSON(entries{"entries": []any{entry("0@example.com", good), entry("7@example.com", twice)}}), http.StatusAccepted)
	for body, want := range map[string]string{
		`{}`: "The entries field is required.", `{"entries":[]}`: "The entries field is required.", `{"entries":null}`: "The entries field is required.",
		`{"entries":"x"}`: "The entries field must be an array.",
	} {
		if a := s.call(http.MethodPost, bulkPath, strings.NewReader(body), header("Content-Type", "application/json")); a.status != 422 || a.message() != want {
			t.Errorf("%s: %v", body, a)
		}
	}
}

// second makes a second institution with a token of its own.
func (s *site) second() *site {
	s.Helper()
	made, err := s.staff().AddInstitution(s.Context(), clientSettings("Second"))
	s.check(err)
	staff, err := adminclient.New("http://vecctl.local", adminclient.ForInstitution{Name: made.Slug, Next: client.InProcess(s.agent.Handler())})
	s.check(err)
	token, err := staff.CreateToken(s.Context(), adminclient.NewToken{Name: "second", Permissions: permissions()})
	s.check(err)
	other := s.as(token.Secret)
	return other
}

// TestBulkLarge issues as many entries as one request may have, and one more.
func TestBulkLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := 10_000
	if testing.Short() {
		n = 500
	}
	const uploaders = 60 // the more there are, the more share a flush; 64 may hand in at once
	ids := make([]string, n)
	var crew sync.WaitGroup
	for w := range uploaders {
		crew.Go(func() {
			for i := w; i < n; i += uploaders {
				ids[i] = s.uploadFile()
			}
		})
	}
	crew.Wait()
	f := newForm()
	for i, id := range ids {
		for name, value := range entry(fmt.Sprintf("p%d@example.com", i), id) {
			s.check(f.WriteField(fmt.Sprintf("entries[%d][%s]", i, name), value))
		}
	}
	body := bytes.Clone(f.Bytes())
	if n == 10_000 {
		s.check(f.WriteField("entries[10000][full_name]", "One too many"))
		if a := s.want(s.post(bulkPath, f), http.StatusUnprocessableEntity); a.message() != "The entries field must not have more than 10000 items." {
			t.Errorf("10,001 entries: %v", a)
		}
	}
	end := []byte("\r\n--" + f.Boundary() + "--\r\n")
	begun := time.Now()
	a := s.call(http.MethodPost, bulkPath, bytes.NewReader(append(body, end...)), header("Content-Type", f.FormDataContentType()))
	s.want(a, http.StatusAccepted)
	t.Logf("%d entries, %d KB: accepted in %v", n, len(body)>>10, time.Since(begun))
	if got := s.total(); got != n {
		t.Errorf("%d certificates, want %d", got, n)
	}
}

// TestBulkRace has many requests want the same files and the same persons: one
// of them gets them.
func TestBulkRace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.uploadFile()
	var crew sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		crew.Go(func() {
			answers[i] = s.bulkJSON(entries{"entries": []any{entry(fmt.Sprintf("p%d@example.com", i), id)}})
		})
	}
	crew.Wait()
	accepted := 0
	for _, a := range answers {
		if a.status == http.StatusAccepted {
			accepted++
		} else {
			s.want(a, http.StatusUnprocessableEntity)
		}
	}
	if accepted != 1 || s.total() != 1 {
		t.Errorf("%d requests were accepted, %d certificates made, want 1 and 1", accepted, s.total())
	}
}
