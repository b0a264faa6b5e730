package agent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/loopback"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

var changing = regexp.MustCompile(`"(POST|PUT|PATCH|DELETE) `)

// changingRoutes finds, in the sources of everything that answers staff and
// programs, each route by which something may be changed, as it is written there.
// The public's pages and what mail servers and other vaults tell are no acts.
func changingRoutes(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, dir := range []string{"panel", "api", "../authority/counter", "../authority/door"} {
		files := token.NewFileSet()
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					found = append(found, routesOf(files, filepath.Base(dir), call)...)
				}
				return true
			})
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// routesOf reads a call that routes: mux.HandleFunc("POST /x", ...),
// a.route(mux, "/x", methods{http.MethodPost: ...}), handle("x", stores(http.MethodPost, ...)).
func routesOf(files *token.FileSet, room string, call *ast.CallExpr) (found []string) {
	text := func(n ast.Node) string {
		var b bytes.Buffer
		_ = printer.Fprint(&b, files, n)
		return b.String()
	}
	name := text(call.Fun)
	name = name[strings.LastIndexByte(name, '.')+1:]
	if len(call.Args) < 2 {
		return nil
	}
	path := text(call.Args[0])
	switch name {
	case "HandleFunc", "Handle":
		if changing.MatchString(path) {
			return []string{room + " " + path}
		}
		return nil
	case "route":
		path = text(call.Args[1])
	case "handle":
	default:
		return nil
	}
	for _, method := range []string{"Post", "Put", "Patch", "Delete"} {
		for _, arg := range call.Args[1:] {
			if strings.Contains(text(arg), "http.Method"+method) {
				found = append(found, room+" "+strings.ToUpper(method)+" "+path)
			}
		}
	}
	return found
}

// watched is a vault of which every call that changes something is compared with
// the audit trail.
type watched struct {
	*testing.T
	agent  *agent.Agent
	staff  *staff.Client // whose calls are watched
	quiet  *staff.Client // whose calls are not
	mu     sync.Mutex
	calls  int
	who    string // who the caller should be found to be
	report client.BulkReport
}

func (x *watched) check(err error) {
	x.Helper()
	if err != nil {
		x.Error(err)
	}
}

// acts is the audit trail.
func (x *watched) acts() []act.Entry {
	x.Helper()
	var all []act.Entry
	for {
		last := uint64(0)
		if len(all) > 0 {
			last = all[len(all)-1].Seq
		}
		piece, err := x.quiet.Acts(context.Background(), last)
		if x.check(err); err != nil || len(piece) == 0 {
			return all
		}
		all = append(all, piece...)
	}
}

// watch wants an entry for each call that is not refused, and none for the others.
func (x *watched) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		before := len(x.acts())
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		defer func() { // at the end: who has the answer goes on
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		}()
		found := x.acts()[before:]
		what := r.Method + " " + r.URL.Path
		if strings.HasPrefix(r.URL.Path, "/panel/recipients/") {
			what = r.Method + " /panel/recipients/(erased)"
		}
		switch {
		case rec.Code >= http.StatusBadRequest:
			x.Errorf("%s was refused: %d %s", what, rec.Code, rec.Body)
		case len(found) != 1 || found[0].What != what:
			x.Errorf("%s left %+v in the audit trail, want one entry", what, found)
		case found[0].Who != x.who || found[0].At.IsZero() || (found[0].From == "local") != (x.who == "staff (registrar)"):
			x.Errorf("%s was done by %q, it says %+v", what, x.who, found[0])
		}
		x.calls++
	})
}

// call makes a call from the network; who it is by is what the trail should say.
func (x *watched) call(who, path, body string, headers map[string]string) map[string]any {
	x.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	x.who = who
	defer func() { x.who = "staff (registrar)" }()
	w := httptest.NewRecorder()
	x.watch(x.agent.PublicHandler()).ServeHTTP(w, r)
	var answer map[string]any
	x.check(json.Unmarshal(w.Body.Bytes(), &answer))
	return answer
}

