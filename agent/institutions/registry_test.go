package institutions_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// house is a home with a real store, and a clock that the test moves.
type house struct {
	*testing.T
	dir     home.Dir
	records *bolt.Store
	issued  vault.Counts // what the store is made to count, where it is not zero
	now     time.Time
	news    int
	broken  error // what the store says to changes of an institution
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, dir: home.Dir(filepath.Join(t.TempDir(), "home")), now: time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)}
	h.ok(h.dir.Make())
	var err error
	h.records, err = bolt.Open(filepath.Join(string(h.dir), "vault.db"), time.Second)
	h.ok(err)
	t.Cleanup(func() { h.ok(h.records.Close()) })
	return h
}

// counted is a store that has issued as much as the house says.
type counted struct {
	*bolt.Store
	of *house
}

func (c counted) Counts(ctx context.Context, institution uint32) (vault.Counts, error) {
	if c.of.issued.Sum() > 0 {
		return c.of.issued, nil
	}
	return c.Store.Counts(ctx, institution)
}

func (c counted) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	if c.of.broken != nil {
		return c.of.broken
	}
	return c.Store.ChangeInstitution(ctx, i)
}

func (h *house) open() (*institutions.Registry, error) {
	h.Helper()
	return institutions.Open(h.Context(), institutions.Options{
		Store: counted{h.records, h}, KeyStore: h.dir, CheckSettings: config.CheckSettings, SaveSettings: config.File(h.dir.Config()).SaveSettings,
		Changed: func() { h.news++ }, Now: func() time.Time { return h.now }, Random: rand.Reader,
	}, "http://localhost:7780", vault.Institution{Name: "Northgate Institute", TimeZone: "Europe/Warsaw"})
}

func (h *house) opened() *institutions.Registry {
	h.Helper()
	s, err := h.open()
	h.ok(err)
	return s
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// refused wants an error of a kind that says something.
func (h *house) refused(err error, kind fault.Kind, words string) {
	h.Helper()
	if message, _ := fault.Message(err); !fault.Is(err, kind) || !strings.Contains(message, words) {
		h.Errorf("got %v, want words like %q", err, words)
	}
}

// key is what the first institution signs with.
func (h *house) key(s *institutions.Registry) adminclient.SigningKey {
	h.Helper()
	key, err := s.SigningKey(institutions.NewContext(h.Context(), 1))
	h.ok(err)
	return key
}

func TestInstitutionsOfAHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	first := h.key(s)
	if first.Subject != "Northgate Institute" || s.Primary().ID != 1 {
		t.Errorf("a new home signs as %q, institution %d", first.Subject, s.Primary().ID)
	}
	law, err := s.AddInstitution(t.Context(), adminclient.Settings{Institution: " School  of Law "})
	h.ok(err)
	if law.Name != vault.Clean(" School  of Law ") || law.TimeZone != "Europe/Warsaw" || law.Current || h.key(s) != first {
		t.Errorf("added %+v, and signs with %+v", law, h.key(s))
	}
	for name, q := range map[string]adminclient.Settings{"needs a name": {}, "already": {Institution: "NORTHGATE institute"}, "time zone": {Institution: "X", TimeZone: "Mars/Base"}} {
		kind := fault.Invalid
		if name == "already" {
			kind = fault.Conflict
		}
		_, err := s.AddInstitution(t.Context(), q)
		h.refused(err, kind, name)
	}
	_, err = s.UseInstitution(t.Context(), "Medicine")
	h.refused(err, fault.Invalid, "school-of-law (School  of Law)")
	for _, name := range []string{"2", "1", "school of law", "School-of-Law"} {
		if _, err := s.UseInstitution(t.Context(), name); err != nil {
			t.Fatal(name, err)
		}
	}
	// Which institution is the primary one does not say for which one something is done.
	_, err = s.RotateKey(t.Context(), false)
	h.refused(err, fault.Invalid, "northgate-institute (Northgate Institute), school-of-law")
	ofLaw := institutions.NewContext(t.Context(), law.ID)
	key, err := s.RotateKey(ofLaw, false)
	h.ok(err)
	if key.Fingerprint == first.Fingerprint || !strings.HasPrefix(key.Subject, "School") || h.news != 5 {
		t.Errorf("signs with %+v, after %d news", key, h.news)
	}

	again := h.opened()
	all, err := again.Institutions(ofLaw)
	h.ok(err)
	lawKey, err := again.SigningKey(ofLaw)
	h.ok(err)
	if len(all) != 2 || all[0].Current || !all[1].Current || !all[1].Primary || lawKey != key || !signsFor(again, 1) || signsFor(again, 3) {
		t.Errorf("after a restart: %+v, signs with %+v", all, lawKey)
	}
}

