package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// still is a picture that is there at once, so that nothing moves while a test
// points at something; a browser's own viewer of PDF also takes the keyboard.
func still(t *testing.T) draw {
	t.Helper()
	picture := logo(t).Data
	return func(context.Context, vault.Certificate) ([]byte, error) { return picture, nil }
}

// preview draws pages where the program is there that does it.
func preview(s **site) draw {
	if !pdf.CanPreview() {
		return nil
	}
	return func(ctx context.Context, _ vault.Certificate) ([]byte, error) {
		return pdf.Preview(ctx, strings.NewReader(string((*s).document)), int64(len((*s).document)))
	}
}

// TestLooks shows every page in every state: on a small phone in light and dark,
// on a desk, and on paper. Nothing reaches beyond the phone's width, and axe-core
// finds nothing serious.
func TestLooks(t *testing.T) {
	t.Parallel()
	var s *site
	s = newSite(t, preview(&s))
	s.change(func(i *vault.Institution) { i.Logo = logo(t) })
	b := newBrowser(s)
	if b.axe == "" {
		t.Log("axe-core is not here (VECCTL_AXE names its file), so accessibility is not judged; scripts/test fetches it")
	}
	all := b.scenes()
	for _, title := range []string{"First", "Second", "Third"} {
		b.addressed("ada@example.com", title)
	}
	b.signIn("ada@example.com")
	for _, one := range append(all, scene{"me", "/me"}) {
		b.do(chromedp.EmulateViewport(320, 640))
		b.open(one.path)
		for _, scheme := range []string{"light", "dark"} {
			b.media("", scheme)
			if wide := ask[int](b, "document.documentElement.scrollWidth"); wide > 320 {
				t.Errorf("%s is %d pixels wide: %s", one.name, wide, ask[string](b, `[...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > 321).map(e => e.outerHTML.slice(0, 100)).join("\n")`))
			}
			if ground := ask[string](b, "getComputedStyle(document.documentElement).backgroundColor"); (ground == "rgb(17, 20, 24)") != (scheme == "dark") {
				t.Errorf("%s in %s stands on %s", one.name, scheme, ground)
			}
			for _, finding := range b.axeFindings() {
				t.Errorf("%s, %s: %s", one.name, scheme, finding)
			}
			b.shoot(one.name + "-phone-" + scheme)
		}
		b.media("", "")
		b.do(chromedp.EmulateViewport(1024, 900))
		b.shoot(one.name)
	}
}