// newWatched makes a vault whose workers rest; work has them begin.
func newWatched(t *testing.T) (x *watched, work func()) {
	t.Helper()
	env := map[string]string{"VECCTL_MAIL_HOLD": "1h"}
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(filepath.Join(t.TempDir(), "home")), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC", Sender: "r@example.org"},
		Getenv: func(name string) string { return env[name] }, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	x = &watched{T: t, agent: a, who: "staff (registrar)"}
	named := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set(staff.UserHeader, "registrar")
			next.ServeHTTP(w, r)
		})
	}
	for to, h := range map[**staff.Client]http.Handler{&x.quiet: a.Handler(), &x.staff: x.watch(a.Handler())} {
		*to, err = staff.New("http://vecctl.test", loopback.Transport(named(h)))
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
		x.check(a.Close())
	})
	return x, func() {
		running.Go(func() { x.check(a.Run(ctx)) })
		waitFor(t, "certificates to be done", func() bool {
			s, err := x.quiet.AgentStatus(t.Context())
			return err == nil && s.Certificates["processing"] == 0
		})
	}
}

// Whatever changes something leaves its entry in the audit trail: who, when, what
// and from where. A route that is added without a case here is found in the sources.
func TestEveryActIsWrittenDown(t *testing.T) {
	x, work := newWatched(t)
	left := changingRoutes(t)
	run := func(cases []auditCase) {
		for _, one := range cases {
			i := slices.Index(left, one.route)
			if i < 0 {
				t.Errorf("there is no route %s any more", one.route)
				continue
			}
			left = slices.Delete(left, i, i+1)
			before := x.calls
			one.do(x)
			if x.calls == before {
				t.Errorf("%s was not tried", one.route)
			}
		}
	}
	run(resting())
	work()
	run(working())
	run(ofPrograms())
	run(ofTheAuthority())
	for _, route := range left {
		t.Errorf("%s has no case here: show that it leaves its entry in the audit trail", route)
	}
	last, err := x.quiet.EachAct(t.Context(), func(act.Entry) error { return nil })
	if err != nil || last.Seq == 0 {
		t.Errorf("the trail ends with %+v, %v", last, err)
	}
}

// auditCase calls a route.
type auditCase struct {
	route string
	do    func(*watched)
}

// resting are the cases that need certificates that are not worked on yet.
func resting() []auditCase {
	return []auditCase{
		{`panel "POST /panel/bulk"`, func(x *watched) { x.report = issue(x.T, x.staff, manifestOf(x.T, 5)) }},
		{`panel "POST /panel/batches/{id}/{act}"`, func(x *watched) {
			for _, do := range []staff.BatchAct{staff.PauseBatch, staff.ResumeBatch, staff.CancelBatch} {
				_, err := x.staff.ActOnBatch(x.Context(), x.report.BatchID, do)
				x.check(err)
			}
		}},
		{`api POST base + "/{name}/retry"`, func(x *watched) {
			made, err := x.quiet.CreateToken(x.Context(), staff.NewToken{Name: "r", Permissions: []string{"certificate-vault:update"}})
			x.check(err)
			x.call("token r ("+made.ID+")", "/business/certificate-vault/"+x.report.Rows[0].UUID+"/retry", "", map[string]string{"Authorization": "Bearer " + made.Secret})
		}},
		{`panel "POST /panel/failures/retry"`, func(x *watched) {
			_, err := x.staff.RetrySelected(x.Context(), staff.Selection{UUIDs: []string{x.report.Rows[1].UUID}})
			x.check(err)
		}},
		{`panel "POST /panel/retry"`, func(x *watched) {
			_, err := x.staff.RetryAll(x.Context(), "")
			x.check(err)
		}},
	}
}

// working are the cases of a vault at work.
func working() []auditCase {
	return slices.Concat(ofCertificates(), ofApplications(), ofMails(), ofKeys(), ofWebhooks())
}

