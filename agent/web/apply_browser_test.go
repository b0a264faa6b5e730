package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vecctl/vecctl/pkg/vault"
)

// looks shows the page that is there on a phone and a desk, in light and dark.
func (b *browser) looks(name string) {
	b.Helper()
	b.do(chromedp.EmulateViewport(320, 640))
	if wide := ask[int](b, "document.documentElement.scrollWidth"); wide > 320 {
		b.Errorf("%s is %d pixels wide", name, wide)
	}
	b.do(chromedp.EmulateViewport(360, 740))
	for _, scheme := range []string{"dark", "light"} {
		b.media("", scheme)
		for _, finding := range b.axeFindings() {
			b.Errorf("%s, %s: %s", name, scheme, finding)
		}
		b.shoot(name + "-phone-" + scheme)
	}
	b.media("", "")
	b.do(chromedp.EmulateViewport(1024, 900))
	b.shoot(name)
}

// press presses something, wherever it is drawn by now: looks has just changed the
// window's size.
func (b *browser) press(what string) {
	b.Helper()
	ask[bool](b, fmt.Sprintf("setTimeout(() => document.querySelector(%q).click()) > 0", what))
}

// evidence writes a file to be handed in.
func (b *browser) evidence(content string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "transcript.pdf")
	b.check(os.WriteFile(path, []byte(content), 0o600))
	return path
}

// TestApplyInABrowser applies as people do, with a mistake on the way: what is
// wrong has the focus and leads to its field, and texts stay where they were.
func TestApplyInABrowser(t *testing.T) {
	t.Parallel()
	at := anyone()
	at.FreeTitle = true
	at.Titles = append(at.Titles, strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6), "شهادة حضور")
	s := opened(t, at)
	b := newBrowser(s)
	b.open("/apply")
	b.looks("apply")

	// A browser that checks nothing itself.
	ask[bool](b, `document.querySelector("form").noValidate = true`)
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "Ada Lovelace"), chromedp.SendKeys(chromedp.CSS("#details"), "Two\nlines"),
		chromedp.SendKeys(chromedp.CSS("#email"), "ada"), chromedp.SetUploadFiles(chromedp.CSS("#evidence"), []string{b.evidence("%PDF-1.7")}))
	b.press("main form button")
	b.wait(`document.querySelector("#problems")`)
	if focused := ask[string](b, "document.activeElement.id"); focused != "problems" {
		t.Errorf("the focus is on %q, not on what is wrong", focused)
	}
	if said := ask[string](b, `document.querySelector("#problems").innerText`); strings.Count(strings.TrimSpace(said), "\n") < 3 || !strings.Contains(said, "This is not an e-mail address") {
		t.Errorf("what is wrong: %q", said)
	}
	for field, want := range map[string]string{"name": "Ada Lovelace", "details": "Two\nlines", "email": "ada", "evidence": ""} {
		if got := ask[string](b, fmt.Sprintf(`document.getElementById(%q).value`, field)); got != want {
			t.Errorf("%s says %q, want %q", field, got, want)
		}
	}
	b.looks("apply-errors")
	b.press(`#problems a[href="#email"]`)
	b.wait(`document.activeElement.id === "email"`)
	ask[bool](b, `(document.querySelector("#email").value = "") === ""`)
	b.do(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com"), chromedp.SetUploadFiles(chromedp.CSS("#evidence"), []string{b.evidence("%PDF-1.7")}))
	large := filepath.Join(t.TempDir(), "large.pdf")
	b.check(os.WriteFile(large, nil, 0o600))
	b.check(os.Truncate(large, vault.MaxFile+1))
	invalid := `document.querySelector("#evidence").validationMessage`
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#evidence"), []string{large}))
	b.wait(invalid + `.includes("larger than 20 MB")`)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#evidence"), []string{b.evidence("%PDF-1.7")}))
	b.wait(invalid + ` === ""`)
	ask[bool](b, `(document.querySelector("#title").value = "Diploma") === "Diploma"`)
	b.press("main form button")
	b.wait(`document.querySelector("h1")?.innerText === "Look into your mail"`)
	b.looks("apply-sent")

	b.do(chromedp.Navigate(b.address + b.confirmations()[0]))
	b.wait(`document.querySelector("h1")?.innerText === "Confirm your application"`)
	b.looks("apply-confirm")
	b.press("main form button")
	b.wait(`document.querySelector("h1")?.innerText === "Your application has been received"`)
	b.looks("apply-done")
	if found := b.applications(); len(found) != 1 || found[0].Title != "Diploma" || found[0].Details != "Two\nlines" || found[0].Email != "ada@example.com" {
		t.Errorf("applied for %+v", found)
	}
	b.open(b.confirmations()[0])
	b.looks("apply-used")
}

// TestApplyingLooks shows what account holders see.
func TestApplyingLooks(t *testing.T) {
	t.Parallel()
	s := opened(t, vault.ApplicationPolicy{Who: vault.AccountsMayApply, FreeTitle: true, EvidenceOptional: true})
	b := newBrowser(s)
	b.open("/apply")
	b.looks("apply-sign-in")
	b.signIn("ada@example.com")
	b.press(`header a[href="/apply"]`)
	b.wait(`document.querySelector("#own")`)
	b.looks("apply-signed-in")
	b.do(chromedp.SendKeys(chromedp.CSS("#own"), "Best in Show"), chromedp.SendKeys(chromedp.CSS("#name"), "Ada Lovelace"))
	b.press("main form button")
	b.wait(`location.pathname === "/me" && document.querySelector("#applications")`)
	for i, reason := range []string{"", "The transcript is of another person.\nAsk your faculty for yours.", strings.Repeat("W", 900)} {
		who := vault.Account{Email: "ada@example.com"}
		c, err := storeApplications{s}.Apply(t.Context(), who, vault.ApplicationDraft{Content: vault.Content{Title: fmt.Sprintf("Title %d", i), Name: "Ada Lovelace"}})
		b.check(err)
		b.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			if reason == "" {
				return c.TakeInReview("ann", s.now())
			}
			return c.Reject("ann", reason, s.now())
		})
	}
	b.addressed("ada@example.com", "Diploma")
	b.open("/me?applied=1")
	b.looks("apply-me")
	b.open("/me?lang=de")
	b.looks("apply-me-german")
	b.open("/apply?lang=de")
	b.looks("apply-german")
}
