package api

import (
	"net/http"
	"strings"
)

// The collection of calls in Postman's format, version 2.1, which Bruno and others import too.
type (
	collection struct {
		Info     collectionInfo       `json:"info"`
		Auth     collectionAuth       `json:"auth"`
		Variable []collectionVariable `json:"variable"`
		Item     []collectionItem     `json:"item"`
	}
	collectionInfo struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"`
	}
	collectionAuth struct {
		Type   string               `json:"type"` // "bearer", "noauth"
		Bearer []collectionVariable `json:"bearer,omitempty"`
	}
	collectionVariable struct {
		Key   string `json:"key"`
		Value string `json:"value"`
		Type  string `json:"type"`
	}
	collectionItem struct {
		Name    string            `json:"name"`
		Request collectionRequest `json:"request"`
	}
	collectionRequest struct {
		Method      string               `json:"method"`
		Description string               `json:"description,omitempty"`
		Header      []collectionVariable `json:"header"`
		URL         collectionURL        `json:"url"`
		Body        *collectionBody      `json:"body,omitempty"`
		Auth        *collectionAuth      `json:"auth,omitempty"`
	}
	collectionURL struct {
		Raw   string               `json:"raw"`
		Host  []string             `json:"host"`
		Path  []string             `json:"path"`
		Query []collectionVariable `json:"query,omitempty"`
	}
	collectionBody struct {
		Mode     string              `json:"mode"` // "formdata", "raw"
		FormData []collectionField   `json:"formdata,omitempty"`
		Raw      string              `json:"raw,omitempty"`
		Options  map[string]language `json:"options,omitempty"`
	}
	collectionField struct {
		Key   string `json:"key"`
		Type  string `json:"type"` // "text", "file"
		Value string `json:"value,omitempty"`
		Src   string `json:"src,omitempty"`
	}
	language struct {
		Language string `json:"language"`
	}
)

// newCollection makes the collection of a vault at an address. The token is a variable that its
// user sets.
func newCollection(raw []byte, base string) (collection, error) {
	calls, d, err := exampleCalls(raw)
	const schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
	all := collection{
		Info:     collectionInfo{Name: d.Info.Title, Description: d.Info.Description, Schema: schema},
		Auth:     collectionAuth{Type: "bearer", Bearer: []collectionVariable{{Key: "token", Value: "{{token}}", Type: "string"}}},
		Variable: []collectionVariable{{Key: "baseUrl", Value: base, Type: "string"}, {Key: "token", Type: "string"}},
		Item:     []collectionItem{},
	}
	for _, c := range calls {
		all.Item = append(all.Item, collectionItem{Name: c.summary, Request: c.collectionRequest()})
	}
	return all, err
}

func (c exampleCall) collectionRequest() collectionRequest {
	path, query, _ := strings.Cut(c.path, "?")
	r := collectionRequest{Method: c.method, Description: c.description, Header: []collectionVariable{{Key: "Accept", Value: c.accept(), Type: "text"}},
		URL: collectionURL{Raw: "{{baseUrl}}" + c.path, Host: []string{"{{baseUrl}}"}, Path: strings.Split(strings.TrimPrefix(path, "/"), "/")}}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			r.URL.Query = append(r.URL.Query, collectionVariable{Key: name, Value: value, Type: "text"})
		}
	}
	if !c.token {
		r.Auth = &collectionAuth{Type: "noauth"}
	}
	for _, f := range c.fields {
		if r.Body == nil {
			r.Body = &collectionBody{Mode: "formdata"}
		}
		field := collectionField{Key: f.name, Type: "text", Value: f.value}
		if f.file {
			field = collectionField{Key: f.name, Type: "file", Src: f.value}
		}
		r.Body.FormData = append(r.Body.FormData, field)
	}
	if c.json != nil {
		r.Body = &collectionBody{Mode: "raw", Raw: c.body(""), Options: map[string]language{"raw": {"json"}}}
	}
	return r
}

const (
	collectionPath = "/docs/collection.json"
	samplesPath    = "/docs/samples.json"
)

// serveCollection answers with the collection, for the address that the caller used.
func (a *API) serveCollection(w http.ResponseWriter, r *http.Request) {
	made, err := newCollection(description, strings.TrimSuffix(a.requestURL(r), collectionPath))
	if err == nil {
		w.Header().Set("Content-Disposition", attachmentDisposition("certificate-vault.postman_collection.json"))
		w.Header().Set("Cache-Control", "no-cache")
		err = writeJSON(w, http.StatusOK, made)
	}
	if err != nil {
		a.Fail(w, r, err)
	}
}

// serveSamples answers with the code samples of all calls.
func (a *API) serveSamples(w http.ResponseWriter, r *http.Request) {
	all, err := samplesByCall(description)
	if err == nil {
		w.Header().Set("Cache-Control", "no-cache")
		err = writeJSON(w, http.StatusOK, all)
	}
	if err != nil {
		a.Fail(w, r, err)
	}
}
