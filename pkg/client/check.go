package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Promise is something that the guide or VEC.digital's published reference says about a
// server, and whether the server keeps it.
type Promise struct {
	Name   string       `json:"promise"`
	Source string       `json:"source"` // guide, reference, both, extension
	Kept   PromiseState `json:"kept"`
	Detail string       `json:"detail"` // what the server answered instead, or why it is not known
}

// PromiseState says whether a promise is kept.
type PromiseState string

// The states of a promise.
const (
	Kept    PromiseState = "yes"
	Broken  PromiseState = "no"
	Unknown PromiseState = "unknown" // there was nothing to try it on
)

// Sources of promises.
const (
	fromGuide     = "guide"
	fromReference = "reference"
	fromBoth      = "both"
	extension     = "extension"
)

// Check finds out which promises of the guide and the reference a server keeps. It only
// reads. The error is about a server that cannot be asked at all: it does not answer, or
// refuses the token.
func (c *Client) Check(ctx context.Context) ([]Promise, error) {
	k := checker{Client: c}
	first := k.get(ctx, "/business/certificate-templates")
	if fault.Is(first.err, fault.Unavailable) && first.status == 0 || fault.Is(first.err, fault.Unauthenticated) {
		return nil, first.err
	}
	k.token(ctx, first)
	k.templates(ctx, first)
	k.list(ctx)
	k.filters(ctx)
	k.objects(ctx)
	k.download(ctx)
	k.batches(ctx)
	k.certificates(ctx)
	return k.all, ctx.Err()
}

// checker collects what is found out.
type checker struct {
	*Client
	all  []Promise
	page Page[Certificate] // the list's first
	raw  []map[string]any  // its entries as they came
}

// reply is an answer of any kind.
type reply struct {
	status int
	body   []byte
	err    error // for a status of 300 and more, and where there is no answer
}