func ofCertificates() []auditCase {
	return []auditCase{
		{`panel "POST /panel/corrections/{id}/done"`, func(x *watched) {
			one, err := x.quiet.Certificate(x.Context(), x.report.Rows[0].UUID)
			x.check(err)
			visit(x.T, x.agent).page(strings.TrimPrefix(one.ShareURL, x.agent.BaseURL()), url.Values{"correction": {"Two n"}})
			all, err := x.quiet.Corrections(x.Context(), false)
			if x.check(err); len(all) == 1 {
				_, err = x.staff.FinishCorrection(x.Context(), all[0].ID)
				x.check(err)
			}
		}},
		{`panel "POST /panel/certificates/{name}/reshare"`, func(x *watched) {
			_, err := x.staff.Reshare(x.Context(), x.report.Rows[0].UUID)
			x.check(err)
		}},
		{`panel "POST /panel/certificates/{name}/reissue"`, func(x *watched) {
			name := "Somebody Else"
			_, err := x.staff.Reissue(x.Context(), x.report.Rows[0].UUID, staff.Mend{Name: &name})
			x.check(err)
		}},
		{`panel "POST /panel/certificates/{name}/revoke"`, func(x *watched) {
			_, err := x.staff.Revoke(x.Context(), x.report.Rows[1].UUID, "Awarded in error")
			x.check(err)
		}},
		{`panel "DELETE /panel/recipients/{email}"`, func(x *watched) {
			_, err := x.staff.EraseRecipient(x.Context(), "p2@example.org")
			x.check(err)
			if told := fmt.Sprint(x.acts()); strings.Contains(told, "p2@") {
				x.Errorf("the trail keeps who was erased: %s", told)
			}
		}},
		{`panel "POST /panel/backup"`, func(x *watched) {
			_, err := x.staff.Backup(x.Context(), staff.BackupRequest{}, io.Discard)
			x.check(err)
		}},
	}
}

func ofApplications() []auditCase {
	var one, other staff.Application
	submit := func(x *watched, name string) staff.Application {
		made, err := x.staff.SubmitApplication(x.Context(), staff.NewApplication{Title: "Diploma", Name: name, Email: name + "@example.org",
			Evidence: &staff.NewFile{Name: "scan.pdf", Body: onePage(name)}})
		x.check(err)
		return made
	}
	return []auditCase{
		{`panel "POST " + base`, func(x *watched) { one, other = submit(x, "ada"), submit(x, "ben") }},
		{`panel "POST " + base + "/{name}/review"`, func(x *watched) {
			_, err := x.staff.ReviewApplication(x.Context(), one.UUID)
			x.check(err)
		}},
		{`panel "POST " + base + "/{name}/approve"`, func(x *watched) {
			_, err := x.staff.ApproveApplication(x.Context(), one.UUID, staff.ApplicationApproval{Evidence: true})
			x.check(err)
		}},
		{`panel "POST " + base + "/{name}/reject"`, func(x *watched) {
			_, err := x.staff.RejectApplication(x.Context(), other.UUID, "no such course")
			x.check(err)
		}},
	}
}

func ofMails() []auditCase {
	waiting := func(x *watched) staff.Mail {
		all, err := x.quiet.Mails(x.Context(), staff.MailFilter{State: "waiting"})
		x.check(err)
		i := slices.IndexFunc(all, func(m staff.Mail) bool { return m.NotBefore != nil && m.BatchID != nil })
		if i < 0 {
			x.Fatal("no mail about a certificate is held")
		}
		return all[i] // others are on their way
	}
	var cancelled staff.Mail
	return []auditCase{
		{`panel "POST /panel/mails/{id}/cancel"`, func(x *watched) {
			var err error
			cancelled, err = x.staff.CancelMail(x.Context(), waiting(x).ID)
			x.check(err)
		}},
		{`panel "POST /panel/mails/resend"`, func(x *watched) {
			_, err := x.staff.ResendMail(x.Context(), strconv.FormatUint(cancelled.ID, 10), "")
			x.check(err)
		}},
		{`panel "POST /panel/mails/cancel"`, func(x *watched) {
			_, err := x.staff.CancelMails(x.Context(), x.report.BatchID)
			x.check(err)
		}},
		{`panel "POST /panel/mails/send"`, func(x *watched) {
			_, err := x.staff.SendMails(x.Context())
			x.check(err)
		}},
	}
}

