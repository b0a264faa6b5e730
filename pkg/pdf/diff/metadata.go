package diff

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxMetadata = 1 << 20

// freeProperties are properties of a document's metadata that programs change when they
// save it: they tell of the saving.
var freeProperties = map[string]bool{
	"ModifyDate": true, "MetadataDate": true, "Producer": true, "InstanceID": true, "VersionID": true, "History": true, "xmptk": true,
	"DocumentID": true, "OriginalDocumentID": true, "RenditionClass": true, "DerivedFrom": true, "Thumbnails": true, "about": true,
}

// addedProperties may come with metadata where there were none.
var addedProperties = map[string]bool{"CreateDate": true, "CreatorTool": true, "format": true}

// metadata compares the document's own metadata (XMP) by what they say.
func (c *comparer) metadata(x, y xref.Value) {
	if c.sameBelow(x, y, "Metadata") {
		return
	}
	before, err1 := properties(c.a, c.a.Resolve(x))
	after, err2 := properties(c.b, c.b.Resolve(y))
	if err1 != nil || err2 != nil || y.IsNull() {
		c.add(Never, "the document's metadata were replaced")
		return
	}
	if x.IsNull() {
		maps.DeleteFunc(after, func(name, value string) bool {
			return addedProperties[lastPart(name)] || value != "" && c.inInformation(value)
		})
	}
	if !maps.Equal(before, after) {
		c.add(Never, "the document's metadata were changed")
		return
	}
	c.add(Validation, "the document's metadata were updated")
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// inInformation reports whether the signed information dictionary says the same: programs
// that begin to write metadata copy it.
func (c *comparer) inInformation(value string) bool {
	info := c.a.Get(c.a.Trailer, "Info")
	for _, e := range info.Pairs() {
		if text := object.FromText(c.a.String(c.a.Resolve(info.Part(e)))); text != "" && text == value {
			return true
		}
	}
	return false
}

// properties reads the properties of metadata but for those that every program may
// change. Each has its place as its name.
func properties(f *xref.File, v xref.Value) (map[string]string, error) {
	out := map[string]string{}
	if v.IsNull() {
		return out, nil
	}
	if !v.IsStream() || !v.Get("Type").Is("Metadata") {
		return nil, errors.New("no metadata")
	}
	data, err := f.Inflate(v, maxMetadata)
	if err != nil {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("no UTF-8") }
	var path []string
	free := 0 // elements that are open within one that does not count
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errors.New("it defines entities")
		case xml.StartElement:
			if path = append(path, t.Name.Local); free > 0 || freeProperties[t.Name.Local] {
				free++
				continue
			}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && !freeProperties[a.Name.Local] {
					addProperty(out, append(path, a.Name.Local), a.Value)
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
			free = max(0, free-1)
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && free == 0 {
				addProperty(out, path, text)
			}
		}
	}
}

// addProperty enters a property. The elements that only hold others do not count: the
// same property can be written as an attribute and as an element.
func addProperty(out map[string]string, path []string, value string) {
	var name []string
	for _, p := range path {
		switch p {
		case "xmpmeta", "xapmeta", "RDF", "Description":
		default:
			name = append(name, p)
		}
	}
	key := strings.Join(name, "/")
	if value == "" {
		return
	}
	if was, ok := out[key]; ok {
		value = was + "\x00" + value
	}
	out[key] = value
}
