package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// BenchmarkVerify is the verification page without the network.
func BenchmarkVerify(b *testing.B) {
	s := newSite(b, nil)
	var all []vault.Certificate
	for range 100 {
		all = append(all, s.issue(s.draft()))
	}
	h := s.handler(http.NotFoundHandler())
	requests := make([]*http.Request, len(all))
	for i, c := range all {
		requests[i] = httptest.NewRequest(http.MethodGet, "/v/"+c.Reference, nil)
		requests[i].Header.Set("Accept", "text/html")
		requests[i].Header.Set("Accept-Language", "en-GB,en;q=0.8")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.ServeHTTP(nowhere{http.Header{}}, requests[i%len(requests)])
	}
}
