package agent_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// chromium starts a browser, or skips the test where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium here; scripts/test installs it")
	}
	const patience = 5 * time.Minute
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to run as root with it
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}

// writeSite writes the static site of an agent into a folder.
func writeSite(t *testing.T, c *adminclient.Client) string {
	t.Helper()
	dir := t.TempDir()
	_, err := c.Site(t.Context(), func(name string, content []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// inSignature changes the first occurrence of a text in a PDF's signature, whose length stays.
func inSignature(t *testing.T, file []byte, old, changed string) []byte {
	t.Helper()
	for _, digits := range []string{hex.EncodeToString([]byte(old)), strings.ToUpper(hex.EncodeToString([]byte(old)))} {
		if at := bytes.LastIndex(file, []byte(digits)); at >= 0 {
			file = slices.Clone(file)
			copy(file[at:], hex.EncodeToString([]byte(changed)))
			return file
		}
	}
	t.Fatalf("the signature has no %q", old)
	return nil
}

// The page of the static site is opened as a file, and judges files in a real browser.
func TestStaticSiteJudgesFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser := chromium(t)
	during(t, filepath.Join(t.TempDir(), "home"), "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 7)
		q.NoWait = false
		report := bulk(t, c, q)
		var genuine, revoked bytes.Buffer
		for i, to := range []*bytes.Buffer{&genuine, &revoked} {
			if _, err := c.Download(t.Context(), report.Rows[i].UUID, to); err != nil {
				t.Fatal(err)
			}
		}
		proof, _ := provenEntry(t, c, report.Rows[0].UUID)
		index, size := fmt.Sprintf("index %d", proof.Index), fmt.Sprintf("\n%d\n", proof.Checkpoint.Size)
		otherIndex, otherSize := fmt.Sprintf("index %d", (proof.Index+1)%8), fmt.Sprintf("\n%d\n", proof.Checkpoint.Size+1)
		if _, err := c.Revoke(t.Context(), report.Rows[1].UUID, "mistaken"); err != nil {
			t.Fatal(err)
		}
		var foreign bytes.Buffer
		during(t, filepath.Join(t.TempDir(), "forger"), "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(_ *agent.Agent, c *adminclient.Client) {
			q := manifestOf(t, 1)
			q.NoWait = false
			if _, err := c.Download(t.Context(), bulk(t, c, q).Rows[0].UUID, &foreign); err != nil {
				t.Fatal(err)
			}
		})
		altered := slices.Clone(genuine.Bytes())
		altered[bytes.Index(altered, []byte("Person"))] = 'p'
		proofName := "\x69\x81\xfa\x8a\x9f\xcb\xd3\xc4"
		page := "file://" + filepath.Join(writeSite(t, c), "index.html")
		if err := chromedp.Do(browser, chromedp.EmulateViewport(800, 1300)); err != nil {
			t.Fatal(err)
		}
		for i, one := range []struct {
			name string
			file []byte
			want []string
		}{
			{"genuine", genuine.Bytes(), []string{"Genuine", "Person 0", "The signature holds, under the certificate of", fmt.Sprintf("entry %d of the log", proof.Index), "byte for byte"}},
			{"revoked", revoked.Bytes(), []string{"Revoked", "mistaken", "The signature holds", "of the log"}},
			{"altered", altered, []string{"Not valid", "The bytes are not those that were signed"}},
			{"added", append(slices.Clone(genuine.Bytes()), "more"...), []string{"Not valid", "4 bytes were added behind the signature"}},
			{"stripped", inSignature(t, genuine.Bytes(), proofName, "\x69\x81\xfa\x8a\x9f\xcb\xd3\xc5"), []string{"Not valid", "carries no log proof although it should"}},
			{"swapped", inSignature(t, genuine.Bytes(), index, otherIndex), []string{"Not valid", "The log proof does not hold: it is that of another document"}},
			{"outdated", inSignature(t, genuine.Bytes(), size, otherSize), []string{"Not valid", "The log proof does not hold: its checkpoint is not signed"}},
			{"foreign", foreign.Bytes(), []string{"Not known here", "This site knows no certificate", "This site does not have that log"}},
			{"no certificate", []byte("text"), []string{"Not a certificate"}},
		} {
			path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.pdf", i))
			if err := os.WriteFile(path, one.file, 0o600); err != nil {
				t.Fatal(err)
			}
			shown := judgeFile(browser, t, page, path)
			for _, want := range one.want {
				if !strings.Contains(shown, want) {
					t.Errorf("%s: the page does not say %q:\n%s", one.name, want, shown)
				}
			}
			if one.name != "genuine" && strings.Contains(shown, "Genuine") {
				t.Errorf("%s: the page says that it is genuine", one.name)
			}
			keepPicture(browser, t, "site-"+strings.ReplaceAll(one.name, " ", "-"))
		}
		// A link to a certificate, by its reference ID.
		shown := textAfter(browser, t, page+"?#"+report.Rows[1].ReferenceID)
		if !strings.Contains(shown, "Revoked on 2026-05-02: mistaken") || strings.Contains(shown, "example.org") {
			t.Errorf("the link shows %s", shown)
		}
	})
}

