package openbadge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
)

// issuer is one with its documents.
type issuer struct {
	*testing.T
	*openbadge.Signer
	did       string
	documents map[string][]byte
}

// Document implements openbadge.Source.
func (i *issuer) Document(_ context.Context, address string) ([]byte, error) {
	if d := i.documents[address]; d != nil {
		return d, nil
	}
	return nil, fault.Newf(fault.Unavailable, "%s cannot be reached", address)
}

const listAddress = "https://vault.example.edu:8443/badges/status/1"

func now() time.Time { return time.Date(2026, 6, 15, 9, 0, 0, 0, time.UTC) }

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	did, err := openbadge.DIDWeb("https://vault.example.edu:8443/vault")
	if err != nil || did != "did:web:vault.example.edu%3A8443:vault" {
		t.Fatal(did, err)
	}
	i := &issuer{T: t, did: did, documents: map[string][]byte{}}
	old, current := i.newKey(1), i.newKey(2)
	i.Signer = openbadge.NewSigner(did, current)
	i.lists(old, current)
	i.publish(openbadge.NewStatusList(), farAway())
	return i
}

func (i *issuer) newKey(n byte) openbadge.SigningKey {
	i.Helper()
	k, err := openbadge.NewSigningKey(bytes.Repeat([]byte{n}, 32), now())
	if err != nil {
		i.Fatal(err)
	}
	return k
}

// lists publishes the DID document with some keys.
func (i *issuer) lists(keys ...openbadge.SigningKey) {
	i.Helper()
	address, err := openbadge.DIDDocumentURL(i.did)
	if err != nil || address != "https://vault.example.edu:8443/vault/did.json" {
		i.Fatal(address, err)
	}
	if i.documents[address], err = openbadge.DIDDocument(i.did, keys); err != nil {
		i.Fatal(err)
	}
}

// farAway is a moment that does not come while these tests are run: other makers' software looks at
// the clock of the machine.
func farAway() time.Time { return now().AddDate(200, 0, 0) }

// publish publishes a status list that is good until a moment.
func (i *issuer) publish(l *openbadge.StatusList, until time.Time) {
	i.Helper()
	c, err := l.Credential(i.did, listAddress, now(), until)
	if err == nil {
		c, err = i.Sign(c, now())
	}
	if err != nil {
		i.Fatal(err)
	}
	i.documents[listAddress] = i.json(c)
}

func (i *issuer) json(value any) []byte {
	i.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		i.Fatal(err)
	}
	return data
}

// award is what credentials of tests say.
func award(title, name string) openbadge.Award {
	return openbadge.Award{
		ID: "https://vault.example.edu/v/VEC-IC-2026ABC/badge.json", IssuerName: "Northgate \"Institute\"", IssuerURL: "https://vault.example.edu/",
		Title: title, Description: title + ", awarded by Northgate", Criteria: "The institution decides.",
		Picture: "https://vault.example.edu/badge/x.png", Email: "Ada@Example.org", Salt: "salt", Name: name,
		ValidFrom: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), ValidUntil: time.Date(2028, 5, 31, 21, 59, 59, 0, time.UTC),
		Evidence: "https://vault.example.edu/v/VEC-IC-2026ABC", EvidenceText: "SHA-256 ab",
		Status: openbadge.StatusEntry{List: listAddress, Index: 4711},
	}
}