// TestOnPaper prints a page: what is for hands is left out, and its address is
// there.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	c := b.issue(b.draft())
	b.open("/v/" + c.Reference)
	b.media("print", "")
	text := ask[string](b, "document.body.innerText")
	for _, want := range []string{"This certificate is genuine", "Arash Nikpour", "Checked at " + s.address + "/v/" + c.Reference, "Time of the check: 15 June 2026, 11:00 CEST", "SHA-256 of the file that was issued: " + c.Verified.SHA256} {
		if !strings.Contains(text, want) {
			t.Errorf("paper does not say %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"My certificates", "PDF file", "Check the file", "Deutsch"} {
		if strings.Contains(text, not) {
			t.Errorf("paper says %q", not)
		}
	}
	paper := bring(b, chromedp.PrintToPDF())
	if !strings.HasPrefix(string(paper), "%PDF") || strings.Count(string(paper), "/Type /Page\n")+strings.Count(string(paper), "/Type /Page ") > 1 {
		t.Error("the page does not fit on one sheet")
	}
	if shots() != "" {
		b.keep("verify-genuine-print.pdf", paper)
	}
}

// fileCases writes files to be checked against a certificate, by name.
func (b *browser) fileCases(c vault.Certificate, other []byte) map[string]string {
	b.Helper()
	dir := b.TempDir()
	altered := bytes.Clone(b.verified)
	altered[len(altered)/2] ^= 1
	files := map[string]string{}
	for name, content := range map[string][]byte{
		"verified": b.verified, "altered": altered, "original": b.document, "empty": nil, "text": []byte("Dear Sir or Madam"), "other": other,
		"added": append(bytes.Clone(b.verified), "% more\n"...), "foreign": b.foreign("VEC-IC-20269999999999999", "https://other.example/v/VEC-IC-20269999999999999"),
		"foreign-altered": bytes.Replace(b.foreign("", ""), []byte("/Type"), []byte("/Tipe"), 1), "claims": b.foreign(c.Reference, b.address+"/v/"+c.Reference),
	} {
		files[name] = filepath.Join(dir, name+".pdf")
		b.check(os.WriteFile(files[name], content, 0o600))
	}
	return files
}

// choose checks a file on the page that is shown, and waits for the heading of the verdict.
func (b *browser) choose(file, heading string) {
	b.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.wait(fmt.Sprintf(`document.querySelector("main h1").textContent === %q && document.title.startsWith(%q)`, heading, heading))
}

// greens counts the elements that are shown in the colours of what is good.
const greens = `[...document.querySelectorAll("main, main *")].filter(e => e.checkVisibility() &&
	["rgb(20, 83, 45)", "rgb(227, 244, 232)"].some(c => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor].includes(c))).length`

// addTimestamp gives an issued certificate the time stamp that it was issued without, as far as
// the store and the pages see it: another file of the same length.
func (b *browser) addTimestamp(c vault.Certificate) (vault.Certificate, []byte) {
	b.Helper()
	c = b.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c.Verified.TimestampOwed = true
		return c, vault.Effects{}, nil
	})
	file := bytes.Clone(b.verified)
	file[bytes.LastIndex(file, []byte("0>"))] = '1'
	sum := sha256.Sum256(file)
	c = b.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.AddTimestamp(hex.EncodeToString(sum[:]), file[int64(len(file))-c.Verified.TailSize:], time.Time{}, b.now())
	})
	return c, file
}

// TestEarlierFile checks the file that a certificate was issued with on its page, and then the
// one with the time stamp that it was given later. Neither was altered.
func TestEarlierFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	c := b.seal(b.draft())
	earlier := filepath.Join(t.TempDir(), "earlier.pdf")
	b.check(os.WriteFile(earlier, b.verified, 0o600))
	c, stamped := b.addTimestamp(c)
	later := filepath.Join(t.TempDir(), "later.pdf")
	b.check(os.WriteFile(later, stamped, 0o600))
	for _, file := range []string{earlier, later} {
		b.open("/v/" + c.Reference)
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		b.wait(`document.querySelector("output").textContent + document.querySelector("main h1").textContent !== "This certificate is genuine"`)
		b.wait(`document.querySelector("output").textContent !== "Comparing …"`)
		if said := ask[string](b, `document.querySelector("main h1").textContent + " " + document.querySelector("output").textContent`); said != "This certificate is genuine Untouched: this is exactly the file that was issued." {
			t.Errorf("%s: %s", filepath.Base(file), said)
		}
	}
}

