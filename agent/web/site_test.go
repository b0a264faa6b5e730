package web_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/web"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// site is the pages over a real store, at a real address.
type site struct {
	testing.TB
	store       *bolt.Store
	pages       *web.Pages
	institution atomic.Pointer[vault.Institution]
	blobs       *blobtest.Memory
	base        atomic.Pointer[string]
	address     string // where the pages answer
	ahead       atomic.Int64
	taken       atomic.Int64 // files that the desk took
	random      *mathrand.ChaCha8
	drawn       int
	document    []byte // what every verified PDF begins with
	verified    []byte // the last one that was made
	logged      bytes.Buffer
	noData      error // of the download of personal data
	browser     *http.Client
}

// draw makes pictures for the pages; nil is none.
type draw func(context.Context, vault.Certificate) ([]byte, error)

// RenderPreview implements web.Previewer.
func (d draw) RenderPreview(ctx context.Context, c vault.Certificate) ([]byte, error) {
	return d(ctx, c)
}

// ExportAccount implements web.PersonalData with the account's address.
func (s *site) ExportAccount(_ context.Context, who vault.Account, w io.Writer) error {
	if s.noData != nil {
		return s.noData
	}
	_, err := io.WriteString(w, "all of "+who.Email)
	return err
}

func newSite(t testing.TB, d draw) *site {
	t.Helper()
	s := &site{TB: t, random: mathrand.NewChaCha8([32]byte{7})}
	var err error
	s.store, err = bolt.Open(filepath.Join(t.TempDir(), "vault.db"), time.Second)
	s.check(err)
	t.Cleanup(func() { s.check(s.store.Close()) })
	made, err := s.store.AddInstitution(t.Context(), vault.Institution{Name: "Northgate Institute", TimeZone: "Europe/Warsaw"})
	s.check(err)
	s.institution.Store(&made)
	s.document, err = os.ReadFile("../../testdata/spring-2026/documents/arash-nikpour.pdf")
	s.check(err)
	s.blobs = blobtest.NewMemory()
	staged, err := s.blobs.Stage(t.Context(), bytes.NewReader(s.document), vault.MaxFile)
	s.check(err)
	s.check(s.blobs.Commit(t.Context(), staged))

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the API", http.StatusTeapot)
		})).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.address = server.URL
	s.base.Store(&s.address)
	s.pages, err = web.New(s.options(d))
	s.check(err)
	s.browser = s.visitor()
	return s
}

// handler answers with the pages, and with others at all other addresses.
func (s *site) handler(others http.Handler) http.Handler {
	mux := http.NewServeMux()
	s.pages.Routes().Register(mux)
	mux.Handle("/", others)
	return mux
}

func (s *site) options(d draw) web.Options {
	o := web.Options{
		Store: s.store, Institutions: siteInstitutions{s}, Documents: &results.Exporter{Updates: s.store, Blobs: s.blobs},
		Mails:        wake.All{},
		Applications: storeApplications{s}, PersonalData: s,
		Now: s.now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&s.logged, nil)),
	}
	if d != nil {
		o.Previews = d
	}
	return o
}

// siteInstitutions is the site's one institution, which tests change, as a Directory.
type siteInstitutions struct{ *site }

func (s siteInstitutions) now() institutions.Fixed {
	return institutions.Fixed{All: []vault.Institution{*s.institution.Load()}, Base: *s.base.Load()}
}

func (s siteInstitutions) Primary() vault.Institution               { return s.now().Primary() }
func (s siteInstitutions) ByID(id uint32) (vault.Institution, bool) { return s.now().ByID(id) }
func (s siteInstitutions) IDs() []uint32                            { return s.now().IDs() }
func (s siteInstitutions) BaseURL() string                          { return s.now().BaseURL() }
func (s siteInstitutions) Links() vault.Links                       { return s.now().Links() }

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) now() time.Time {
	return time.Date(2026, 6, 15, 9, 0, 0, 0, time.UTC).Add(time.Duration(s.ahead.Load()))
}

