package agent_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/pdf/pkitest"
)

// newAuthority starts a certificate authority for a test.
func newAuthority(t testing.TB) *pkitest.Authority {
	t.Helper()
	a, err := pkitest.New(nil, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// levelSettings are those of a home whose files get a level.
func levelSettings(a *pkitest.Authority, level string) map[string]string {
	return map[string]string{"VECCTL_SIGNING_TIMESTAMPS": a.TimestampURL(), "VECCTL_SIGNING_LEVEL": level, "VECCTL_SIGNING_ALLOW_PRIVATE": "true"}
}

// importIssued has a home sign with a key whose certificate an authority made.
func importIssued(t *testing.T, c *adminclient.Client, a *pkitest.Authority, rsaKey bool) pkitest.Signer {
	t.Helper()
	s, err := a.Issue("Registrar", rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.PEM(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ImportKey(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	return s
}

// downloaded is the verified PDF of a certificate, with the verdict on it.
func downloaded(t *testing.T, c *adminclient.Client, uuid string) ([]byte, pdf.Verdict) {
	t.Helper()
	var file bytes.Buffer
	if _, err := c.Download(t.Context(), uuid, &file); err != nil {
		t.Fatal(err)
	}
	v, err := pdf.Verify(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), v
}

// Files get the level of the settings, with a key of an authority and with one made by the home,
// and are written into the folder of the results as they are in the end.
func TestSealLevels(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for _, own := range []bool{false, true} {
		for level, want := range map[string]string{"t": "B-T", "lt": "B-LT", "lta": "B-LTA"} {
			t.Run(level, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "home")
				runningWith(t, dir, levelSettings(a, level), 0, func(c *adminclient.Client) {
					if !own {
						importIssued(t, c, a, false)
					}
					q := manifestOf(t, 3)
					q.NoWait = false
					r := issue(t, c, q)
					if r.Issued != 3 || r.LevelsOwed != 0 || r.Rows[0].Level != want {
						t.Fatalf("%+v", r)
					}
					for _, row := range r.Rows {
						file, v := downloaded(t, c, row.UUID)
						one, err := c.Certificate(t.Context(), row.UUID)
						if err != nil || !v.Valid || string(v.Level) != want || one.Verified.Level != want || one.Verified.LevelOwed != "" || one.Verified.TimestampUntil == nil || one.Verified.Size != int64(len(file)) {
							t.Errorf("own %v: level %q: %s; %+v, %v", own, v.Level, v.Sentence, one.Verified, err)
						}
						written, err := os.ReadFile(filepath.Join(r.Out, row.File))
						if err != nil || !bytes.Equal(written, file) {
							t.Errorf("the file in the folder is another one: %d bytes of %d, %v", len(written), len(file), err)
						}
					}
					report, err := os.ReadFile(filepath.Join(r.Out, "report.csv"))
					if err != nil || strings.Count(string(report), ","+want+",") != 3 {
						t.Errorf("the report says %s, %v", report, err)
					}
				})
			})
		}
	}
}

// What a server does not answer is owed, counted and shown, and added when it answers.
func TestALevelThatIsOwed(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	down := pkitest.Status(503)
	a.Handle("/ocsp", down)
	a.Handle("/middle.crl", down)
	dir := filepath.Join(t.TempDir(), "home")
	q := manifestOf(t, 3)
	q.NoWait = false
	var before client.BulkReport
	runningWith(t, dir, levelSettings(a, "lta"), 0, func(c *adminclient.Client) {
		importIssued(t, c, a, false)
		r := issue(t, c, q)
		if r.Issued != 3 || r.LevelsOwed != 3 || r.Rows[0].Level != "B-T" || r.Rows[0].LevelOwed != "B-LTA" || len(r.Warnings) == 0 {
			t.Fatalf("%+v", r)
		}
		before = r
		s := waitStatus(t, c, func(s adminclient.AgentStatus) bool { return problemSays(s, "levels", "status 503") })
		if q := s.Jobs["preserve"]; q.Waiting+q.Later != 3 || !problemSays(s, "levels", "3 verified PDFs wait") {
			t.Errorf("%+v, %+v", s.Jobs, s.Problems)
		}
	})
	a.Handle("/ocsp", nil)
	a.Handle("/middle.crl", nil)
	runningWith(t, dir, levelSettings(a, "lta"), 2*time.Minute, func(c *adminclient.Client) {
		waitStatus(t, c, func(s adminclient.AgentStatus) bool { return s.Jobs["preserve"].Waiting+s.Jobs["preserve"].Later == 0 })
		waitReport(t, before.Out, ",B-LTA,", 3)
		// The files and the report in the folder are the new ones without another run.
		for _, row := range before.Rows {
			file, v := downloaded(t, c, row.UUID)
			if !v.Valid || v.Level != pdf.LevelLTA {
				t.Errorf("level %q: %s", v.Level, v.Sentence)
			}
			written, err := os.ReadFile(filepath.Join(before.Out, row.File))
			if err != nil || !bytes.Equal(written, file) {
				t.Errorf("the file in the folder is an old one: %v", err)
			}
		}
	})
}

// Files whose time stamps end are renewed, each once, and those that do not are left alone.
func TestSealsAreRenewed(t *testing.T) {
	t.Parallel()
	clock := pkitest.NewFixed(time.Now())
	a, err := pkitest.New(clock, 60*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	dir := filepath.Join(t.TempDir(), "home")
	q := manifestOf(t, 3)
	q.NoWait = false
	var first client.BulkReport
	none := func(client.Progress) {}
	runningWith(t, dir, levelSettings(a, "t"), 0, func(c *adminclient.Client) {
		importIssued(t, c, a, false)
		first = issue(t, c, q)
		if due, err := c.SealsDue(t.Context(), adminclient.SealFilter{Within: 30 * 24 * time.Hour}); err != nil || due.Due != 0 || due.Examined != 3 {
			t.Errorf("%+v, %v", due, err)
		}
	})
	if err := a.RenewTimestampKey(900 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	within := adminclient.SealFilter{Within: 90 * 24 * time.Hour}
	runningWith(t, dir, levelSettings(a, "t"), 0, func(c *adminclient.Client) {
		before, _ := downloaded(t, c, first.Rows[0].UUID)
		due, err := c.SealsDue(t.Context(), within)
		if err != nil || due.Due != 3 || due.Seals[0].Status != adminclient.SealDue || due.Seals[0].Level != "B-T" {
			t.Errorf("%+v, %v", due, err)
		}
		one, err := c.RenewSeals(t.Context(), adminclient.SealFilter{Certificate: first.Rows[0].ReferenceID}, none)
		if err != nil || one.Renewed != 1 || one.Owed != 0 || one.Seals[0].Level != "B-LTA" {
			t.Errorf("%+v, %v", one, err)
		}
		rest, err := c.RenewSeals(t.Context(), within, none)
		if err != nil || rest.Examined != 3 || rest.Due != 2 || rest.Renewed != 2 {
			t.Errorf("%+v, %v", rest, err)
		}
		again, err := c.RenewSeals(t.Context(), within, none)
		if err != nil || again.Due != 0 {
			t.Errorf("a second run: %+v, %v", again, err)
		}
		for _, row := range first.Rows {
			file, v := downloaded(t, c, row.UUID)
			if !v.Valid || v.Level != pdf.LevelLTA || len(v.Signatures) != 2 {
				t.Errorf("level %q, %d signatures: %s", v.Level, len(v.Signatures), v.Sentence)
			}
			written, err := os.ReadFile(filepath.Join(first.Out, row.File))
			if err != nil || !bytes.Equal(written, file) {
				t.Errorf("the file in the folder is an old one: %v", err)
			}
		}
		// The file before is a part of the new one, and is found as genuine.
		now, _ := downloaded(t, c, first.Rows[0].UUID)
		cert, err := c.Certificate(t.Context(), first.Rows[0].UUID)
		if err != nil || !bytes.HasPrefix(now, before) || len(cert.Verified.Earlier) != 1 {
			t.Errorf("%+v, %v", cert.Verified, err)
		}
	})
	// Years later, the time stamp of the renewal ends, too.
	runningWith(t, dir, levelSettings(a, "t"), 0, func(c *adminclient.Client) {
		r, err := c.RenewSeals(t.Context(), adminclient.SealFilter{Within: 1000 * 24 * time.Hour}, none)
		if err != nil || r.Renewed != 3 {
			t.Fatalf("%+v, %v", r, err)
		}
		if _, v := downloaded(t, c, first.Rows[0].UUID); !v.Valid || len(v.Signatures) != 3 || v.Level != pdf.LevelLTA {
			t.Errorf("renewed again: %d signatures, level %q: %s", len(v.Signatures), v.Level, v.Sentence)
		}
	})
}