// TestFileCheck compares files in the browser, with its own SHA-256 and with the
// page's, which serves where the browser lends none.
func TestFileCheck(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	second := b.seal(b.draft())
	other := s.verified
	c := b.seal(b.draft())
	files := b.fileCases(c, other)
	for _, own := range []bool{false, true} {
		b.open("/v/" + c.Reference)
		if own {
			ask[bool](b, `Object.defineProperty(globalThis, "crypto", {value: {}}) && true`)
		}
		for name, want := range map[string]string{
			"altered": "This file was altered", "added": "Something was added to this file", "claims": "This file was altered", "other": "This file names another certificate",
			"original": "This file is not the certificate " + c.Reference, "text": "This file is not a PDF", "empty": "This file is empty", "foreign": "This file names another certificate",
		} {
			b.choose(files[name], want)
			first := ask[string](b, `document.querySelector("main").firstElementChild.querySelector("h1")?.textContent`)
			if n := ask[int](b, greens); first != want || n > 0 || ask[int](b, `document.querySelectorAll("h1").length`) != 1 {
				t.Errorf("%s: the page begins with %q; %d elements are green", name, first, n)
			}
			for _, finding := range b.axeFindings() {
				t.Errorf("%s: %s", name, finding)
			}
			if !own {
				b.shootSizes("verify-file-" + name)
			}
			b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{files["verified"]}))
			b.wait(`document.querySelector("output").textContent === "Untouched: this is exactly the file that was issued." && document.querySelector("h1").textContent === "This certificate is genuine"`)
			if title := ask[string](b, "document.title"); !strings.HasPrefix(title, "This certificate is genuine") || ask[int](b, greens) == 0 {
				t.Errorf("after %s the issued file: %s", name, title)
			}
		}
	}
	b.shootSizes("verify-file-untouched")
	if link := ask[string](b, `[...document.querySelectorAll("a")].map(a => a.href).join()`); strings.Contains(link, second.Reference) {
		t.Errorf("what was said of another file is left: %s", link)
	}
	// The page's own digest is that of the browser at every length around a block.
	differing := ask[[]int](b, `(async () => {
		const frame = document.createElement("iframe"); document.body.append(frame);
		const own = document.querySelector("[data-sha256]").digest, bad = [];
		for (let n = 0; n < 200; n++) {
			const bytes = Uint8Array.from({length: n}, (_, i) => (i * 7 + n) % 256);
			const theirs = new Uint8Array(await frame.contentWindow.crypto.subtle.digest("SHA-256", bytes));
			if (own(bytes) !== Array.from(theirs, b => b.toString(16).padStart(2, "0")).join("")) bad.push(n);
		}
		return bad;
	})()`)
	if len(differing) > 0 {
		t.Errorf("the page's digest is wrong at lengths %v", differing)
	}
	b.revoke(c, "In error")
	b.open("/v/" + c.Reference)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{files["verified"]}))
	b.wait(`document.querySelector("output").textContent.includes("has been revoked since")`)
	if n := ask[int](b, greens); n > 0 {
		t.Errorf("%d elements of a revoked certificate's page are green", n)
	}
	b.shootSizes("verify-file-revoked")
}

// TestDroppedFiles drops files somewhere on the pages.
func TestDroppedFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	c := b.seal(b.draft())
	for _, path := range []string{"/", "/v/" + c.Reference} {
		b.open(path)
		drop := func(files string) {
			ask[bool](b, `(() => { const carried = new DataTransfer();
				for (const text of `+files+`) carried.items.add(new File([text], "a.pdf"));
				for (const kind of ["dragover", "drop"]) document.querySelector("footer").dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: carried}));
				return true; })()`)
		}
		drop(`["no PDF"]`)
		b.wait(`document.querySelector("main h1").textContent === "This file is not a PDF"`)
		drop(`["a", "b"]`)
		b.wait(`document.querySelector("main h1").textContent === "One file at a time"`)
		if ask[bool](b, `document.body.classList.contains("dropping")`) {
			t.Errorf("%s still waits for a file", path)
		}
	}
}