func signsFor(s *institutions.Registry, id uint32) bool {
	stamper, err := s.Stamper(id)
	return err == nil && stamper != nil
}

// A home of an earlier version has no slugs; each institution gets one that stays.
func TestSlugsOfAnEarlierHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, name := range []string{"Łódź University", "Lodz  university!", "北京大学"} {
		_, err := h.records.AddInstitution(t.Context(), vault.Institution{Name: name, TimeZone: "UTC", CreatedAt: h.now})
		h.ok(err)
	}
	want := []string{"lodz-university", "lodz-university-2", "institution-3"}
	for range 2 {
		var slugs []string
		for _, one := range h.opened().All() {
			slugs = append(slugs, one.Slug)
		}
		if !slices.Equal(slugs, want) {
			t.Errorf("the slugs are %q, want %q", slugs, want)
		}
	}
	kept, err := h.records.Institutions(t.Context())
	h.ok(err)
	if kept[1].Slug != want[1] {
		t.Errorf("kept is %+v", kept[1])
	}
}

func TestClosedAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	_, err := s.RemoveInstitution(t.Context(), "1")
	h.refused(err, fault.Illegal, "only institution")
	law, err := s.AddInstitution(t.Context(), adminclient.Settings{Institution: "School of Law", Slug: "law"})
	h.ok(err)
	_, err = s.AddInstitution(t.Context(), adminclient.Settings{Institution: "Other", Slug: "law"})
	h.refused(err, fault.Conflict, `"law"`)
	_, err = s.AddInstitution(t.Context(), adminclient.Settings{Institution: "Other", Slug: "Law/../x"})
	h.refused(err, fault.Invalid, "slug")
	ofLaw := institutions.NewContext(t.Context(), law.ID)
	for _, act := range []func(context.Context, string) (adminclient.Institution, error){s.CloseInstitution, s.RemoveInstitution} {
		_, err = act(t.Context(), "1")
		h.refused(err, fault.Illegal, "primary")
	}
	closed, err := s.CloseInstitution(t.Context(), "law")
	h.ok(err)
	if closed.ClosedAt == nil || !s.Acting(ofLaw).Closed() {
		t.Errorf("closed: %+v", closed)
	}
	_, err = h.opened().RotateKey(ofLaw, false)
	h.refused(err, fault.Illegal, "School of Law was closed on 2026-05-02")
	_, err = s.UseInstitution(t.Context(), "law")
	h.refused(err, fault.Illegal, "closed")
	if open, err := s.ReopenInstitution(t.Context(), "law"); err != nil || open.ClosedAt != nil || s.Acting(ofLaw).Closed() {
		t.Errorf("opened again: %+v, %v", open, err)
	}
	key := filepath.Join(h.dir.Keys(), "signing-2.pem")
	if _, err := os.Stat(key); err != nil {
		t.Fatal(err)
	}
	_, err = s.RemoveInstitution(t.Context(), "law")
	h.ok(err)
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) || len(h.opened().All()) != 1 || s.Several() {
		t.Errorf("after the removal: %v, %+v", err, s.All())
	}
}

// Two institutions of one name could not be told apart where staff name one.
func TestNamesStayApart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	for _, name := range []string{"School of Law", "1"} {
		_, err := s.AddInstitution(t.Context(), adminclient.Settings{Institution: name})
		h.ok(err)
	}
	first := institutions.NewContext(t.Context(), 1)
	h.refused(s.Configure(t.Context(), adminclient.Settings{Institution: "Westgate Institute"}), fault.Invalid, "several institutions")
	for _, name := range []string{"school of LAW", "School  of\u00a0Law", " school of law "} {
		h.refused(s.Configure(first, adminclient.Settings{Institution: name}), fault.Conflict, "already")
	}
	h.ok(s.Configure(t.Context(), adminclient.Settings{BaseURL: "https://certificates.example.edu"})) // the home's
	if s.Primary().Name != "Northgate Institute" {
		t.Errorf("it is %q now", s.Primary().Name)
	}
	h.ok(s.Configure(first, adminclient.Settings{Institution: "NORTHGATE INSTITUTE"})) // its own
	for range 20 {
		if got, err := s.UseInstitution(t.Context(), "1"); err != nil || got.ID != 1 {
			t.Fatalf("1 is %+v, %v", got, err)
		}
	}
}