func ofKeys() []auditCase {
	var made staff.Token
	return []auditCase{
		{`panel "POST /panel/tokens"`, func(x *watched) {
			var err error
			made, err = x.staff.CreateToken(x.Context(), staff.NewToken{Name: "t", Permissions: []string{"certificate-vault:create"}})
			x.check(err)
		}},
		{`panel "DELETE /panel/tokens/{id}"`, func(x *watched) {
			_, err := x.staff.RevokeToken(x.Context(), made.ID)
			x.check(err)
		}},
		{`panel "POST /panel/key"`, func(x *watched) {
			key, cert, err := pdf.NewSelfSigned(rand.Reader, "Registry", time.Now(), 1)
			x.check(err)
			_, err = x.staff.ImportKey(x.Context(), slices.Concat(key, cert))
			x.check(err)
		}},
		{`panel "POST /panel/key/rotate"`, func(x *watched) {
			_, err := x.staff.RotateKey(x.Context(), true)
			x.check(err)
		}},
		{`panel "POST /panel/keys/secrets/rotate"`, func(x *watched) {
			_, err := x.staff.RotateSecretsKey(x.Context())
			x.check(err)
		}},
		{`panel "POST /panel/settings"`, func(x *watched) {
			_, err := x.staff.Configure(x.Context(), staff.Settings{TimeZone: "Europe/Warsaw"})
			x.check(err)
		}},
		{`panel "POST /panel/institutions"`, func(x *watched) {
			_, err := x.staff.AddInstitution(x.Context(), staff.Settings{Institution: "Other University"})
			x.check(err)
		}},
		{`panel "POST /panel/institutions/{name}/use"`, func(x *watched) {
			for _, name := range []string{"Other University", "Test University"} {
				_, err := x.staff.UseInstitution(x.Context(), name)
				x.check(err)
			}
		}},
	}
}

func ofWebhooks() []auditCase {
	var made staff.Webhook
	address, active := "https://hooks.invalid/one", true
	edit := staff.WebhookEdit{URL: &address, Events: []string{"certificate_application.approved"}, IsActive: &active}
	return []auditCase{
		{`panel "POST /panel/webhooks"`, func(x *watched) {
			var err error
			made, err = x.staff.CreateWebhook(x.Context(), edit)
			x.check(err)
		}},
		{`panel "PATCH /panel/webhooks/{id}"`, func(x *watched) {
			_, err := x.staff.UpdateWebhook(x.Context(), made.ID, edit)
			x.check(err)
		}},
		{`panel "POST /panel/webhooks/{id}/rotate"`, func(x *watched) {
			_, err := x.staff.RotateWebhook(x.Context(), made.ID)
			x.check(err)
		}},
		{`panel "POST /panel/webhooks/{id}/test"`, func(x *watched) {
			_, err := x.staff.TestWebhook(x.Context(), made.ID)
			x.check(err)
		}},
		{`panel "POST /panel/redeliver"`, func(x *watched) {
			_, err := x.staff.Redeliver(x.Context(), staff.Redelivery{Filter: &staff.DeliveryFilter{}})
			x.check(err)
		}},
		{`panel "DELETE /panel/webhooks/{id}"`, func(x *watched) {
			_, err := x.staff.DeleteWebhook(x.Context(), made.ID)
			x.check(err)
		}},
	}
}

