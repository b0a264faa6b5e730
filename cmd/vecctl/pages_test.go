package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPagesElsewhere lists a vault whose lists are oldest first, which the guide leaves
// open, and in which entries move from one page to the next meanwhile.
func TestPagesElsewhere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids := []int{1, 2, 3}
		if r.FormValue("page") == "2" {
			ids = []int{3, 4}
		}
		var data []string
		for _, id := range ids {
			data = append(data, fmt.Sprintf(`{"id": %d, "uuid": "u%d", "reference_id": "R%d"}`, id, id, id))
		}
		fmt.Fprintf(w, `{"data": [%s], "meta": {"last_page": 2}}`, strings.Join(data, ","))
	}))
	t.Cleanup(server.Close)
	s := newSite(t)
	for _, command := range []string{"list", "certificates", "export"} {
		r := s.done(command, "--api", server.URL, "--token", "x")
		for _, want := range []string{"R1", "R2", "R3", "R4"} {
			if n := strings.Count(r.stdout, want); n != 1 {
				t.Errorf("%s has %s %d times: %s", command, want, n, r.stdout)
			}
		}
	}
	if r := s.done("list", "--limit", "2", "--api", server.URL, "--token", "x"); strings.Contains(r.stdout, "R3") {
		t.Errorf("two of the list: %s", r.stdout)
	}
}