// TestAnyFile checks files on the page that asks for one. Nothing of them is sent but sums and
// the reference IDs in them.
func TestAnyFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	other := b.seal(b.draft())
	otherFile := s.verified
	c := b.seal(b.draft())
	files := b.fileCases(c, otherFile)
	b.revoke(other, "Awarded in error")
	for name, want := range map[string][]string{
		"verified":        {"This certificate is genuine", "Arash Nikpour", c.Reference, "2 May 2026"},
		"other":           {"This certificate has been revoked", "Awarded in error", other.Reference},
		"altered":         {"This file was altered", "What is known of " + c.Reference},
		"claims":          {"This file was altered", c.Reference},
		"added":           {"Something was added to this file", "7 bytes were added since", c.Reference},
		"original":        {"This file is not known here", "without a signature"},
		"text":            {"This file is not a PDF"},
		"empty":           {"This file is empty"},
		"foreign":         {"This file is not known here", "says that it is by Other College", "VEC-IC-20269999999999999 of other.example", "are those that were signed", "does not prove who made it"},
		"foreign-altered": {"This file is not known here", "says that it is by Other College", "were changed since"},
	} {
		b.open("/")
		b.choose(files[name], want[0])
		text := ask[string](b, "document.querySelector('main').innerText")
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the page does not say %q:\n%s", name, part, text)
			}
		}
		if n := ask[int](b, greens); (n > 0) != (name == "verified") {
			t.Errorf("%s: %d elements are green", name, n)
		}
		for _, finding := range b.axeFindings() {
			t.Errorf("%s: %s", name, finding)
		}
		b.shootSizes("home-file-" + name)
		b.media("print", "")
		paper := ask[string](b, "document.body.innerText")
		for _, part := range []string{want[0], name + ".pdf", "Checked at " + b.address, "Time of the check: 15 June 2026, 11:00 CEST"} {
			if !strings.Contains(paper, part) {
				t.Errorf("%s: paper does not say %q:\n%s", name, part, paper)
			}
		}
		if sum := "SHA-256: "; name != "empty" && !strings.Contains(paper, sum) {
			t.Errorf("%s: paper does not have the file's sum", name)
		}
		b.media("", "")
	}
	sent := ask[string](b, `performance.getEntriesByType("resource").filter(e => e.initiatorType === "fetch").map(e => new URL(e.name).pathname).join(" ")`)
	for _, path := range strings.Fields(sent) {
		if !strings.HasPrefix(path, "/v/") {
			t.Errorf("the page asks for %s", path)
		}
	}
}

// TestSignUpInABrowser follows the link out of the mail; three certificates that
// waited are there.
func TestSignUpInABrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	var last vault.Certificate
	for _, title := range []string{"First", "Second", "Third"} {
		last = b.addressed("ada@example.com", title)
	}
	b.open("/c/" + last.ShareToken)
	b.do(chromedp.Click(chromedp.CSS(`a[href="/sign-in"]`)))
	b.wait(`document.querySelector("#email")`)
	b.signIn("ada@example.com")
	if n := ask[int](b, `document.querySelectorAll("main li a").length`); n != 3 {
		t.Errorf("%d certificates, want 3", n)
	}
	b.shoot("me-after-sign-up")
	b.do(chromedp.Click(chromedp.CSS("main li a")))
	b.wait(`location.pathname.startsWith("/c/")`)
	b.open("/me")
	b.do(chromedp.Click(chromedp.CSS("main form button")))
	b.wait(`location.pathname === "/sign-in"`)
}