func TestAKeyGoesWithTheName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	first := h.key(s)
	h.ok(s.Configure(t.Context(), adminclient.Settings{Institution: "Southgate Institute", BaseURL: "https://certificates.example.edu"}))
	named := h.key(s)
	if named.Subject != "Southgate Institute" || named.Fingerprint == first.Fingerprint || s.BaseURL() != "https://certificates.example.edu" {
		t.Errorf("signs with %+v, at %s", named, s.BaseURL())
	}
	h.issued = vault.Counts{Approved: 1}
	h.ok(s.Configure(t.Context(), adminclient.Settings{Institution: "Eastgate Institute"}))
	if h.key(s) != named {
		t.Errorf("what was issued under %+v is followed by %+v", named, h.key(s))
	}

	h.ok(os.Remove(filepath.Join(h.dir.Keys(), "signing.pem")))
	_, err := h.opened().SigningKey(t.Context())
	h.refused(err, fault.Damaged, "signing.pem")
	h.issued = vault.Counts{}
	if again := h.opened(); h.key(again).Subject != "Eastgate Institute" {
		t.Errorf("a key that had signed nothing is replaced by %+v", h.key(again))
	}
}

func TestAnImportedKeyOutlivesANewName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	own, err := s.ImportKey(t.Context(), certifiedBy(t, "Example CA", h.now))
	h.ok(err)
	h.ok(s.Configure(t.Context(), adminclient.Settings{Institution: "Southgate Institute"}))
	if h.key(s) != own.SigningKey || h.key(h.opened()) != own.SigningKey {
		t.Errorf("the imported key %+v is followed by %+v", own, h.key(h.opened()))
	}
}

// Settings that were kept in part are complete when they are given again.
func TestInterruptedSettings(t *testing.T) {
	t.Parallel()
	wanted := adminclient.Settings{Institution: "Southgate Institute", BaseURL: "https://certificates.example.edu"}
	for name, breakIt := range map[string]func(*house) func(){
		"config.yaml cannot be written": func(h *house) func() {
			h.ok(os.Mkdir(h.dir.Config(), 0o700))
			return func() { h.ok(os.Remove(h.dir.Config())) }
		},
		"the key cannot be written": func(h *house) func() {
			aside := h.dir.Keys() + ".aside"
			h.ok(os.Rename(h.dir.Keys(), aside))
			return func() { h.ok(os.Rename(aside, h.dir.Keys())) }
		},
		"the store takes nothing": func(h *house) func() {
			h.broken = errors.New("the store takes nothing")
			return func() { h.broken = nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			mend := breakIt(h)
			s, err := h.open()
			if err != nil { // what is broken is needed to open it
				mend()
				s = h.opened()
				mend = breakIt(h)
			}
			if err := s.Configure(t.Context(), wanted); err == nil {
				t.Fatal("kept nevertheless")
			}
			mend()
			if was := h.opened().Primary(); was.Name != "Northgate Institute" {
				t.Errorf("what failed has named it %q", was.Name)
			}
			s = h.opened() // as after a crash
			h.ok(s.Configure(t.Context(), wanted))
			set, err := config.Load(config.Source{Home: string(h.dir), File: config.File(h.dir.Config())})
			h.ok(err)
			if again := h.opened(); again.Primary().Name != wanted.Institution || h.key(again).Subject != wanted.Institution || set.BaseURL != wanted.BaseURL {
				t.Errorf("%q signs with %+v, at %q", again.Primary().Name, h.key(again), set.BaseURL)
			}
		})
	}
}

func TestReplacingKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	first := h.key(s)
	second, err := s.RotateKey(t.Context(), false)
	h.ok(err)
	if second.Fingerprint == first.Fingerprint || h.key(h.opened()) != second {
		t.Errorf("%+v is replaced by %+v", first, second)
	}
	kept, err := filepath.Glob(filepath.Join(h.dir.Keys(), "signing-until-*.pem"))
	if err != nil || len(kept) != 1 {
		t.Errorf("the key before lies in %v, %v", kept, err)
	}
	second, err = s.RotateKey(t.Context(), false) // in the same second
	h.ok(err)
	if kept, err = filepath.Glob(filepath.Join(h.dir.Keys(), "signing-until-*.pem")); err != nil || len(kept) != 2 {
		t.Errorf("the two keys before lie in %v, %v", kept, err)
	}

	certified := func(from time.Time) []byte {
		key, cert, err := pdf.NewSelfSigned(rand.Reader, "Registrar", from, 1)
		h.ok(err)
		return append(key, cert...)
	}
	for name, from := range map[string]time.Time{"ended": h.now.AddDate(-2, 0, 0), "to come": h.now.AddDate(1, 0, 0)} {
		_, err := s.ImportKey(t.Context(), certified(from))
		h.refused(err, fault.Invalid, "valid now")
		if h.key(s) != second {
			t.Errorf("a key whose time is %s is used", name)
		}
	}
	_, err = s.ImportKey(t.Context(), []byte("no key"))
	h.refused(err, fault.Invalid, "no private key")
	own, err := s.ImportKey(t.Context(), certified(h.now))
	h.ok(err)
	keys, err := s.Keys()
	h.ok(err)
	if own.Subject != "Registrar" || h.key(s) != own.SigningKey || len(keys) != 4 || keys[0].ID != own.Fingerprint[:16] {
		t.Errorf("imported %+v, signs with %+v, lists %+v", own, h.key(s), keys)
	}

	if found := s.Problems(); len(found) != 0 || !s.KeyExpiry().Equal(own.ValidUntil) {
		t.Errorf("%+v, ends %v", found, s.KeyExpiry())
	}
	for left, word := range map[time.Duration]string{59 * 24 * time.Hour: "ends on", -time.Hour: "ended on"} {
		h.now = own.ValidUntil.Add(-left)
		if found := s.Problems(); len(found) != 1 || !strings.Contains(found[0].Message, word) || !strings.Contains(found[0].Message, "Northgate Institute") {
			t.Errorf("%v before the end: %+v", left, found)
		}
	}
}

