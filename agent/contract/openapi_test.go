package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vecctl/vecctl/agent/api"
)

// spec is the API's description, as far as answers go. The schemas of OpenAPI 3.1
// are those of JSON Schema 2020-12, so a validator of these judges them.
type spec struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Responses map[string]response        `json:"responses"`
		Schemas   map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`

	compiler *jsonschema.Compiler
	mu       sync.Mutex
}

type operation struct {
	Responses map[string]response `json:"responses"`
}

type response struct {
	Ref     string                     `json:"$ref"`
	Content map[string]json.RawMessage `json:"content"`
}

const specName = "openapi.json"

var description = sync.OnceValues(func() (*spec, error) {
	s := &spec{compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(api.OpenAPI(), s); err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(api.OpenAPI()))
	if err != nil {
		return nil, err
	}
	return s, s.compiler.AddResource(specName, document)
})

// judge tells what an answer has that the description does not, or the reverse.
func (s *spec) judge(r *http.Request, a answer) error {
	path, ok := s.path(r.URL.Path)
	if !ok {
		return fmt.Errorf("the description does not know this address")
	}
	method := strings.ToLower(r.Method)
	at := "#/paths/" + escape(path) + "/" + method + "/responses/" + strconv.Itoa(a.status)
	found, ok := s.Paths[path][method].Responses[strconv.Itoa(a.status)]
	if !ok {
		return fmt.Errorf("the description does not know this status")
	}
	if name, isRef := strings.CutPrefix(found.Ref, "#/components/responses/"); isRef {
		at, found = found.Ref, s.Components.Responses[name]
	}
	return s.judgeBody(at, found, a)
}

func (s *spec) judgeBody(at string, described response, a answer) error {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if len(a.body) == 0 && len(described.Content) == 0 {
		return nil
	}
	if _, ok := described.Content[kind]; !ok {
		return fmt.Errorf("the description does not know a body of the type %q (%w)", a.header.Get("Content-Type"), err)
	}
	if kind != "application/json" {
		return nil
	}
	schema, err := s.compile(at + "/content/" + escape(kind) + "/schema")
	if err != nil {
		return err
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		return err
	}
	return schema.Validate(body)
}

// compile makes a validator of a schema, named by a JSON pointer.
func (s *spec) compile(pointer string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compiler.Compile(specName + pointer)
}

// path finds the description's name of an address: parts in braces stand for any.
// A slash at its end does not count.
func (s *spec) path(address string) (string, bool) {
	address = strings.TrimRight(address, "/")
	if _, ok := s.Paths[address]; ok {
		return address, true
	}
	parts := strings.Split(address, "/")
	for name := range s.Paths {
		if fits(strings.Split(name, "/"), parts) {
			return name, true
		}
	}
	return "", false
}

func fits(pattern, parts []string) bool {
	if len(pattern) != len(parts) {
		return false
	}
	for i, p := range pattern {
		if !strings.HasPrefix(p, "{") && p != parts[i] {
			return false
		}
	}
	return true
}

// escape makes a name a part of a JSON pointer within an address.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
}

// TestTheDescriptionJudges shows that answers which it does not describe fail.
func TestTheDescriptionJudges(t *testing.T) {
	v, err := description()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		address string
		answer  answer
		good    bool
	}{
		"as described":      {"/business/certificate-vault", answer{status: 401, body: []byte(`{"message":"no"}`)}, true},
		"of another type":   {"/business/certificate-vault", answer{status: 401, body: []byte(`{"message":5}`)}, false},
		"without the field": {"/business/certificate-vault", answer{status: 401, body: []byte(`{}`)}, false},
		"an unknown status": {"/business/certificate-vault", answer{status: 418, body: []byte(`{"message":"no"}`)}, false},
		"an unknown place":  {"/business/nowhere", answer{status: 401, body: []byte(`{"message":"no"}`)}, false},
		"a part in braces":  {"/business/certificate-vault/x/download", answer{status: 404, body: []byte(`{"message":"no"}`)}, true},
	} {
		tt.answer.header = http.Header{"Content-Type": {"application/json"}}
		r := httptest.NewRequest(http.MethodGet, tt.address, nil)
		if err := v.judge(r, tt.answer); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFileByHash finds a certificate by its file, as the description says, and without a token.
func TestFileByHash(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.settled(s.want(s.upload("ann@example.com"), http.StatusCreated).text("data.uuid"))
	file := s.want(s.get(vaultPath+"/"+made.text("data.uuid")+"/download"), http.StatusOK)
	sum := fmt.Sprintf("%x", sha256.Sum256(file.body))
	public := s.as("")
	found := public.want(public.get(hashPath+sum), http.StatusOK)
	if found.text("reference_id") != made.text("data.reference_id") || found.text("status") != "genuine" || found.text("sha256") != sum {
		t.Errorf("found %v", found)
	}
	if a := public.want(public.get(hashPath+strings.Repeat("0", 64)), http.StatusNotFound); a.text("status") != "unknown" {
		t.Errorf("another file: %v", a)
	}
	for range 200 {
		if a := public.get(hashPath + sum); a.status != http.StatusOK {
			public.want(a, http.StatusTooManyRequests)
			return
		}
	}
	t.Error("200 questions were answered")
}