// signed returns an award as JSON, as a token, and baked in every way.
func (i *issuer) signed(a openbadge.Award) map[string][]byte {
	i.Helper()
	c := a.Credential(i.did)
	proven, err := i.Sign(c, now())
	if err != nil {
		i.Fatal(err)
	}
	token, err := i.SignJWT(c)
	if err != nil {
		i.Fatal(err)
	}
	text := i.json(proven)
	files := map[string][]byte{"json": text, "jwt": []byte(token + "\n")}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		i.Fatal(err)
	}
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="4"><title>x</title></svg>`)
	for name, credential := range map[string]string{"json": string(text), "jwt": token} {
		if files[name+".png"], err = openbadge.BakePNG(picture.Bytes(), credential); err != nil {
			i.Fatal(err)
		}
		if files[name+".svg"], err = openbadge.BakeSVG(svg, credential); err != nil {
			i.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(files[name+".png"])); err != nil {
			i.Errorf("the baked picture is none: %v", err)
		}
	}
	return files
}

func (i *issuer) verify(file []byte, at time.Time) openbadge.Verification {
	i.Helper()
	found, err := (&openbadge.Verifier{Source: i, Now: at}).Verify(i.Context(), file)
	if err != nil {
		i.Fatal(err)
	}
	return found
}

// TestVerify goes through what can become of a credential, in each form.
func TestVerify(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for form, file := range i.signed(award("Diploma", "Ada")) {
		found := i.verify(file, now())
		if found.Verdict != openbadge.VerdictValid || found.Title != "Diploma" || found.Name != "Ada" || found.Issuer != i.did ||
			found.IssuedBy != `Northgate "Institute"` || len(found.Unknown) > 0 || form != strings.Trim(found.Form+"."+found.Picture, ".") {
			t.Errorf("%s: %+v", form, found)
		}
		if found := i.verify(file, now().AddDate(3, 0, 0)); found.Verdict != openbadge.VerdictExpired {
			t.Errorf("%s, after its end: %+v", form, found)
		}
		if found := i.verify(file, now().AddDate(0, -1, 0)); found.Verdict != openbadge.VerdictNotYetValid {
			t.Errorf("%s, before its begin: %+v", form, found)
		}
		offline := openbadge.Verifier{Source: openbadge.Offline{}, Now: now()}
		if found, err := offline.Verify(t.Context(), file); err != nil || found.Verdict != openbadge.VerdictNotKnown || len(found.Unknown) != 1 {
			t.Errorf("%s, without the issuer: %+v (%v)", form, found, err)
		}
	}
	list := openbadge.NewStatusList()
	list.Set(4711)
	i.publish(list, farAway())
	for form, file := range i.signed(award("Diploma", "Ada")) {
		if found := i.verify(file, now()); found.Verdict != openbadge.VerdictRevoked {
			t.Errorf("%s, revoked: %+v", form, found)
		}
		// The list was made a moment after the check began, or by a clock that is ahead.
		if found := i.verify(file, now().Add(-time.Second)); found.Verdict != openbadge.VerdictRevoked {
			t.Errorf("%s, revoked a moment ago: %+v", form, found)
		}
	}
	i.publish(openbadge.NewStatusList(), now().Add(-time.Hour))
	for form, file := range i.signed(award("Diploma", "Ada")) {
		if found := i.verify(file, now()); len(found.Unknown) != 1 || !strings.Contains(found.Unknown[0], "does not count (expired)") {
			t.Errorf("%s, with a list that is out of date: %+v", form, found)
		}
	}
	delete(i.documents, listAddress)
	for form, file := range i.signed(award("Diploma", "Ada")) {
		if found := i.verify(file, now()); found.Verdict != openbadge.VerdictValid || len(found.Unknown) != 1 || !strings.Contains(found.Unknown[0], "revoked") {
			t.Errorf("%s, without the list: %+v", form, found)
		}
	}
	i.lists(i.newKey(1)) // which did not sign it
	for form, file := range i.signed(award("Diploma", "Ada")) {
		if found := i.verify(file, now()); found.Verdict != openbadge.VerdictForeignKey {
			t.Errorf("%s, by a key that is not listed: %+v", form, found)
		}
	}
}

// TestAlteredCredential changes each member of a credential, and the signature.
func TestAlteredCredential(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	files := i.signed(award("Diploma", "Ada"))
	for _, change := range [][2]string{
		{`"Diploma"`, `"Diplome"`}, {`"identityHash":"Ada"`, `"identityHash":"Adb"`}, {"2028-05-31T21:59:59Z", "2038-05-31T21:59:59Z"},
		{`"statusListIndex":"4711"`, `"statusListIndex":"4712"`}, {`"proofValue":"z`, `"proofValue":"z1`}, {`"salt":"salt"`, `"salt":"selt"`},
		{`"created":"2026-06-15T09:00:00Z"`, `"created":"2026-06-15T09:00:01Z"`}, {`"narrative":"SHA-256 ab"`, `"narrative":"SHA-256 ac"`},
		{"Institute", "University"}, {"sha256$", "sha256$0"},
	} {
		altered := strings.Replace(string(files["json"]), change[0], change[1], 1)
		if altered == string(files["json"]) {
			t.Fatalf("%s is not in the credential", change[0])
		}
		if found := i.verify([]byte(altered), now()); found.Verdict != openbadge.VerdictAltered {
			t.Errorf("%s: %+v", change[1], found)
		}
	}
	// A member that no context defines would not be covered by the signature.
	added := strings.Replace(string(files["json"]), `"type":["AchievementSubject"]`, `"type":["AchievementSubject"],"undefined_term":"x"`, 1)
	if found := i.verify([]byte(added), now()); found.Verdict == openbadge.VerdictValid {
		t.Errorf("with an undefined member: %+v", found)
	}
	token := strings.Split(strings.TrimSpace(string(files["jwt"])), ".")
	token[2] = "AAAA" + token[2][4:]
	if found := i.verify([]byte(strings.Join(token, ".")), now()); found.Verdict != openbadge.VerdictAltered {
		t.Errorf("a token with another signature: %+v", found)
	}
	// Another issuer signs in this one's name.
	forger := openbadge.NewSigner("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", i.newKey(9))
	forged, err := forger.Sign(award("Diploma", "Ada").Credential(i.did), now())
	if err != nil {
		t.Fatal(err)
	}
	if found := i.verify(i.json(forged), now()); found.Verdict != openbadge.VerdictForeignKey {
		t.Errorf("signed by another issuer: %+v", found)
	}
}

// TestAnyScript signs and reads titles and names in any script, with characters that JSON, XML and
// N-Quads escape.
func TestAnyScript(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, text := range []string{
		`He said "yes" \ 'no' <b>&amp;</b> ]]> -->`, "محمد علي", "王小明", "नमस्ते", "Zoe\u0301 😀 \u2028 x", "tab\tline\nend", strings.Repeat("ß", 256), "\u0085\u007f",
	} {
		for form, file := range i.signed(award(text, text)) {
			if found := i.verify(file, now()); found.Verdict != openbadge.VerdictValid || found.Title != text || found.Name != text {
				t.Errorf("%q as %s: %+v", text, form, found)
			}
		}
	}
}

// TestUnreadable reads files that are no credentials.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"nothing": "", "no JSON": "{", "no credential": `{"a": 1}`, "no token": "eyJ.x.y", "a picture": picture.String(), "a short picture": picture.String()[:20],
		"an SVG": `<svg xmlns="http://www.w3.org/2000/svg"/>`, "no algorithm": "eyJhbGciOiJub25lIn0.e30.", "a text": "Hello",
	} {
		if found, err := (&openbadge.Verifier{Source: i, Now: now()}).Verify(t.Context(), []byte(file)); err == nil {
			t.Errorf("%s: %+v", name, found)
		}
	}
	unsigned := i.json(award("Diploma", "Ada").Credential(i.did))
	if found := i.verify(unsigned, now()); found.Verdict != openbadge.VerdictNotSigned {
		t.Errorf("without a proof: %+v", found)
	}
	other := bytes.Replace(unsigned, []byte(`{"@context"`), []byte(`{"proof":{"type":"Ed25519Signature2020"},"@context"`), 1)
	if found := i.verify(other, now()); found.Verdict != openbadge.VerdictNotKnown || len(found.Unknown) != 1 {
		t.Errorf("with another proof: %+v", found)
	}
}

func BenchmarkSign(b *testing.B) {
	key, err := openbadge.NewSigningKey(bytes.Repeat([]byte{1}, 32), now())
	if err != nil {
		b.Fatal(err)
	}
	s := openbadge.NewSigner("did:web:vault.example.edu", key)
	c := award("Diploma", "Ada").Credential(s.Issuer())
	b.Run("eddsa-rdfc-2022", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Sign(c, now()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jwt", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.SignJWT(c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
