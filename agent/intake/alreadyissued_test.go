package intake_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// stamped returns a document with a vault's code and signature behind it.
func stamped(t *testing.T, document []byte, reference string, at pdf.Corner) (whole []byte, sum string) {
	t.Helper()
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "College", now, 1)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	m := pdf.Stamp{Caption: reference, SignedAt: now, Corner: at, URL: "https://vec.example.edu/v/" + reference}
	update, err := pdf.NewStamper(signer).Stamp(pdf.Source{R: bytes.NewReader(document), Size: int64(len(document))}, m)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(document, update.Bytes), hex.EncodeToString(update.SHA256[:])
}

// TestWhatWasIssuedIsNotIssuedAgain submits verified PDFs as documents.
func TestWhatWasIssuedIsNotIssuedAgain(t *testing.T) {
	t.Parallel()
	const own, other = "VEC-IC-2026AAAAAAAAAAAAA", "VEC-IC-2026BBBBBBBBBBBBB"
	d := newDesk(t)
	d.documents(2)
	original, err := os.ReadFile(filepath.Join(d.docs, "d0.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	issued, sum := stamped(t, original, own, pdf.BottomRight)
	signedOver, _ := stamped(t, issued, "", pdf.TopLeft)
	twice, _ := stamped(t, issued, other, pdf.TopLeft)
	foreign, _ := stamped(t, original, other, pdf.TopRight) // at the bottom right our code would cover it
	d.ledger.verified = map[string]*vault.Certificate{sum: {Identity: vault.Identity{Reference: own}}}
	uploads := intake.NewUploads(d.intake, nil)
	for _, test := range []struct {
		name     string
		document []byte
		refused  string // what the refusal says
		warned   bool
	}{
		{"the original", original, "", false},
		{"issued", issued, "this is the verified PDF of certificate " + own, false},
		{"signed over", signedOver, "this is a copy of the verified PDF, saved again, of certificate " + own, false},
		{"with a comment behind it", slices.Concat(issued, []byte("% saved\n")), own, false},
		{"and by another vault", twice, own, false},
		{"another vault's", foreign, "", true},
	} {
		if err := os.WriteFile(filepath.Join(d.docs, "d1.pdf"), test.document, 0o600); err != nil {
			t.Fatal(err)
		}
		found := d.checkAll("Diploma,Another Person,other@example.org,2026-05-03,d1.pdf\n", func(o *intake.CheckRequest) { o.DryRun = true })
		problems, warnings := strings.Join(found.Rows[0].Problems, "; "), found.Warnings
		if (problems != "") != (test.refused != "") || !strings.Contains(problems, test.refused) {
			t.Errorf("%s: in a manifest: %q", test.name, problems)
		}
		warned := strings.Contains(strings.Join(warnings, "; "), `row 1 (file d1.pdf, certificate "`+other+`" of "https://vec.example.edu")`)
		if warned != test.warned {
			t.Errorf("%s: warnings %q", test.name, warnings)
		}
		received, err := uploads.Receive(t.Context(), bytes.NewReader(test.document), "a.pdf")
		received.Discard()
		if message, _ := fault.Message(err); (err != nil) != (test.refused != "") || !strings.Contains(message, test.refused) {
			t.Errorf("%s: uploaded: %v", test.name, err)
		}
	}
	for _, c := range d.check("Diploma,Ann,a@example.org,2026-05-03,d0.pdf\n", nil) {
		c.Discard()
	}
	if n := files(t, d.blobs); n > 0 {
		t.Errorf("%d files of refused documents are left", n)
	}
}

// slowReader returns a few bytes at a time.
type slowReader struct {
	data []byte
	n    int
}

func (r *slowReader) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), r.n)], r.data)
	r.data = r.data[n:]
	if n == 0 {
		return 0, fmt.Errorf("the end")
	}
	return n, nil
}

func TestMarksAreFoundAcrossReads(t *testing.T) {
	t.Parallel()
	text := []byte("0123456789 /VECD_Referenc /VECD_Reference(x) and so on")
	at := bytes.Index(text, []byte(pdf.VaultMark))
	for n := 1; n < len(text); n++ {
		if !intake.HasMark(&slowReader{text, n}) {
			t.Errorf("not found in pieces of %d bytes", n)
		}
		if intake.HasMark(&slowReader{text[:at+len(pdf.VaultMark)-1], n}) {
			t.Errorf("found in pieces of %d bytes where it is not", n)
		}
	}
}