func (k *checker) get(ctx context.Context, path string) reply {
	resp, err := k.Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		if answered, ok := errors.AsType[*Error](err); ok {
			return reply{status: answered.Status, err: err}
		}
		return reply{err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return reply{resp.StatusCode, raw, err}
}

// told is the answer in a few words.
func (r reply) told() string {
	const most = 100
	switch {
	case r.err != nil && r.status > 0:
		return fmt.Sprintf("%d %s", r.status, r.err.Error())
	case r.err != nil:
		message, _ := fault.Message(r.err)
		return message
	}
	text := string(bytes.Join(bytes.Fields(r.body[:min(len(r.body), most)]), []byte(" ")))
	return fmt.Sprintf("%d %s", r.status, strings.ToValidUTF8(text, ""))
}

// say notes whether a promise is kept; the detail is noted where it is not. What the token has
// no permission for is not known.
func (k *checker) say(source, name string, kept bool, detail string) {
	p := Promise{Name: name, Source: source, Kept: Kept}
	switch {
	case kept:
	case strings.HasPrefix(detail, forbidden):
		p.Kept, p.Detail = Unknown, detail
	default:
		p.Kept, p.Detail = Broken, detail
	}
	k.all = append(k.all, p)
}

// forbidden begins what reply.told says of a call that the token has no permission for.
const forbidden = "403 "

func (k *checker) unknown(source, name, why string) {
	k.all = append(k.all, Promise{name, source, Unknown, why})
}

func (k *checker) token(ctx context.Context, first reply) {
	k.say(fromBoth, "the token is accepted", first.status == http.StatusOK, first.told())
	other := *k.Client
	other.token = "none"
	wrong := (&checker{Client: &other}).get(ctx, "/business/certificate-vault")
	k.say(fromGuide, "another token gets 401 Unauthorized - Invalid API token",
		wrong.status == http.StatusUnauthorized && strings.Contains(wrong.told(), "Unauthorized - Invalid API token"), wrong.told())
}

func (k *checker) templates(ctx context.Context, first reply) {
	text := bytes.TrimSpace(first.body)
	k.say(fromGuide, "templates are a bare array", bytes.HasPrefix(text, []byte("[")), first.told())
	k.say(fromReference, "templates are a page", bytes.HasPrefix(text, []byte("{")), first.told())
	page, err := parsePage(first.body, parseMap)
	k.one(ctx, err == nil && len(page.Data) > 0, func() any { return page.Data[0]["id"] }, "/business/certificate-templates/", "a template is shown by its ID")
}

// one tries the reference's call for one object of a list.
func (k *checker) one(ctx context.Context, some bool, id func() any, path, name string) {
	if !some {
		k.unknown(fromReference, name, "the list is empty")
		return
	}
	found := k.get(ctx, path+url.PathEscape(fmt.Sprint(id())))
	k.say(fromReference, name, found.status == http.StatusOK, found.told())
}

const listPath = "/business/certificate-vault"

func (k *checker) list(ctx context.Context) {
	answer := k.get(ctx, listPath+"?per_page=100")
	page, err := parsePage(answer.body, parseCertificate)
	k.say(fromBoth, "the list is understood", answer.err == nil && err == nil, answer.told())
	if answer.err != nil || err != nil {
		return
	}
	k.page = page
	var body struct {
		Data []map[string]any
		Meta map[string]any
	}
	if json.Unmarshal(answer.body, &body) != nil {
		_ = json.Unmarshal(answer.body, &body.Data) // a bare array
	}
	k.raw = body.Data
	for _, name := range []string{"current_page", "last_page", "per_page", "total"} {
		if _, ok := body.Meta[name]; !ok {
			k.say(fromReference, "the list has meta and links", false, "meta has no "+name)
			return
		}
	}
	k.say(fromReference, "the list has meta and links", true, "")
	one := k.get(ctx, listPath+"?per_page=1")
	first, err := parsePage(one.body, parseCertificate)
	k.say(fromReference, "per_page is obeyed", one.err == nil && err == nil && len(first.Data) <= 1, one.told())
	_, linked := body.Meta["links"].([]any)
	k.say(fromReference, "meta has links", linked, "meta has no links")
}

// filters tries the filters with what selects nothing, or one certificate.
func (k *checker) filters(ctx context.Context) {
	const nobody = "nobody.vecctl-check@example.invalid"
	for _, f := range []struct{ source, query, name string }{
		{fromGuide, "status=processing", "the list is filtered by status"},
		{fromGuide, "status=approved", "the finished are approved"},
		{fromReference, "status=generated", "the finished are generated"},
	} {
		answer := k.get(ctx, listPath+"?per_page=1&"+f.query)
		k.say(f.source, f.name, answer.status == http.StatusOK, answer.told())
	}
	unknown := k.get(ctx, listPath+"?status=nonsense")
	k.say(fromReference, "an unknown status gets 422", unknown.status == http.StatusUnprocessableEntity, unknown.told())
	for _, f := range []struct{ source, name, query string }{
		{fromGuide, "the list is filtered by e-mail", "applicant_email=" + url.QueryEscape(nobody)},
		{fromGuide, "the list is searched", "search=" + url.QueryEscape(nobody)},
		{fromGuide, "the list is filtered by batch_id", "batch_id=00000000-0000-4000-8000-000000000000"},
	} {
		if len(k.page.Data) == 0 {
			k.unknown(f.source, f.name, "the list is empty")
			continue
		}
		answer := k.get(ctx, listPath+"?per_page=1&"+f.query)
		page, err := parsePage(answer.body, parseCertificate)
		k.say(f.source, f.name, answer.err == nil && err == nil && len(page.Data) == 0, "it answers others: "+answer.told())
	}
}

// objects looks at the first certificate of the list.
func (k *checker) objects(ctx context.Context) {
	missing := k.get(ctx, listPath+"/00000000-0000-4000-8000-000000000000")
	k.say(fromBoth, "an unknown UUID gets 404", missing.status == http.StatusNotFound, missing.told())
	names := []struct{ source, name string }{
		{fromBoth, "a certificate is shown by its UUID"}, {extension, "a certificate is shown by its reference ID"},
		{fromGuide, "a status has value, label and description"}, {fromReference, "a certificate has issue_date"},
		{fromReference, "a certificate has created_at and updated_at"},
	}
	if len(k.page.Data) == 0 || len(k.raw) == 0 {
		for _, n := range names {
			k.unknown(n.source, n.name, "the list is empty")
		}
		return
	}
	c, raw := k.page.Data[0], k.raw[0]
	for i, id := range []string{c.UUID, c.ReferenceID} {
		answer := k.get(ctx, vaultPath(id))
		k.say(names[i].source, names[i].name, answer.status == http.StatusOK, answer.told())
	}
	status, _ := raw["status"].(map[string]any)
	k.say(names[2].source, names[2].name, status["value"] != nil && status["label"] != nil && status["description"] != nil, fmt.Sprint("status is ", raw["status"]))
	date, dated := raw["issue_date"].(string)
	k.say(names[3].source, names[3].name, dated && date != "", "vecctl cannot tell certificates apart that differ in their dates alone")
	k.say(names[4].source, names[4].name, raw["created_at"] != nil && raw["updated_at"] != nil, "one of them is missing")
}

// download fetches a verified PDF, if the list's first page has one.
func (k *checker) download(ctx context.Context) {
	const name = "a verified PDF is downloaded"
	for _, c := range k.page.Data {
		if c.Status.Is(vault.Approved) {
			answer := k.get(ctx, vaultPath(c.UUID)+"/download")
			k.say(fromBoth, name, bytes.HasPrefix(answer.body, []byte("%PDF-")), answer.told())
			return
		}
	}
	k.unknown(fromBoth, name, "no finished certificate is listed")
}

func (k *checker) batches(ctx context.Context) {
	answer := k.get(ctx, "/business/batches")
	page, err := parsePage(answer.body, parseBatch)
	k.say(fromBoth, "batches are understood", answer.err == nil && err == nil, answer.told())
	k.one(ctx, len(page.Data) > 0, func() any { return page.Data[0].BatchID }, "/business/batches/", "a batch is shown by its ID")
}

func (k *checker) certificates(ctx context.Context) {
	answer := k.get(ctx, "/business/certificates")
	page, err := parsePage(answer.body, parseCertificate)
	k.say(fromBoth, "all certificates are understood", answer.err == nil && err == nil, answer.told())
	k.one(ctx, len(page.Data) > 0, func() any { return page.Data[0].UUID }, "/business/certificates/", "any certificate is shown by its UUID")
}

// CheckWrite issues a test certificate and finds out what the server promises about uploads.
// It returns the certificate as well, which the caller may want to revoke.
func (c *Client) CheckWrite(ctx context.Context, n NewCertificate) ([]Promise, Certificate, error) {
	k := checker{Client: c}
	issued, err := c.Upload(ctx, n, nil)
	k.say(fromBoth, "an upload is accepted", err == nil, fmt.Sprint(err))
	if err != nil {
		return k.all, issued, nil
	}
	again, err := c.Upload(ctx, n, nil)
	k.say(extension, "an upload with the same Idempotency-Key is not made twice", err == nil && again.UUID == issued.UUID, fmt.Sprint(err))
	n.Key = ""
	_, err = c.Upload(ctx, n, nil)
	refused, ok := errors.AsType[*Error](err)
	k.say(fromGuide, "a duplicate gets 422 and the guide's text",
		ok && refused.Status == http.StatusUnprocessableEntity && strings.Contains(err.Error(), vault.DuplicateMessage), fmt.Sprint(err))
	file, err := c.UploadFile(ctx, n.File, "", nil)
	k.say(fromBoth, "a file is kept for a bulk call", err == nil && file.FileID != "", fmt.Sprint(err))
	done, err := c.Await(ctx, issued.UUID)
	k.say(fromBoth, "the certificate is finished", err == nil && done.Status.Is(vault.Approved), fmt.Sprint(done.Status.Value, " ", err))
	if done.UUID == "" {
		done = issued
	}
	return k.all, done, ctx.Err()
}

func parseMap(raw json.RawMessage) (map[string]any, error) {
	var one map[string]any
	if json.Unmarshal(raw, &one) != nil || one == nil {
		return nil, shapeError("an entry is not an object")
	}
	return one, nil
}