// visitor is a browser that keeps cookies and does not follow redirections.
func (s *site) visitor() *http.Client {
	jar, err := cookiejar.New(nil)
	s.check(err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// change edits the institution.
func (s *site) change(edit func(*vault.Institution)) {
	i := *s.institution.Load()
	edit(&i)
	s.institution.Store(&i)
}

// draft is a draft unlike all before.
func (s *site) draft() vault.Draft {
	s.drawn++
	return vault.Draft{
		Content: vault.Content{Title: "Certificate of Achievement", Name: "Arash Nikpour", Email: fmt.Sprintf("person%d@example.com", s.drawn),
			IssueDate: "2026-05-02", Details: "With distinction.\nTwo lines."}, Trigger: vault.BulkUpload,
		File: vault.File{Name: "arash.pdf", Format: "pdf", Size: int64(len(s.document)), SHA256: vault.HashSecret(string(s.document))},
	}
}

// accept takes a draft in; it is processing then.
func (s *site) accept(d vault.Draft) vault.Certificate {
	s.Helper()
	id, err := vault.NewIdentity(s.random, s.now(), 2026)
	s.check(err)
	c, fx := vault.Accept(d, s.institution.Load().ID, id, s.now())
	done, err := s.store.Insert(s.Context(), []store.NewCertificate{{Certificate: c, Effects: fx}})
	s.check(err)
	if done[0].Duplicate {
		s.Fatalf("%+v is a duplicate", d)
	}
	return done[0].Certificate
}

// issue takes a draft in and approves it, with a short tail.
func (s *site) issue(d vault.Draft) vault.Certificate {
	s.Helper()
	return s.approve(s.accept(d), []byte("tail of "+d.Email))
}

func (s *site) approve(c vault.Certificate, tail []byte) vault.Certificate {
	s.Helper()
	s.verified = append(bytes.Clone(s.document), tail...)
	v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: int64(len(tail)), SHA256: vault.HashSecret(string(s.verified))}
	return s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(v, tail, s.now())
	})
}

// stamper returns a stamper with a key that a name vouches for.
func (s *site) stamper(name string) *pdf.Stamper {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.check(err)
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: s.now().Add(-time.Hour), NotAfter: s.now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	s.check(err)
	own, err := x509.ParseCertificate(der)
	s.check(err)
	signer, err := pdf.NewSigner(key, []*x509.Certificate{own})
	s.check(err)
	return pdf.NewStamper(signer)
}

// foreign returns the document as another vault would have issued it.
func (s *site) foreign(reference, address string) []byte {
	s.Helper()
	tail, err := s.stamper("Other College").Stamp(pdf.Source{R: bytes.NewReader(s.document), Size: int64(len(s.document))},
		pdf.Stamp{URL: cmp.Or(address, "https://other.example"), Caption: reference, SignedAt: s.now()})
	s.check(err)
	return append(bytes.Clone(s.document), tail.Bytes...)
}

// seal takes a draft in and makes its verified PDF as the agent does.
func (s *site) seal(d vault.Draft) vault.Certificate {
	s.Helper()
	c := s.accept(d)
	tail, err := s.stamper("Northgate").Stamp(pdf.Source{R: bytes.NewReader(s.document), Size: int64(len(s.document))},
		pdf.Stamp{URL: *s.base.Load() + "/v/" + c.Reference, Caption: c.Reference, SignedAt: s.now()})
	s.check(err)
	c = s.approve(c, tail.Bytes)
	if c.Verified.SHA256 != hex.EncodeToString(tail.SHA256[:]) {
		s.Fatal("the sums differ")
	}
	return c
}

func (s *site) apply(c vault.Certificate, change store.Change) vault.Certificate {
	s.Helper()
	done, err := s.store.Change(s.Context(), c.Institution, c.UUID, change)
	s.check(err)
	return done
}

func (s *site) revoke(c vault.Certificate, reason string) vault.Certificate {
	s.Helper()
	return s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Revoke(reason, s.now()) })
}

// supersede makes a successor of an issued certificate.
func (s *site) supersede(c vault.Certificate, d vault.Draft) (old, next vault.Certificate) {
	s.Helper()
	next = s.apply(s.issue(d), func(n vault.Certificate) (vault.Certificate, vault.Effects, error) {
		n.Supersedes = c.UUID
		return n, vault.Effects{}, nil
	})
	old = s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Supersede(next.UUID, s.now())
	})
	return old, next
}

// answer is what a request brought.
type answer struct {
	*http.Response
	body string
}

// get asks for a page as the site's browser.
func (s *site) get(path string, headers ...string) answer {
	s.Helper()
	return s.send(http.MethodGet, path, nil, headers...)
}

// post sends a form as the site's browser.
func (s *site) post(path string, form url.Values, headers ...string) answer {
	s.Helper()
	return s.send(http.MethodPost, path, form, headers...)
}

func (s *site) send(method, path string, form url.Values, headers ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.address+path, strings.NewReader(form.Encode()))
	s.check(err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return s.do(r, headers...)
}

// do sends a request as the site's browser.
func (s *site) do(r *http.Request, headers ...string) answer {
	s.Helper()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.browser.Do(r)
	s.check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	s.check(err)
	return answer{resp, string(body)}
}

// says reports whether a page answers with a status and holds texts.
func (s *site) says(a answer, status int, texts ...string) {
	s.Helper()
	if a.StatusCode != status {
		s.Errorf("%s: status %d, want %d\n%.600s", a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); status == http.StatusTooManyRequests && (err != nil || seconds < 1 || seconds > 3600) {
		s.Errorf("%s: Retry-After is %q", a.Request.URL.Path, a.Header.Get("Retry-After"))
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			s.Errorf("%s does not say %q:\n%.3000s", a.Request.URL.Path, text, a.body)
		}
	}
}

// hides reports whether a page holds none of some texts.
func (s *site) hides(a answer, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			s.Errorf("%s says %q", a.Request.URL.Path, text)
		}
	}
}
