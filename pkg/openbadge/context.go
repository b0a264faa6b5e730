package openbadge

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/piprate/json-gold/ld"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Addresses of the contexts of credentials that this package makes.
const (
	contextVC = "https://www.w3.org/ns/credentials/v2"
	contextOB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
)

//go:embed contexts/*.json
var contextFiles embed.FS

// contextFile returns the embedded file of a context's address.
func contextFile(address string) (name string, known bool) {
	name, known = map[string]string{
		contextVC:                                "credentials-v2",
		contextOB:                                "ob-3.0.3",
		"https://www.w3.org/2018/credentials/v1": "credentials-v1",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": "ob-3.0.2",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": "ob-3.0.1",
		"https://purl.imsglobal.org/spec/ob/v3p0/context.json":       "ob-3.0.0",
		"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json":    "ob-extensions",
		"https://w3id.org/security/data-integrity/v2":                "data-integrity-v2",
		"https://w3id.org/security/data-integrity/v1":                "data-integrity-v1",
	}[address]
	return name, known
}

// contextLoader gives the canonicaliser the embedded contexts, and refuses all others: what is
// signed must not depend on what a server says today.
type contextLoader struct {
	mu     sync.Mutex
	parsed map[string]*ld.RemoteDocument
}

// LoadDocument implements ld.DocumentLoader.
func (l *contextLoader) LoadDocument(address string) (*ld.RemoteDocument, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.parsed[address]; d != nil {
		return d, nil
	}
	name, known := contextFile(address)
	if !known {
		return nil, fault.Newf(fault.Invalid, "the context %s is not known here", address)
	}
	data, err := contextFiles.ReadFile("contexts/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("reading a context: %w", err)
	}
	document, err := ld.DocumentFromReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the context %s: %w", address, err)
	}
	d := &ld.RemoteDocument{DocumentURL: address, Document: document}
	if l.parsed == nil {
		l.parsed = map[string]*ld.RemoteDocument{}
	}
	l.parsed[address] = d
	return d, nil
}

// canonicaliser writes documents as canonical N-Quads (RDFC-1.0).
type canonicaliser struct{ loader contextLoader }

// canonical returns the canonical N-Quads of a JSON-LD document. A term that no context defines is
// an error: a signature would not cover it.
func (c *canonicaliser) canonical(document map[string]any) (text string, err error) {
	defer func() {
		if p := recover(); p != nil { // the library's own slips on hostile documents
			err = fault.New(fault.Invalid, "the document is not JSON-LD that can be read")
		}
	}()
	if unknown := c.unknownContexts(document); len(unknown) > 0 {
		return "", fault.Newf(fault.Invalid, "the context %s is not known here", strings.Join(unknown, ", "))
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader, options.SafeMode = &c.loader, true
	processor := ld.NewJsonLdProcessor()
	expanded, err := processor.Expand(document, options)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the document is not JSON-LD that can be read: "+shortError(err))
	}
	if relative := relativeName(expanded); relative != "" {
		return "", fault.Newf(fault.Invalid, "the document uses %q, which none of its contexts defines", relative)
	}
	options.SafeMode, options.Algorithm, options.Format = false, ld.AlgorithmURDNA2015, "application/n-quads"
	normal, err := processor.Normalize(expanded, options)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the document cannot be put into canonical form: "+shortError(err))
	}
	text, ok := normal.(string)
	if !ok {
		return "", fault.New(fault.Invalid, "the document cannot be put into canonical form")
	}
	return text, nil
}

// unknownContexts lists the contexts of a document that are not embedded.
func (c *canonicaliser) unknownContexts(document map[string]any) (unknown []string) {
	all, ok := document["@context"].([]any)
	if !ok {
		all = []any{document["@context"]}
	}
	for _, one := range all {
		if address, ok := one.(string); ok {
			if _, known := contextFile(address); !known {
				unknown = append(unknown, address)
			}
		}
	}
	return unknown
}

// relativeName returns an identifier or a type of an expanded document that is no absolute IRI;
// "" where there is none. Such names would be left out of the canonical form.
func relativeName(value any) string {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			if found := relativeName(one); found != "" {
				return found
			}
		}
	case map[string]any:
		if id, ok := v["@id"].(string); ok && !strings.Contains(id, ":") {
			return id
		}
		types, _ := v["@type"].([]any)
		for _, one := range types {
			if name, ok := one.(string); ok && !strings.Contains(name, ":") {
				return name
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(key, "@") && key != "@graph" && key != "@list" && key != "@set" {
				continue
			}
			if found := relativeName(v[key]); found != "" {
				return found
			}
		}
	}
	return ""
}

// shortError is what a library says, short enough for a message.
func shortError(err error) string {
	const most = 200
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	return string(text[:min(len(text), most)])
}
