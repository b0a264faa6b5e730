package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/vecctl/vecctl/pkg/vault"
)

// browserTime is how long one browser may take for all that a test does with it,
// on a slow and busy machine.
const browserTime = 8 * time.Minute

// browser is Debian's chromium, showing nothing to anybody, at a site.
type browser struct {
	*site
	ctx context.Context
	axe string // the source of axe-core; "" where it is not there
}

// newBrowser starts a browser, or skips the test where there is none.
func newBrowser(s *site) *browser {
	s.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		s.Skip("there is no chromium here; scripts/test installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(browserTime))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to run as root with it
	}
	ctx, stop := context.WithTimeout(context.Background(), browserTime)
	s.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	s.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	s.Cleanup(stop)
	b := &browser{site: s, ctx: ctx}
	b.do(chromedp.EmulateViewport(1024, 900))
	if source, err := os.ReadFile(os.Getenv("VECCTL_AXE")); err == nil {
		b.axe = string(source)
	}
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.check(chromedp.Do(b.ctx, steps...))
}

// bring does what has a result.
func bring[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	result, err := chromedp.Run(b.ctx, action)
	b.check(err)
	return result
}

// media sets what the page is shown on, and the scheme of colours that is
// preferred; "" is neither.
func (b *browser) media(kind, scheme string) {
	b.Helper()
	p := emulation.SetEmulatedMediaParams{Media: kind}
	if scheme != "" {
		p.Features = []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, p)
	b.check(err)
}

// open shows a page.
func (b *browser) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.address+path), chromedp.WaitVisible(chromedp.CSS("main")))
	b.wait(`[...document.images].every(i => i.complete)`)
}

// ask evaluates an expression in the page.
func ask[T any](b *browser, expression string) T {
	b.Helper()
	return bring(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// wait waits until an expression is true in the page that is shown, or in the one
// that is on its way: a page that goes takes the question with it.
func (b *browser) wait(expression string) {
	b.Helper()
	for range 100 {
		_, err := chromedp.Run(b.ctx, chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingTimeout(2*time.Minute)))
		if err == nil {
			return
		}
		if b.ctx.Err() != nil || !strings.Contains(err.Error(), "context") && !strings.Contains(err.Error(), "navigated") {
			b.Fatalf("waiting for %s: %v\n%s", expression, err, ask[string](b, "document.body.innerText"))
		}
	}
	b.Fatalf("waiting for %s: the page changes all the time", expression)
}

// shots is the folder that the environment names for pictures of pages, "" for none.
func shots() string { return os.Getenv("VECCTL_SCREENSHOTS") }

// keep writes a file into that folder.
func (b *browser) keep(name string, content []byte) {
	b.Helper()
	b.check(os.MkdirAll(shots(), 0o700))
	b.check(os.WriteFile(filepath.Join(shots(), name), content, 0o600))
}

func (b *browser) shoot(name string) {
	b.Helper()
	if shots() != "" {
		b.keep(name+".png", bring(b, chromedp.FullScreenshot(100)))
	}
}

// shootSizes takes the page's picture at three widths, in light and dark, and on paper.
func (b *browser) shootSizes(name string) {
	b.Helper()
	if shots() == "" {
		return
	}
	for _, width := range []int64{320, 768, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			b.media("", scheme)
			b.shoot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	b.media("print", "")
	b.shoot(name + "-print")
	b.media("", "")
	b.do(chromedp.EmulateViewport(1024, 900))
}

// axeFindings are what axe-core finds serious on the page that is shown.
func (b *browser) axeFindings() []string {
	b.Helper()
	if b.axe == "" {
		return nil
	}
	type violation struct {
		ID     string   `json:"id"`
		Impact string   `json:"impact"`
		Nodes  []string `json:"nodes"`
	}
	ask[bool](b, b.axe+"\n;true")
	found := ask[struct {
		Passed     int         `json:"passed"`
		Violations []violation `json:"violations"`
	}](b, `axe.run(document, {iframes: false}).then(r => ({passed: r.passes.length, violations: r.violations.map(v =>
		({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)}))}))`)
	if found.Passed < 10 {
		b.Errorf("axe-core looked at %d things only", found.Passed)
	}
	var serious []string
	for _, v := range found.Violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			serious = append(serious, fmt.Sprintf("%s: %s", v.ID, strings.Join(v.Nodes, "; ")))
		}
	}
	return serious
}

// scene is a page in a state.
type scene struct{ name, path string }

// scenes issues a certificate in every state and lists all pages.
func (b *browser) scenes() []scene {
	b.Helper()
	long := b.draft()
	long.Name, long.Title = "محمد بن عبد الله الخوارزمي", strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6)
	long.Details = strings.Repeat("W", 900)
	genuine, arabic := b.seal(b.draft()), b.seal(long)
	revoked := b.revoke(b.issue(b.draft()), "Awarded in error.\nSee the notice of 15 June.")
	old, next := b.supersede(b.issue(b.draft()), b.draft())
	waiting, failed := b.accept(b.draft()), b.accept(b.draft())
	b.apply(failed, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.Failure{Code: "damaged", Reason: "no pages"}, b.now())
	})
	all := []scene{{"home", "/"}, {"unknown", "/v/VEC-IC-20260000000000000"}, {"gone", "/c/x"}, {"sign-in", "/sign-in"}, {"missing", "/v/a/b"}}
	for name, c := range map[string]vault.Certificate{
		"genuine": genuine, "arabic": arabic, "revoked": revoked, "replaced": old, "successor": next, "processing": waiting, "failed": failed,
	} {
		all = append(all, scene{"verify-" + name, "/v/" + c.Reference}, scene{"share-" + name, "/c/" + c.ShareToken})
	}
	return append(all, scene{"verify-german", "/v/" + genuine.Reference + "?lang=de"}, scene{"share-german", "/c/" + genuine.ShareToken + "?lang=de"})
}

// signIn signs the browser in with the link out of the mail, by pressing what is
// there to press.
func (b *browser) signIn(email string) {
	b.Helper()
	b.open("/sign-in")
	b.do(chromedp.SendKeys(chromedp.CSS("#email"), email), chromedp.Submit(chromedp.CSS("#email")))
	b.wait(`document.querySelector("h1")?.innerText === "Look into your mail"`)
	b.do(chromedp.Navigate(b.mails()[0].Link), chromedp.Click(chromedp.CSS("main form button")))
	b.wait(`location.pathname === "/me" && document.readyState === "complete"`)
}
