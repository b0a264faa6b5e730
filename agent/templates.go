package agent

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (a *Agent) shelf() template.Shelf { return template.Shelf{Dir: a.Home.Templates()} }

// listed remembers what was found out about templates, since reading one takes
// its fonts apart.
type listed struct {
	mu   sync.Mutex
	have map[string]listing
}

type listing struct {
	stamp     string
	sound     bool
	shaped    client.Template
	placement vault.Placement
}

// Templates lists the home's templates as the API shows them. One with faults is
// left out: nothing can be made with it.
func (a *Agent) Templates() ([]client.Template, error) {
	names, err := a.shelf().Names()
	if err != nil {
		return nil, err
	}
	a.listed.mu.Lock()
	defer a.listed.mu.Unlock()
	now := make(map[string]listing, len(names))
	all := []client.Template{}
	for _, name := range names {
		l := a.listed.have[name]
		if stamp := a.shelf().Stamp(name); l.stamp != stamp {
			l = a.look(name)
			l.stamp = stamp
		}
		if now[name] = l; l.sound {
			all = append(all, l.shaped)
		}
	}
	a.listed.have = now
	return all, nil
}

func (a *Agent) look(name string) listing {
	t, err := a.shelf().Load(name)
	if err != nil {
		a.Log.Warn("a template cannot be used", "template", name, "error", err)
		return listing{}
	}
	orientation := "portrait"
	if t.WidthMM > t.Height {
		orientation = "landscape"
	}
	return listing{sound: true, placement: intake.PlacementOf(t), shaped: client.Template{ID: name, Name: t.Name, Orientation: orientation,
		WidthMM: t.WidthMM, HeightMM: t.Height, Fields: append([]string{}, t.Columns...)}}
}

// previews is how many documents a preview has at most.
const previews = 10

// preview writes the first documents that would be made, stamped with a key that
// is thrown away: they look as issued ones do, and cannot be taken for them.
func (r *run) preview() error {
	if r.request.Preview == "" || !r.request.DryRun {
		return nil
	}
	if err := makeFolder(r.request.Preview, 0o755); err != nil {
		return err
	}
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "vecctl preview, not issued", r.Now(), 1)
	if err != nil {
		return err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return err
	}
	seal := pdf.NewSeal(signer)
	written := 0
	for _, c := range r.candidates {
		if c.Press == nil || len(c.Problems) > 0 || written == previews {
			continue
		}
		page, err := r.previewOf(seal, c)
		if err != nil {
			return fault.At(fmt.Sprintf("row %d", c.Row.Number), err)
		}
		name := filepath.Join(r.request.Preview, fmt.Sprintf("row-%d.pdf", c.Row.Number))
		if err := os.WriteFile(name, page, 0o644); err != nil { //nolint:gosec // as readable as what the person makes
			return fault.Wrap(fault.Invalid, blob.DiskError(err, "writing a preview"), fmt.Sprintf("the preview %s cannot be written", name))
		}
		written++
	}
	return nil
}

func (r *run) previewOf(seal *pdf.Seal, c *intake.Candidate) ([]byte, error) {
	document, err := c.Document()
	if err != nil {
		return nil, err
	}
	p := c.Draft.Placement
	m, err := pdf.ParsePlace(p.At)
	if err != nil {
		return nil, err
	}
	m.Page, m.SizeMM, m.MarginMM = p.Page, p.SizeMM, p.MarginMM
	m.URL, m.Caption, m.SignedAt = process.VerifyURL(r.BaseURL(), sampleReference), sampleReference, r.Now()
	tail, err := seal.Tail(pdf.Source{R: bytes.NewReader(document), Size: int64(len(document))}, m)
	if err != nil {
		return nil, err
	}
	return slices.Concat(document, tail.Bytes), nil
}

// sampleReference is printed under the code where nothing is issued.
const sampleReference = "VEC-IC-00000000000000000"
