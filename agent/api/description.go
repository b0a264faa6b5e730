package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// apiDescription is what the code samples and the collection need of the API's description.
type apiDescription struct {
	Info       struct{ Title, Description string }
	Paths      map[string]map[string]describedCall
	Components struct {
		Parameters map[string]describedParameter
		Schemas    map[string]describedSchema
	}
}

// describedCall is an operation of the description.
type describedCall struct {
	OperationID string
	Summary     string
	Description string
	Security    *[]json.RawMessage // empty: the call needs no token
	Parameters  []describedParameter
	RequestBody struct {
		Content map[string]struct{ Schema describedSchema }
	}
	Responses map[string]struct {
		Content map[string]json.RawMessage
	}
}

// describedParameter is a parameter, or the name of one.
type describedParameter struct {
	Ref     string `json:"$ref"`
	Name    string
	In      string
	Example string
}

// describedSchema is a schema, or the name of one.
type describedSchema struct {
	Ref        string `json:"$ref"`
	Format     string
	Properties orderedSchemas
	Items      *describedSchema
	Examples   []any
}

// orderedSchemas are the properties of a schema, in the order of the description.
type orderedSchemas struct {
	names []string
	by    map[string]describedSchema
}

// UnmarshalJSON keeps the order.
func (o *orderedSchemas) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &o.by); err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	if _, err := in.Token(); err != nil { // the brace
		return err
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		var skipped json.RawMessage
		if err := in.Decode(&skipped); err != nil {
			return err
		}
		o.names = append(o.names, fmt.Sprint(name))
	}
	return nil
}

// exampleCall is a call with values that a reader can try.
type exampleCall struct {
	id, summary, description string
	method, path             string // the path with its parameters filled in
	token                    bool   // the call needs one
	fields                   []exampleField
	json                     any    // the body, where it is JSON
	saves                    string // the file that the answer is saved as; "" where it is JSON
}

// exampleField is a field of a form.
type exampleField struct {
	name, value string
	file        bool // the value is a file's name
}

// exampleCalls returns a call for each operation of the description but HEAD, sorted by path.
func exampleCalls(raw []byte) ([]exampleCall, apiDescription, error) {
	var d apiDescription
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, d, fmt.Errorf("reading the API's description: %w", err)
	}
	var calls []exampleCall
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			if method != "head" {
				calls = append(calls, d.example(path, method))
			}
		}
	}
	return calls, d, nil
}

func (d apiDescription) example(path, method string) exampleCall {
	op := d.Paths[path][method]
	c := exampleCall{id: op.OperationID, summary: op.Summary, description: op.Description, method: strings.ToUpper(method), path: path,
		token: op.Security == nil || len(*op.Security) > 0}
	query := url.Values{}
	for _, p := range op.Parameters {
		p = d.parameter(p)
		switch {
		case p.Example == "":
		case p.In == "path":
			c.path = strings.ReplaceAll(c.path, "{"+p.Name+"}", p.Example)
		case p.In == "query":
			query.Set(p.Name, p.Example)
		}
	}
	if len(query) > 0 {
		c.path += "?" + query.Encode()
	}
	for status, answer := range op.Responses {
		for media := range answer.Content {
			if strings.HasPrefix(status, "2") && media != "application/json" && !strings.HasPrefix(media, "multipart/") {
				c.saves = map[string]string{"application/pdf": "verified.pdf", "application/zip": "certificates.zip"}[media]
			}
		}
	}
	if body, ok := op.RequestBody.Content["application/json"]; ok {
		c.json = d.value(body.Schema)
	} else if body, ok := op.RequestBody.Content["multipart/form-data"]; ok {
		s := d.schema(body.Schema)
		for _, name := range s.Properties.names {
			if p := s.Properties.by[name]; len(p.Examples) > 0 {
				c.fields = append(c.fields, exampleField{name, fmt.Sprint(p.Examples[0]), p.Format == "binary"})
			}
		}
	}
	return c
}

// value is a value of a schema: objects have the properties of which there are examples.
func (d apiDescription) value(s describedSchema) any {
	s = d.schema(s)
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Items != nil:
		return []any{d.value(*s.Items)}
	}
	object := map[string]any{}
	for _, name := range s.Properties.names {
		p := d.schema(s.Properties.by[name])
		if len(p.Examples) > 0 || p.Items != nil {
			object[name] = d.value(p)
		}
	}
	return object
}

const (
	parameterRefs = "#/components/parameters/"
	schemaRefs    = "#/components/schemas/"
)

func (d apiDescription) parameter(p describedParameter) describedParameter {
	if p.Ref == "" {
		return p
	}
	return d.Components.Parameters[strings.TrimPrefix(p.Ref, parameterRefs)]
}

func (d apiDescription) schema(s describedSchema) describedSchema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[strings.TrimPrefix(s.Ref, schemaRefs)]
}