func TestACertifiedKeyIsNotReplacedInSilence(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	_, err := s.ImportKey(t.Context(), certifiedBy(t, "Example CA", h.now))
	h.ok(err)
	_, err = s.RotateKey(t.Context(), false)
	h.refused(err, fault.Illegal, "Example CA")
	if made, err := s.RotateKey(t.Context(), true); err != nil || made.Issuer != "Northgate Institute" {
		t.Errorf("%+v, %v", made, err)
	}
}

func picture(t *testing.T, encode func(*bytes.Buffer, image.Image) error, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(b *bytes.Buffer, i image.Image) error  { return png.Encode(b, i) }
func asJPEG(b *bytes.Buffer, i image.Image) error { return jpeg.Encode(b, i, nil) }
func asGIF(b *bytes.Buffer, i image.Image) error  { return gif.Encode(b, i, nil) }

func TestLogos(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	small := picture(t, asPNG, 40, 20)
	for _, tt := range []struct {
		name, kind, complaint string
		data                  []byte
	}{
		{name: "a PNG", data: small, kind: "image/png"},
		{name: "a JPEG", data: picture(t, asJPEG, 40, 20), kind: "image/jpeg"},
		{name: "as wide as may be", data: picture(t, asPNG, 2000, 1), kind: "image/png"},
		{name: "too wide", data: picture(t, asPNG, 2001, 1), complaint: "2001 by 1 pixels"},
		{name: "a GIF", data: picture(t, asGIF, 4, 4), complaint: "neither a PNG nor a JPEG"},
		{name: "a text", data: []byte("<svg/>"), complaint: "neither a PNG nor a JPEG"},
		{name: "too large", data: append(bytes.Clone(small), make([]byte, vault.MaxLogo)...), complaint: "want at most 256"},
		{name: "none", data: []byte{}},
	} {
		before := s.Primary().Logo
		err := s.Configure(t.Context(), adminclient.Settings{Logo: &tt.data})
		after := s.Primary().Logo
		switch {
		case tt.complaint != "":
			h.refused(err, fault.Invalid, tt.complaint)
			if after != before {
				t.Errorf("%s is shown", tt.name)
			}
		case tt.kind == "":
			if err != nil || after != nil {
				t.Errorf("%s: %v, %v", tt.name, after, err)
			}
		case err != nil || after == nil || after.Type != tt.kind || !bytes.Equal(after.Data, tt.data):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestWhoMayApply(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.opened()
	h.ok(s.Configure(t.Context(), adminclient.Settings{ApplicationPolicy: &adminclient.ApplicationPolicy{Who: "anyone", Titles: []string{" Diploma "}}}))
	h.refused(s.Configure(t.Context(), adminclient.Settings{ApplicationPolicy: &adminclient.ApplicationPolicy{Who: "martians"}}), fault.Invalid, "martians")
	all, err := h.opened().Institutions(t.Context())
	h.ok(err)
	if got := all[0].ApplicationPolicy; got.Who != "anyone" || len(got.Titles) != 1 || got.Titles[0] != "Diploma" {
		t.Errorf("%+v", got)
	}
}

// certifiedBy makes a key with a certificate of somebody else, in PEM.
func certifiedBy(t *testing.T, authority string, now time.Time) []byte {
	t.Helper()
	issuerKey, issuerCert, err := pdf.NewSelfSigned(rand.Reader, authority, now, 1)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(issuerCert, issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Registrar"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	cert, err := x509.CreateCertificate(rand.Reader, about, pair.Leaf, &key.PublicKey, pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
}
