package contract

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/api"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

// unheard takes an answer that nobody reads.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(p []byte) (int, error) { return len(p), nil }
func (u unheard) WriteHeader(int)             {}

// BenchmarkVerify is what the authority adds to a bare handler.
func BenchmarkVerify(b *testing.B) {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "vault.db"), time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Rows(store.Tables()...)
	if err != nil {
		b.Fatal(err)
	}
	keys, err := service.OpenKeyring(filepath.Join(b.TempDir(), "authority.json"), rand.Reader, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	book := store.New(rows, time.Now)
	hashes := badges(b, book, keys)
	o := service.New(service.Options{Store: book, Secrets: keys, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	mux := http.NewServeMux()
	api.New(o, func() string { return "https://example.edu" }, slog.New(slog.DiscardHandler)).
		Routes().Register(mux)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r, _ := http.NewRequest(http.MethodGet, "/api/certify/verify/"+hashes[n%len(hashes)], nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", n>>16&255, n>>8&255, n&255)
		n++
		mux.ServeHTTP(unheard{http.Header{}}, r)
	}
}

func badges(b *testing.B, book *store.Store, keys *service.Keyring) (hashes []string) {
	secret, err := keys.Current()
	if err != nil {
		b.Fatal(err)
	}
	err = book.Write(context.Background(), func(w *store.Writer) error {
		for i := range 10_000 {
			c := authority.Certification{ID: fmt.Sprintf("req_%024x", i), Store: "my-store", Domain: fmt.Sprintf("store%d.example.com", i), State: authority.Pending,
				Project: "A store", Badge: authority.Financial, SDKVersion: "1.9.0"}
			nonce, err := authority.NewNonce(rand.Reader)
			if err != nil {
				return err
			}
			if c, err = c.Grant(secret, nonce, time.Now()); err != nil {
				return err
			}
			hashes = append(hashes, c.Hash)
			if err := w.PutLatest(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return hashes
}
