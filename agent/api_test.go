package agent_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

const vaultPath = "/business/certificate-vault"

// ask makes one call of the documented API.
func ask(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func listOf(t *testing.T, h http.Handler, query string) client.Page[client.Certificate] {
	t.Helper()
	w := ask(h, http.MethodGet, vaultPath+"?"+query)
	var page client.Page[client.Certificate]
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	return page
}

// TestDocumentedAPI holds the calls that read to the guide and its readings.
func TestDocumentedAPI(t *testing.T) {
	during(t, t.TempDir(), "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(a *agent.Agent, c *adminclient.Client) {
		h, q := a.Handler(), manifestOf(t, 37)
		q.NoWait = false
		report := bulk(t, c, q)
		t.Run("pages", func(t *testing.T) { testPages(t, h) })
		t.Run("filters", func(t *testing.T) { testFilters(t, h, report) })
		t.Run("refusals", func(t *testing.T) { testRefusals(t, h) })
		t.Run("one", func(t *testing.T) { testOne(t, h, report.Rows[4]) })
	})
}

func testPages(t *testing.T, h http.Handler) {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		u, err := url.Parse(*s)
		if err != nil || !strings.HasSuffix(u.Path, vaultPath) {
			t.Errorf("link %q", *s)
		}
		return u.Query().Get("page") + "/" + u.Query().Get("per_page")
	}
	number := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	for _, test := range []struct {
		query                   string
		first, last, prev, next string
		meta                    string // current, from, last, per page, to, total
		ids                     [2]uint64
	}{
		{"", "1/", "3/", "null", "2/", "1 1 3 15 15 37", [2]uint64{37, 23}},
		{"page=3", "1/", "3/", "2/", "null", "3 31 3 15 37 37", [2]uint64{7, 1}},
		{"page=2&per_page=10", "1/10", "4/10", "1/10", "3/10", "2 11 4 10 20 37", [2]uint64{27, 18}},
		{"per_page=100", "1/100", "1/100", "null", "null", "1 1 1 100 37 37", [2]uint64{37, 1}},
	} {
		p := listOf(t, h, test.query)
		links := [4]string{text(p.Links.First), text(p.Links.Last), text(p.Links.Prev), text(p.Links.Next)}
		if links != [4]string{test.first, test.last, test.prev, test.next} {
			t.Errorf("%q: links %v", test.query, links)
		}
		meta := fmt.Sprintln(p.Meta.CurrentPage, number(p.Meta.From), p.Meta.LastPage, p.Meta.PerPage, number(p.Meta.To), p.Meta.Total)
		if strings.TrimSpace(meta) != test.meta {
			t.Errorf("%q: meta %s, want %s", test.query, meta, test.meta)
		}
		if got := [2]uint64{p.Data[0].ID, p.Data[len(p.Data)-1].ID}; got != test.ids {
			t.Errorf("%q: from %d to %d, want %d", test.query, got[0], got[1], test.ids)
		}
	}
	beyond := ask(h, http.MethodGet, vaultPath+"?page=9")
	for _, want := range []string{`"data":[]`, `"from":null`, `"to":null`, `"next":null`, `"total":37`} {
		if !strings.Contains(beyond.Body.String(), want) {
			t.Errorf("a page beyond the last lacks %s: %s", want, beyond.Body)
		}
	}
}

func testFilters(t *testing.T, h http.Handler, report client.BulkReport) {
	for query, want := range map[string]int{
		"status=approved": 37, "status=failed": 0, "status=processing": 0, "status=revoked": 0,
		"applicant_email=P7%40Example.ORG": 1, "applicant_email=p7": 0, "search=PERSON+3": 8, "search=example.org": 37, "search=zzz": 0,
		"batch_id=" + report.BatchID: 37, "batch_id=nosuch": 0, "from=2026-05-02&to=2026-05-02": 37, "from=2026-05-03": 0,
		"search=person+3&applicant_email=p30@example.org&status=approved": 1, "search=person+3&applicant_email=p4@example.org": 0,
		"search=" + report.Rows[0].ReferenceID: 1, "search=" + strings.ToLower(report.Rows[0].ReferenceID[10:]): 1,
	} {
		if got := listOf(t, h, query).Meta.Total; got != want {
			t.Errorf("%s finds %d, want %d", query, got, want)
		}
	}
}

func testRefusals(t *testing.T, h http.Handler) {
	for _, test := range []struct {
		method, target string
		status         int
		field          string
	}{
		{http.MethodGet, vaultPath + "?status=bogus", 422, "status"},
		{http.MethodGet, vaultPath + "?page=0", 422, "page"},
		{http.MethodGet, vaultPath + "?page=99999999999999999999", 422, "page"},
		{http.MethodGet, vaultPath + "?per_page=101", 422, "per_page"},
		{http.MethodGet, vaultPath + "?from=2.5.2026", 422, "from"},
		{http.MethodGet, vaultPath + "?to=2026-02-30", 422, "to"},
		{http.MethodGet, vaultPath + "/nosuch", 404, ""},
		{http.MethodGet, vaultPath + "/nosuch/download", 404, ""},
		{http.MethodPost, vaultPath + "/nosuch/retry", 404, ""},
		{http.MethodGet, "/nosuch", 404, ""},
	} {
		w := ask(h, test.method, test.target)
		var body struct {
			Message string
			Errors  map[string][]string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != test.status || body.Message == "" {
			t.Errorf("%s: %d %s, want %d with a message", test.target, w.Code, w.Body, test.status)
		}
		if test.field != "" && (len(body.Errors) != 1 || len(body.Errors[test.field]) != 1) {
			t.Errorf("%s: errors %v, want one of %s", test.target, body.Errors, test.field)
		}
	}
}

func testOne(t *testing.T, h http.Handler, row client.BulkRow) {
	for _, name := range []string{row.UUID, row.ReferenceID, strings.ToLower(row.ReferenceID), strings.ToUpper(row.UUID)} {
		w := ask(h, http.MethodGet, vaultPath+"/"+name)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), row.UUID) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	w := ask(h, http.MethodPost, vaultPath+"/"+row.UUID+"/retry")
	if w.Code != http.StatusBadRequest {
		t.Errorf("a retry of what has not failed: %d %s", w.Code, w.Body)
	}
	w = ask(h, http.MethodGet, vaultPath+"/"+row.UUID+"/download")
	body, err := io.ReadAll(w.Body)
	header := w.Header()
	if err != nil || w.Code != http.StatusOK || header.Get("Content-Type") != "application/pdf" ||
		header.Get("Content-Length") != fmt.Sprint(len(body)) || !strings.HasPrefix(string(body), "%PDF-") ||
		!strings.HasPrefix(header.Get("Content-Disposition"), "attachment; filename=") ||
		!strings.Contains(header.Get("Content-Disposition"), row.ReferenceID) {
		t.Errorf("a download: %d %v, %d bytes, %v", w.Code, header, len(body), err)
	}
}
