package agent_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// auditCase calls a route.
type auditCase struct {
	route string
	do    func(*watched)
}

// resting are the cases that need certificates that are not worked on yet.
func resting() []auditCase {
	return []auditCase{
		{`adminapi "POST /panel/bulk"`, func(x *watched) { x.report = issue(x.T, x.staff, manifestOf(x.T, 5)) }},
		{`adminapi "POST /panel/batches/{id}/{act}"`, func(x *watched) {
			for _, do := range []adminclient.BatchAction{adminclient.PauseBatch, adminclient.ResumeBatch, adminclient.CancelBatch} {
				_, err := x.staff.ActOnBatch(x.Context(), x.report.BatchID, do)
				x.check(err)
			}
		}},
		{`api POST base + "/{name}/retry"`, func(x *watched) {
			made, err := x.quiet.CreateToken(x.Context(), adminclient.NewToken{Name: "r", Permissions: []string{"certificate-vault:update"}})
			x.check(err)
			x.call("token r ("+made.ID+")", "/business/certificate-vault/"+x.report.Rows[0].UUID+"/retry", "", map[string]string{"Authorization": "Bearer " + made.Secret})
		}},
		{`adminapi "POST /panel/failures/retry"`, func(x *watched) {
			_, err := x.staff.RetrySelected(x.Context(), adminclient.Selection{UUIDs: []string{x.report.Rows[1].UUID}})
			x.check(err)
		}},
		{`adminapi "POST /panel/retry"`, func(x *watched) {
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
		{`adminapi "POST /panel/corrections/{id}/done"`, func(x *watched) {
			one, err := x.quiet.Certificate(x.Context(), x.report.Rows[0].UUID)
			x.check(err)
			visit(x.T, x.agent).page(strings.TrimPrefix(one.ShareURL, x.agent.BaseURL()), url.Values{"correction": {"Two n"}})
			all, err := x.quiet.Corrections(x.Context(), false)
			if x.check(err); len(all) == 1 {
				_, err = x.staff.FinishCorrection(x.Context(), all[0].ID)
				x.check(err)
			}
		}},
		{`adminapi "POST /panel/seals/renew"`, func(x *watched) {
			_, err := x.staff.RenewSeals(x.Context(), adminclient.SealFilter{Certificate: x.report.Rows[0].UUID}, func(client.Progress) {})
			x.check(err)
		}},
		{`adminapi "POST /panel/certificates/{name}/reshare"`, func(x *watched) {
			_, err := x.staff.Reshare(x.Context(), x.report.Rows[0].UUID)
			x.check(err)
		}},
		{`adminapi "POST /panel/certificates/{name}/reissue"`, func(x *watched) {
			name := "Somebody Else"
			_, err := x.staff.Reissue(x.Context(), x.report.Rows[0].UUID, adminclient.Amendment{Changes: vault.Changes{Name: &name}})
			x.check(err)
		}},
		{`adminapi "POST /panel/certificates/{name}/revoke"`, func(x *watched) {
			_, err := x.staff.Revoke(x.Context(), x.report.Rows[1].UUID, "Awarded in error")
			x.check(err)
		}},
		{`adminapi "DELETE /panel/recipients/{email}"`, func(x *watched) {
			_, err := x.staff.EraseRecipient(x.Context(), "p2@example.org", "")
			x.check(err)
			if told := fmt.Sprint(x.acts()); strings.Contains(told, "p2@") {
				x.Errorf("the trail keeps who was erased: %s", told)
			}
		}},
		{`adminapi "POST /panel/erasures/reapply"`, func(x *watched) {
			_, err := x.staff.ReapplyErasures(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/recipients/{email}/export"`, func(x *watched) {
			x.check(x.staff.ExportRecipient(x.Context(), "p3@example.org", "", io.Discard))
		}},
		{`adminapi "POST /panel/recipients/{email}/readmit"`, func(x *watched) {
			x.check(x.staff.ReadmitRecipient(x.Context(), "p2@example.org"))
		}},
		{`adminapi "POST /panel/adopt"`, func(x *watched) {
			_, err := x.staff.Adopt(x.Context(), adminclient.AdoptRequest{Files: []string{"none.pdf"}})
			x.check(err)
		}},
		{`adminapi "POST /panel/retention/run"`, func(x *watched) {
			_, err := x.staff.RunRetention(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/backup"`, func(x *watched) {
			_, err := x.staff.Backup(x.Context(), adminclient.BackupRequest{}, io.Discard)
			x.check(err)
		}},
	}
}

func ofApplications() []auditCase {
	var one, other adminclient.Application
	submit := func(x *watched, name string) adminclient.Application {
		made, err := x.staff.SubmitApplication(x.Context(), adminclient.NewApplication{Title: "Diploma", Name: name, Email: name + "@example.org",
			Evidence: &adminclient.NewFile{Name: "scan.pdf", Body: onePage(name)}})
		x.check(err)
		return made
	}
	return []auditCase{
		{`adminapi "POST " + base`, func(x *watched) { one, other = submit(x, "ada"), submit(x, "ben") }},
		{`adminapi "POST " + base + "/{name}/review"`, func(x *watched) {
			_, err := x.staff.ReviewApplication(x.Context(), one.UUID)
			x.check(err)
		}},
		{`adminapi "POST " + base + "/{name}/approve"`, func(x *watched) {
			_, err := x.staff.ApproveApplication(x.Context(), one.UUID, adminclient.ApplicationApproval{Evidence: true})
			x.check(err)
		}},
		{`adminapi "POST " + base + "/{name}/reject"`, func(x *watched) {
			_, err := x.staff.RejectApplication(x.Context(), other.UUID, "no such course")
			x.check(err)
		}},
	}
}

func ofMails() []auditCase {
	waiting := func(x *watched) adminclient.Mail {
		all, err := x.quiet.Mails(x.Context(), adminclient.MailFilter{State: "waiting"})
		x.check(err)
		i := slices.IndexFunc(all, func(m adminclient.Mail) bool { return m.NotBefore != nil && m.BatchID != nil })
		if i < 0 {
			x.Fatal("no mail about a certificate is held")
		}
		return all[i] // others are on their way
	}
	var cancelled adminclient.Mail
	return []auditCase{
		{`adminapi "POST /panel/mails/{id}/cancel"`, func(x *watched) {
			var err error
			cancelled, err = x.staff.CancelMail(x.Context(), waiting(x).ID)
			x.check(err)
		}},
		{`adminapi "POST /panel/mails/resend"`, func(x *watched) {
			_, err := x.staff.ResendMail(x.Context(), strconv.FormatUint(cancelled.ID, 10), "")
			x.check(err)
		}},
		{`adminapi "POST /panel/mails/cancel"`, func(x *watched) {
			_, err := x.staff.CancelMails(x.Context(), x.report.BatchID)
			x.check(err)
		}},
		{`adminapi "POST /panel/mails/send"`, func(x *watched) {
			_, err := x.staff.SendMails(x.Context())
			x.check(err)
		}},
	}
}

func ofKeys() []auditCase {
	var made adminclient.Token
	return []auditCase{
		{`adminapi "POST /panel/tokens"`, func(x *watched) {
			var err error
			made, err = x.staff.CreateToken(x.Context(), adminclient.NewToken{Name: "t", Permissions: []string{"certificate-vault:create"}})
			x.check(err)
		}},
		{`adminapi "DELETE /panel/tokens/{id}"`, func(x *watched) {
			_, err := x.staff.RevokeToken(x.Context(), made.ID)
			x.check(err)
		}},
		{`adminapi "POST /panel/key"`, func(x *watched) {
			key, cert, err := pdf.NewSelfSigned(rand.Reader, "Registry", time.Now(), 1)
			x.check(err)
			_, err = x.staff.ImportKey(x.Context(), slices.Concat(key, cert))
			x.check(err)
		}},
		{`adminapi "POST /panel/key/use"`, func(x *watched) {
			_, err := x.staff.UseKey(x.Context(), newToken(x.T, "Registry").place(x.T))
			x.check(err)
		}},
		{`adminapi "POST /panel/key/rotate"`, func(x *watched) {
			_, err := x.staff.RotateKey(x.Context(), true)
			x.check(err)
		}},
		{`adminapi "POST /panel/logs/continue"`, func(x *watched) {
			_, err := x.staff.ContinueLogs(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/logs/issued"`, func(x *watched) {
			_, err := x.staff.AddIssued(x.Context(), 0)
			x.check(err)
		}},
		{`adminapi "POST /panel/logs/new"`, func(x *watched) {
			_, err := x.staff.NewLog(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/keys/badges/rotate"`, func(x *watched) {
			_, err := x.staff.RotateCredentialKey(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/keys/secrets/rotate"`, func(x *watched) {
			_, err := x.staff.RotateSecretsKey(x.Context())
			x.check(err)
		}},
		{`adminapi "POST /panel/settings"`, func(x *watched) {
			_, err := x.staff.Configure(x.Context(), adminclient.Settings{TimeZone: "Europe/Warsaw"})
			x.check(err)
		}},
		{`adminapi "POST /panel/institutions"`, func(x *watched) {
			_, err := x.staff.AddInstitution(x.Context(), adminclient.Settings{Institution: "Other University"})
			x.check(err)
		}},
		{`adminapi "POST /panel/institutions/{name}/use"`, func(x *watched) {
			for _, name := range []string{"Other University", "Test University"} {
				_, err := x.staff.UseInstitution(x.Context(), name)
				x.check(err)
			}
		}},
		{`adminapi "POST /panel/institutions/{name}/close"`, func(x *watched) {
			_, err := x.staff.CloseInstitution(x.Context(), "Other University")
			x.check(err)
		}},
		{`adminapi "POST /panel/institutions/{name}/reopen"`, func(x *watched) {
			_, err := x.staff.ReopenInstitution(x.Context(), "Other University")
			x.check(err)
		}},
		{`adminapi "DELETE /panel/institutions/{name}"`, func(x *watched) {
			_, err := x.staff.RemoveInstitution(x.Context(), "Other University")
			x.check(err)
		}},
	}
}

func ofWebhooks() []auditCase {
	var made adminclient.Webhook
	address, active := "https://hooks.invalid/one", true
	edit := adminclient.WebhookEdit{URL: &address, Events: []string{"certificate_application.approved"}, IsActive: &active}
	return []auditCase{
		{`adminapi "POST /panel/webhooks"`, func(x *watched) {
			var err error
			made, err = x.staff.CreateWebhook(x.Context(), edit)
			x.check(err)
		}},
		{`adminapi "PATCH /panel/webhooks/{id}"`, func(x *watched) {
			_, err := x.staff.UpdateWebhook(x.Context(), made.ID, edit)
			x.check(err)
		}},
		{`adminapi "POST /panel/webhooks/{id}/rotate"`, func(x *watched) {
			_, err := x.staff.RotateWebhook(x.Context(), made.ID)
			x.check(err)
		}},
		{`adminapi "POST /panel/webhooks/{id}/test"`, func(x *watched) {
			_, err := x.staff.TestWebhook(x.Context(), made.ID)
			x.check(err)
		}},
		{`adminapi "POST /panel/redeliver"`, func(x *watched) {
			_, err := x.staff.Redeliver(x.Context(), adminclient.Redelivery{Filter: &adminclient.DeliveryFilter{}})
			x.check(err)
		}},
		{`adminapi "DELETE /panel/webhooks/{id}"`, func(x *watched) {
			_, err := x.staff.DeleteWebhook(x.Context(), made.ID)
			x.check(err)
		}},
	}
}

// ofPrograms are the cases of the documented API, with a token from the network.
func ofPrograms() []auditCase {
	formOf := func(fields map[string]string, file, name string, content []byte) (body, kind string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, value := range fields {
			_ = w.WriteField(name, value)
		}
		part, _ := w.CreateFormFile(file, name)
		_, _ = part.Write(content)
		_ = w.Close()
		return b.String(), w.FormDataContentType()
	}
	form := func(fields map[string]string, file string) (body, kind string) {
		return formOf(fields, file, "d.pdf", onePage("upload"))
	}
	token := func(x *watched) (who, secret string) {
		made, err := x.quiet.CreateToken(x.Context(), adminclient.NewToken{Name: "lms", Permissions: []string{"certificate-vault:create"}})
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
		{`api POST "/business/batches"`, func(x *watched) {
			files, err := template.BundledFiles("degree")
			x.check(err)
			x.check(template.Dir{Path: x.agent.Home.Templates()}.Add("degree", files))
			who, secret := token(x)
			body, kind := formOf(map[string]string{"name": "Spring", "template_id": "degree"}, "csv_file", "people.csv", []byte("RecipientsEmail,RecipientsName\njane@example.com,Jane Doe\n"))
			x.call(who, "/business/batches", body, map[string]string{"Authorization": secret, "Content-Type": kind})
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
		{`authority/api "POST " + AdminBasePath + "stores"`, func(x *watched) {
			for _, name := range stores {
				made, err := x.staff.AddStore(x.Context(), name, name != "one")
				x.check(err)
				keys[name] = made.APIKey
			}
		}},
		{`authority/api "POST " + AdminBasePath + "stores/{slug}/{act}"`, func(x *watched) {
			for _, do := range []string{"disable", "enable"} {
				_, err := x.staff.ActOnStore(x.Context(), "one", do)
				x.check(err)
			}
		}},
		{`authority/api "POST " + AdminBasePath + "domains"`, func(x *watched) {
			for _, name := range stores {
				_, err := x.staff.AddDomain(x.Context(), name+".example.com", name)
				x.check(err)
			}
		}},
		{`authority/api "POST " + AdminBasePath + "domains/{name}/" + act`, func(x *watched) {
			for _, name := range stores {
				_, err := x.staff.ActOnDomain(x.Context(), name+".example.com", "trust")
				x.check(err)
			}
		}},
		{`authority/api "POST " + AdminBasePath + "secret/rotate"`, func(x *watched) {
			_, err := x.staff.RotateAuthoritySecret(x.Context())
			x.check(err)
		}},
		{`authority/api POST "request"`, func(x *watched) { request(x, "one") }},
		{`authority/api POST "renew"`, func(x *watched) {
			hash, _ = asks(x, "one", "renew", `{"verification_hash":"`+hash+`","snapshot":`+snapshot+`}`)["verification_hash"].(string)
		}},
		{`authority/api POST "revoke"`, func(x *watched) {
			asks(x, "one", "revoke", `{"verification_hash":"`+hash+`","reason":"closed"}`)
		}},
		{`authority/api "POST " + AdminBasePath + path`, func(x *watched) {
			granted, err := x.staff.DecideRequest(x.Context(), request(x, "two"), "approve", "")
			x.check(err)
			_, err = x.staff.RevokeCertification(x.Context(), granted.Hash, "closed")
			x.check(err)
			_, err = x.staff.DecideRequest(x.Context(), request(x, "three"), "reject", "unknown")
			x.check(err)
		}},
	}
}