// TestKeyboard uses the pages without a mouse.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t, still(t))
	b := newBrowser(s)
	c := b.issue(b.draft())
	focused := `(e => e.id || e.getAttribute("href") || e.tagName + " " + e.innerText)(document.activeElement)`
	tab := func() string {
		b.do(chromedp.KeyEvent(kb.Tab))
		return ask[string](b, focused)
	}
	b.open("/")
	if first := tab(); first != "#main" {
		t.Errorf("the first stop is %s, want the way to the content", first)
	}
	if outline := ask[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline == "none" {
		t.Error("nothing shows where the keyboard is")
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if stop := tab(); stop != "reference" {
		t.Errorf("after the way to the content comes %s", stop)
	}
	b.do(chromedp.KeyEvent(strings.ToLower(c.Reference)), chromedp.KeyEvent(kb.Enter))
	b.wait(fmt.Sprintf("location.pathname === %q", "/v/"+c.Reference))

	b.open("/c/" + c.ShareToken)
	var stops []string
	for len(stops) < 40 {
		stop := tab()
		if len(stops) > 0 && stop == stops[0] || strings.HasPrefix(stop, "BODY") {
			break
		}
		stops = append(stops, stop)
		if stop == "SUMMARY Ask for a correction" {
			b.do(chromedp.KeyEvent(kb.Enter))
			if next := tab(); next != "correction" {
				t.Errorf("after opening comes %s", next)
			}
			b.do(chromedp.KeyEvent("One n too few"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
			b.wait(`location.search === "?asked=1"`)
			break
		}
	}
	found, err := s.store.Corrections(t.Context(), 1, true)
	b.check(err)
	if len(found) != 1 || found[0].Text != "One n too few" {
		t.Errorf("by keyboard came %+v; stops were %q", found, stops)
	}
}

// TestCopying copies the page's link.
func TestCopying(t *testing.T) {
	t.Parallel()
	s := newSite(t, still(t))
	b := newBrowser(s)
	c := b.issue(b.draft())
	b.open("/c/" + c.ShareToken)
	b.do(chromedp.Click(chromedp.CSS(`button[data-copy="link"]`)))
	b.wait(`document.querySelector("#link-said").textContent === "Copied"`)
	if got := ask[string](b, `getSelection().toString() || document.querySelector("#link").value.slice(document.querySelector("#link").selectionStart)`); got != s.address+"/c/"+c.ShareToken {
		t.Errorf("selected %q", got)
	}
}

// TestLinkedIn copies what LinkedIn's form asks for.
func TestLinkedIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, still(t))
	b := newBrowser(s)
	c := b.issue(b.draft())
	b.open("/c/" + c.ShareToken)
	ask[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true) || true`)
	for id, want := range map[string]string{
		"name": c.Title, "organization": "Northgate Institute", "issued": "2 May 2026", "id": c.Reference, "url": s.address + "/v/" + c.Reference,
	} {
		if got := ask[string](b, fmt.Sprintf("document.querySelector(%q).value", "#linkedin-"+id)); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
		b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf("button[data-copy=linkedin-%s]", id))))
		b.wait(fmt.Sprintf(`document.querySelector("#linkedin-%s-said").textContent === "Copied"`, id))
	}
}

// TestHostileTexts issues certificates whose texts try to become something else,
// and looks at every page for a node that they made.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := newBrowser(s)
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: `globalThis.struck = 0; globalThis.alert = () => struck++;`})
	b.check(err)
	active := `JSON.stringify([struck, document.querySelectorAll("script").length, document.querySelectorAll("svg, math, object, embed, video, audio, base, template, marquee, body style, frameset").length,
		[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => /^on/i.test(a.name) || /^\s*(javascript|data|vbscript):/i.test(a.value))).length,
		[...document.querySelectorAll("[href], [src], [action]")].filter(e => !/^https?:/.test(e.href || e.src || e.action)).length,
		document.querySelectorAll("main *").length, document.title.length > 0])`
	innocent := map[string]string{}
	look := func(c vault.Certificate, hostile bool) {
		for name, path := range map[string]string{"verify": "/v/" + c.Reference, "share": "/c/" + c.ShareToken} {
			name += " " + string(c.Validity())
			b.open(path)
			found := ask[string](b, active)
			if !hostile {
				innocent[name] = found
			} else if found != innocent[name] {
				t.Errorf("%s with %q: %s, want %s", name, c.Name, found, innocent[name])
			}
			shown := ask[string](b, `document.body.textContent`)
			texts := []string{c.Name, c.Title}
			if c.Revocation != nil {
				texts = append(texts, c.Revocation.Reason)
			}
			for _, text := range texts {
				if !strings.Contains(shown, text) {
					t.Errorf("%s does not show %q", name, text)
				}
			}
		}
	}
	plain := b.issue(b.draft())
	look(plain, false)
	look(b.revoke(plain, "plain"), false)
	texts := hostileTexts(200)
	if os.Getenv("VECCTL_LONG") == "" {
		texts = joined(texts, vault.MaxTitle)
	}
	for ; len(texts) > 0; texts = texts[min(4, len(texts)):] {
		field := func(i int) string { return texts[min(i, len(texts)-1)] }
		d := b.draft()
		d.Title, d.Name, d.Details, d.Email = withoutDirections(field(0)), withoutDirections(field(1)), field(2), "somebody@example.com"
		b.check(d.Clean().Validate())
		c := b.issue(d.Clean())
		look(c, true)
		look(b.revoke(c, field(3)), true)
	}
	b.signIn("somebody@example.com")
	if found := ask[string](b, active); !strings.HasPrefix(found, "[0,1,0,0,0,") {
		t.Errorf("an account's page: %s", found)
	}
}

// hostileTexts are texts that would be something else if a page forgot what they
// are: known tricks, each in several wraps.
func hostileTexts(n int) []string {
	tricks := []string{
		`<script>alert(1)</script>`, `</title><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<svg/onload=alert(1)//`,
		`<iframe srcdoc="<script>alert(1)</script>">`, `<iframe src=javascript:alert(1)>`, `<a href="javascript:alert(1)">x</a>`, `<body onload=alert(1)>`,
		`<math><mtext></mtext><script>alert(1)</script>`, `<details open ontoggle=alert(1)>`, `<input autofocus onfocus=alert(1)>`, `<video><source onerror=alert(1)>`,
		`<object data="data:text/html,<script>alert(1)</script>">`, `<embed src="javascript:alert(1)">`, `<base href="https://evil.example/">`, `<meta http-equiv=refresh content="0;url=https://evil.example/">`,
		`<link rel=stylesheet href="https://evil.example/x.css">`, `<style>*{display:none}</style>`, `<template><script>alert(1)</script></template>`,
		`{{.Certificate.Email}}`, `{{template "x"}}`, `[[check.text]]`, `%s%d%n`, `${alert(1)}`, "`${alert(1)}`", `&lt;script&gt;alert(1)&lt;/script&gt;`,
		`&#60;script&#62;alert(1)&#60;/script&#62;`, `\u003cscript\u003ealert(1)\u003c/script\u003e`, `<scr<script>ipt>alert(1)</scr</script>ipt>`,
		`<!--<script>alert(1)</script>-->`, `<![CDATA[<script>alert(1)</script>]]>`, `<?xml version="1.0"?><x>`, "\u202e<script>alert(1)</script>", "\u2066name\u2069<b>",
		`<form action="https://evil.example/"><button>`, `<marquee onstart=alert(1)>`, `<select autofocus onfocus=alert(1)>`, `<textarea autofocus onfocus=alert(1)>`, `<p style="position:fixed;inset:0">`,
	}
	wraps := []string{"%s", `" %s`, `'%s`, `">%s`, `--> %s`, `</dd></dl>%s`}
	var all []string
	for _, wrap := range wraps {
		for _, trick := range tricks {
			if all = append(all, strings.Replace(wrap, "%s", trick, 1)); len(all) == n {
				return all
			}
		}
	}
	return all
}

// withoutDirections takes out of a text what a line of a certificate may not have.
func withoutDirections(text string) string {
	return strings.Map(func(r rune) rune {
		if vault.DirectionControl(r) {
			return -1
		}
		return r
	}, text)
}

// joined puts as many texts into one as its length allows.
func joined(texts []string, most int) []string {
	var all []string
	for _, text := range texts {
		if last := len(all) - 1; last >= 0 && utf8.RuneCountInString(all[last]+text) < most {
			all[last] += " " + text
			continue
		}
		all = append(all, text)
	}
	return all
}

func logo(t *testing.T) *vault.Logo {
	t.Helper()
	const dot = `"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="`
	l := &vault.Logo{Type: "image/png"}
	if err := json.Unmarshal([]byte(dot), &l.Data); err != nil {
		t.Fatal(err)
	}
	return l
}