// judgeFile has the page judge a file, and returns what it says.
func judgeFile(browser context.Context, t *testing.T, page, path string) string {
	t.Helper()
	if err := chromedp.Do(browser, chromedp.Navigate(page), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path})); err != nil {
		t.Fatal(err)
	}
	return textOf(browser, t)
}

// textAfter opens a page and returns its result.
func textAfter(browser context.Context, t *testing.T, page string) string {
	t.Helper()
	if err := chromedp.Do(browser, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	return textOf(browser, t)
}

// textOf waits for the page's result.
func textOf(browser context.Context, t *testing.T) string {
	t.Helper()
	if _, err := chromedp.Run(browser, chromedp.Poll[bool](`document.querySelector("#result section") !== null`, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(browser, chromedp.Evaluate[string](`document.getElementById("result").innerText`))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// keepPicture keeps a picture of the page in the folder that the environment names.
func keepPicture(browser context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("VECCTL_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(browser, chromedp.FullScreenshot(90))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Once a person is erased, nothing that is published leads from them to their entry in the log,
// or back. Who has the PDF still proves the entry.
func TestAnErasedPersonIsInNoPublishedLog(t *testing.T) {
	during(t, filepath.Join(t.TempDir(), "home"), "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 3)
		q.NoWait = false
		bulk(t, c, q)
		person := certificateOf(t, c, "p1@example.org")
		proof, text := provenEntry(t, c, person.UUID)
		var held bytes.Buffer
		if _, err := c.Download(t.Context(), person.UUID, &held); err != nil {
			t.Fatal(err)
		}
		salt, _, _ := strings.Cut(strings.SplitAfter(string(text), "\nextra ")[1], "\n")
		before := writeSite(t, c)
		if _, err := c.EraseRecipient(t.Context(), "p1@example.org", ""); err != nil {
			t.Fatal(err)
		}
		after := writeSite(t, c)
		prefix := filepath.Join("log", "*", "tile", "entries", "000.p", "3")
		if !bytes.Equal(onlyFile(t, before, prefix), onlyFile(t, after, prefix)) {
			t.Error("the entries of the log have changed")
		}
		index := onlyFile(t, after, filepath.Join("certificates", person.ReferenceID[len(person.ReferenceID)-2:]+".js"))
		for what, word := range map[string]string{
			"name": "Person 1", "address": "p1@example.org", "sum": person.Verified.SHA256, "salt": salt, "place": fmt.Sprintf(`"index":%d}`, proof.Index),
		} {
			if bytes.Contains(index, []byte(word)) {
				t.Errorf("the index has the %s of the erased person:\n%s", what, index)
			}
		}
		if !bytes.Contains(index, []byte(person.ReferenceID)) {
			t.Error("the index does not say that the certificate was withdrawn")
		}
		found, err := pdf.Verify(bytes.NewReader(held.Bytes()), int64(held.Len()))
		if err != nil || !found.Valid || found.Signatures[0].Log.Proof == nil || found.Signatures[0].Log.Proof.Index != proof.Index {
			t.Errorf("the PDF that the person holds is %s (%v)", found.Sentence, err)
		}
	})
}

// onlyFile reads the one file of a folder that a pattern matches.
func onlyFile(t *testing.T, dir, pattern string) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s matches %v (%v)", pattern, found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The site has the certificates that were signed with before a key was replaced.
func TestStaticSiteHasEarlierKeys(t *testing.T) {
	began := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, filepath.Join(t.TempDir(), "home"), "UTC", began, func(_ *agent.Agent, c *adminclient.Client) {
		first, err := c.SigningKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.RotateKey(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		site := writeSite(t, c)
		var keys struct {
			Institutions []struct {
				CertificateSHA256 string `json:"certificate_sha256"`
				Earlier           []struct {
					CertificateSHA256 string    `json:"certificate_sha256"`
					File              string    `json:"file"`
					Until             time.Time `json:"until"`
				} `json:"earlier"`
			} `json:"institutions"`
		}
		if err := json.Unmarshal(onlyFile(t, site, filepath.Join("keys", "keys.json")), &keys); err != nil {
			t.Fatal(err)
		}
		one := keys.Institutions[0]
		if len(one.Earlier) != 1 || one.Earlier[0].CertificateSHA256 != first.Fingerprint || one.CertificateSHA256 == first.Fingerprint || !one.Earlier[0].Until.Equal(began) {
			t.Errorf("the keys are %+v, and the first was %s", keys, first.Fingerprint)
		}
		if pem := onlyFile(t, site, filepath.FromSlash(one.Earlier[0].File)); !bytes.HasPrefix(pem, []byte("-----BEGIN CERTIFICATE-----")) || bytes.Contains(pem, []byte("PRIVATE")) {
			t.Errorf("the file is %s", pem)
		}
	})
}
