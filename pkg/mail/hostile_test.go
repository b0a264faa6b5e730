package mail_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// hostile are texts that somebody may put into a name, a title or a wish.
func hostile() []string {
	all := []string{
		"", " ", "a\r\nBcc: victim@example.org", "a\nSubject: other", "a\rX-Evil: 1", "a\r\n\r\n<script>alert(1)</script>",
		"a\x00b", "\u202eevil\u202c", "\u2066isolated", "a\u2028b\u2029c", "\u0085next", "=?utf-8?q?=0d=0aBcc:_x@y.z?=", "\xff\xfe broken",
		`"quoted" <other@example.org>`, "a, b <c@d.example>", "(comment)", `back\slash`, "name@example.org", ";:,<>[]()", "\t\ttabs\t",
		"{{.SignIn}}", "{{template \"body\" .}}", "${7*7}", "%0d%0aBcc: x@y.z", "..", ".\r\n.\r\n", "\r\n.\r\nMAIL FROM:<x@y.z>",
		"<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<a href=javascript:alert(1)>x</a>", "<!-- ", "-->", "<![CDATA[", "</title><script>x</script>",
		"<style>*{display:none}</style>", "<meta http-equiv=refresh content=0>", "<base href=//evil.example>", "<form action=//evil.example><input>", "<iframe srcdoc=x>",
		"&lt;script&gt;", "&#60;script&#62;", "'\"`><script>x</script>", "</bdi></p></div></body><script>x</script>", "javascript:alert(1)", "data:text/html,x",
		"Zoë Müller-Łódź", "محمد عبد الله", "משה כהן", "王小明", "ไทย", "শংসাপত্র", "🎓👩‍🎓", "e\u0301\u0302\u0303", strings.Repeat("ä", 255), strings.Repeat("W", 255),
		strings.Repeat("long word ", 25), strings.Repeat("😀", 120), "-- \r\nsignature", "From nobody", ">From", "=", "=3D", "=\r\n", strings.Repeat("=", 200),
	}
	tags := []string{"script", "img", "svg", "object", "embed", "iframe", "form", "input", "button", "link", "video", "audio", "math", "details", "template", "noscript", "xmp", "plaintext", "textarea"}
	for _, tag := range tags {
		for _, frame := range []string{"<%s src=//evil.example onload=x>", "\"><%s onerror=x>", "'-->\r\n<%s/onfocus=x autofocus>", "<%[1]s><%[1]s onclick=x></%[1]s>", "\u202e<%s onmouseover=x>", "<<%s\x0b onbegin=x>", "</p></body></html><%s style=x>", "x\"\r\nContent-Type: text/html\r\n\r\n<%s>"} {
			all = append(all, fmt.Sprintf(frame, tag))
		}
	}
	return all
}

func TestHostileTexts(t *testing.T) {
	t.Parallel()
	all := hostile()
	if len(all) < 200 {
		t.Fatalf("only %d hostile texts", len(all))
	}
	templates := mail.NewTemplates()
	sample := mail.SampleData("University", "https://vault.example")
	links := []string{sample.Share, sample.Verify, sample.Account, sample.SignIn, sample.Confirm}
	for i, evil := range all {
		name := mail.Names()[i%len(mail.Names())]
		l := sample
		l.Institution, l.Reason, l.Text, l.From, l.Old, l.Reference = evil, evil, evil, evil, evil, evil
		for _, f := range vault.Fields() {
			f.Set(&l.Content, evil)
		}
		content, err := templates.Render(name, l)
		if err != nil {
			t.Fatalf("%s, %q: %v", name, evil, err)
		}
		m := mail.Message{Rendered: content, From: "office@university.example", FromName: evil, To: "zoe@example.org", ToName: evil,
			ReplyTo: evil, MessageID: "7.a@university.example", Date: time.Unix(0, 0)}
		var raw bytes.Buffer
		if _, err := m.WriteTo(&raw); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		wantWellFormed(t, evil, raw.String(), content, links)
	}
}