// ofPrograms are the cases of the documented API, with a token from the network.
func ofPrograms() []auditCase {
	form := func(fields map[string]string, file string) (body, kind string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, value := range fields {
			_ = w.WriteField(name, value)
		}
		part, _ := w.CreateFormFile(file, "d.pdf")
		_, _ = part.Write(onePage("upload"))
		_ = w.Close()
		return b.String(), w.FormDataContentType()
	}
	token := func(x *watched) (who, secret string) {
		made, err := x.quiet.CreateToken(x.Context(), staff.NewToken{Name: "lms", Permissions: []string{"certificate-vault:create"}})
		x.check(err)
		return "token lms (" + made.ID + ")", "Bearer " + made.Secret
	}
	const base = "/business/certificate-vault"
	var uploaded string
	return []auditCase{
		{`api POST base`, func(x *watched) {
			who, secret := token(x)
			body, kind := form(map[string]string{"certificate_title": "Diploma", "full_name": "Ania", "applicant_email": "ania@example.org"}, "certificate_file")
			x.call(who, base, body, map[string]string{"Authorization": secret, "Content-Type": kind})
		}},
		{`api POST base + "/upload-file"`, func(x *watched) {
			who, secret := token(x)
			body, kind := form(nil, "file")
			answer := x.call(who, base+"/upload-file", body, map[string]string{"Authorization": secret, "Content-Type": kind})
			uploaded = regexp.MustCompile(`[0-9a-f-]{36}`).FindString(fmt.Sprint(answer))
		}},
		{`api POST base + "/bulk"`, func(x *watched) {
			who, secret := token(x)
			x.call(who, base+"/bulk", `{"entries":[{"file_id":"`+uploaded+`","certificate_title":"Diploma","full_name":"Bob","applicant_email":"bob@example.org"}]}`,
				map[string]string{"Authorization": secret})
		}},
	}
}

// snapshot is what a store says of itself to be certified.
const snapshot = `{"sdk_version":"1.9.0","features":{"base":true},"services":{"transaction_verifier":true},"config":{"api_key_set":true,"store_slug_set":true}}`

// ofTheAuthority are the cases of staff and stores of the certification authority.
func ofTheAuthority() []auditCase {
	keys, hash := map[string]string{}, ""
	asks := func(x *watched, store, what, body string) map[string]any {
		return x.call("store "+store, "/api/certify/"+what, body, map[string]string{"X-VendWeave-Store": store, "X-VendWeave-Key": keys[store]})
	}
	request := func(x *watched, store string) string {
		answer := asks(x, store, "request", `{"domain":"`+store+`.example.com","project_name":"Shop","snapshot":`+snapshot+`}`)
		hash, _ = answer["verification_hash"].(string)
		id, _ := answer["request_id"].(string)
		return id
	}
	stores := []string{"one", "two", "three"}
	return []auditCase{
		{`counter "POST " + Base + "stores"`, func(x *watched) {
			for _, name := range stores {
				made, err := x.staff.AddStore(x.Context(), name, name != "one")
				x.check(err)
				keys[name] = made.APIKey
			}
		}},
		{`counter "POST " + Base + "stores/{slug}/{act}"`, func(x *watched) {
			for _, do := range []string{"disable", "enable"} {
				_, err := x.staff.ActOnStore(x.Context(), "one", do)
				x.check(err)
			}
		}},
		{`counter "POST " + Base + "domains"`, func(x *watched) {
			for _, name := range stores {
				_, err := x.staff.AddDomain(x.Context(), name+".example.com", name)
				x.check(err)
			}
		}},
		{`counter "POST " + Base + "domains/{name}/" + act`, func(x *watched) {
			for _, name := range stores {
				_, err := x.staff.ActOnDomain(x.Context(), name+".example.com", "trust")
				x.check(err)
			}
		}},
		{`counter "POST " + Base + "secret/rotate"`, func(x *watched) {
			_, err := x.staff.RotateAuthoritySecret(x.Context())
			x.check(err)
		}},
		{`door POST "request"`, func(x *watched) { request(x, "one") }},
		{`door POST "renew"`, func(x *watched) {
			hash, _ = asks(x, "one", "renew", `{"verification_hash":"`+hash+`","snapshot":`+snapshot+`}`)["verification_hash"].(string)
		}},
		{`door POST "revoke"`, func(x *watched) {
			asks(x, "one", "revoke", `{"verification_hash":"`+hash+`","reason":"closed"}`)
		}},
		{`counter "POST " + Base + path`, func(x *watched) {
			granted, err := x.staff.DecideRequest(x.Context(), request(x, "two"), "approve", "")
			x.check(err)
			_, err = x.staff.RevokeCertification(x.Context(), granted.Hash, "closed")
			x.check(err)
			_, err = x.staff.DecideRequest(x.Context(), request(x, "three"), "reject", "unknown")
			x.check(err)
		}},
	}
}
