package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// A code may lead to any page of a vault, and only the page of its certificate says
// that it was issued there.
func TestDisownedWhateverPageTheCodeLeadsTo(t *testing.T) {
	t.Parallel()
	const known, unknown = "VEC-IC-2026-KNOWN", "VEC-IC-2026-UNKNOWN"
	mux := http.NewServeMux()
	mux.HandleFunc("/docs", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/v/"+known, func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	defer server.Close()
	api, err := client.New(server.URL, "", http.DefaultTransport)
	must(t, err)
	remote := &session{Client: adminclient.FromClient(api), remote: true}
	for _, test := range []struct {
		reference, path string
		valid           bool
	}{
		{known, "/v/" + known, true},
		{unknown, "/v/" + unknown, false},
		{unknown, "/docs", false},
		{unknown, "/v/" + known, false},
	} {
		v := verdict{Valid: true, ReferenceID: test.reference, VerifyURL: server.URL + test.path}
		v.markNotIssued(t.Context(), server.URL+"/", remote)
		if v.Valid != test.valid {
			t.Errorf("%s at %s: valid is %t: %s", test.reference, test.path, v.Valid, v.Sentence)
		}
	}
}