// wantWellFormed reads a mail as a mail program would.
func wantWellFormed(t *testing.T, evil, raw string, content mail.Rendered, links []string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(raw, "\r\n"), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%q: a line of %d bytes, or with a stray line end", evil, len(line))
		}
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%q: %v", evil, err)
	}
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	var got []string
	for name, values := range parsed.Header {
		if len(values) != 1 {
			t.Errorf("%q: %d of %s", evil, len(values), name)
		}
		if name != "Reply-To" { // there where the text is an address
			got = append(got, name)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%q: headers %v", evil, got)
	}
	for _, name := range []string{"From", "To"} {
		list, err := parsed.Header.AddressList(name)
		address := map[string]string{"From": "office@university.example", "To": "zoe@example.org"}[name]
		if err != nil || len(list) != 1 || list[0].Address != address || list[0].Name != mail.OneLine(evil) {
			t.Errorf("%q: %s is %v, %v", evil, name, list, err)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil || subject != content.Subject {
		t.Errorf("%q: subject %q, %v, want %q", evil, subject, err, content.Subject)
	}
	_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%q: %v", evil, err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, kind := range []string{"text/plain", "text/html"} {
		p, err := parts.NextRawPart()
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), kind) {
			t.Fatalf("%q: part %v, %v", evil, p, err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if kind == "text/html" {
			wantInactive(t, evil, string(body), links)
		} else if strings.ReplaceAll(string(body), "\r\n", "\n") != content.Text {
			t.Errorf("%q: the text is %q, want %q", evil, body, content.Text)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("%q: more parts: %v", evil, err)
	}
}

// wantInactive wants HTML that does nothing and leads nowhere but to our links.
func wantInactive(t *testing.T, evil, body string, links []string) {
	t.Helper()
	tree, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	quiet := []string{"html", "head", "meta", "title", "body", "div", "p", "bdi", "strong", "br", "a", "blockquote", "code"}
	for n := range tree.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("%q: a comment", evil)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(quiet, n.Data) {
			t.Errorf("%q: an element %s", evil, n.Data)
		}
		for _, a := range n.Attr {
			if !slices.Contains([]string{"style", "href", "dir", "charset", "name", "content"}, a.Key) || a.Key == "href" && !slices.Contains(links, a.Val) {
				t.Errorf("%q: %s %s=%q", evil, n.Data, a.Key, a.Val)
			}
		}
	}
}

func TestReplacedTemplates(t *testing.T) {
	t.Parallel()
	own, all := t.TempDir(), t.TempDir()
	write := func(folder, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	templates := mail.NewTemplates(own, all)
	l := mail.SampleData("University", "https://vault.example/")
	subject := func() string {
		t.Helper()
		r, err := templates.Render(mail.Issued, l)
		if err != nil {
			return err.Error()
		}
		return r.Subject
	}
	if got := subject(); !strings.HasPrefix(got, "Your certificate from University") {
		t.Errorf("the program's: %q", got)
	}
	write(all, "issued.txt", "Subject: Für {{.Name}}\r\n\r\nHallo")
	if got := subject(); got != "Für Zoë Müller" {
		t.Errorf("replaced for all: %q", got)
	}
	write(own, "issued.txt", "\xef\xbb\xbfSubject: Own {{.Reference}}\n\nHallo")
	if got := subject(); got != "Own VEC-IC-202567DAE48425BAD" {
		t.Errorf("replaced for one: %q", got)
	}
	for _, broken := range []string{"no subject", "Subject: {{.Nobody}}\n", "Subject: {{if\n", "Subject:  \n\nx"} {
		write(own, "issued.txt", broken)
		if got := subject(); !strings.Contains(got, filepath.Join(own, "issued.txt")) || !strings.Contains(got, "vecctl mail preview") {
			t.Errorf("%q: %q", broken, got)
		}
	}
	write(own, "issued.txt", "Subject: fine\n\nHallo")
	write(own, "layout.html", `<html><body><h1>{{.Institution}}</h1>{{template "body" .}}</body></html>`)
	r, err := templates.Render(mail.Issued, l)
	if err != nil || !strings.Contains(r.HTML, "<h1>University</h1>") || !strings.Contains(r.HTML, "View and share") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := templates.Render("nothing", l); err == nil {
		t.Error("a mail that is none")
	}
	files, err := mail.Files()
	if err != nil || len(files) != 2*len(mail.Names())+1 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
