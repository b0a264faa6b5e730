package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/vecctl/vecctl/"

// The layers, from the top. A package imports packages of lower layers only.
const (
	layerCommand   = 10 - iota // cmd
	layerProgram               // agent, tui
	layerHandler               // agent/adminapi, agent/api, agent/web
	layerService               // agent/admin
	layerComponent             // agent/..., authority
	layerWorker                // agent/worker, which components' queues run on
	layerTemplate              // pkg/template, which draws with pkg/pdf
	layerLibrary               // pkg/...
	layerDomain                // pkg/vault
	layerHashchain             // pkg/hashchain
	layerFault                 // pkg/fault
)

// layerOf returns the layer of a package and the component that it is a part of.
// Packages of one component may import each other.
func layerOf(path string) (layer int, component string) {
	parts := strings.Split(strings.TrimPrefix(path, module), "/")
	component = strings.Join(parts[:min(2, len(parts))], "/")
	switch {
	case parts[0] == "cmd":
		return layerCommand, component
	case component == "agent", parts[0] == "tui":
		return layerProgram, parts[0]
	case strings.HasPrefix(path, module+"agent/api/form"):
		return layerComponent, "agent/api/form"
	case component == "agent/adminapi", component == "agent/api", component == "agent/web":
		return layerHandler, component
	case component == "agent/admin":
		return layerService, component
	case component == "agent/worker":
		return layerWorker, component
	case parts[0] == "agent":
		return layerComponent, component
	case parts[0] == "authority":
		return layerComponent, parts[0]
	case component == "pkg/template":
		return layerTemplate, component
	case component == "pkg/fault":
		return layerFault, component
	case component == "pkg/hashchain":
		return layerHashchain, component
	case component == "pkg/vault":
		return layerDomain, component
	}
	return layerLibrary, component
}

// libraryOwner names, for each library that only one component may import, that
// component.
var libraryOwner = map[string]string{
	"github.com/go-pdf/fpdf":           "pkg/pdf",
	"rsc.io/qr":                        "pkg/pdf",
	"github.com/skip2/go-qrcode":       "pkg/pdf",
	"github.com/xuri/excelize/v2":      "pkg/manifest",
	"github.com/gocarina/gocsv":        "pkg/manifest",
	"go.etcd.io/bbolt":                 "pkg/store",
	"github.com/wneessen/go-mail":      "pkg/mail",
	"github.com/urfave/cli/v2":         "cmd/vecctl",
	"charm.land/bubbletea/v2":          "tui",
	"charm.land/lipgloss/v2":           "tui",
	"github.com/pdfcpu/pdfcpu":         "",
	"github.com/pdfcpu/pdfcpu/pkg/api": "",
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	packages := 0
	for lines := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := lines.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages++
		for _, to := range p.Imports {
			if why := forbiddenImport(p.ImportPath, to); why != "" {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module), strings.TrimPrefix(to, module), why)
			}
		}
	}
	must(t, cmd.Wait())
	if packages < 10 {
		t.Errorf("only %d packages were checked", packages)
	}
}

// forbiddenImport returns why one package may not import another, "" when it may.
func forbiddenImport(from, to string) string {
	layer, component := layerOf(from)
	if owner, ok := libraryOwner[to]; ok && owner != component {
		return "only " + owner + " may import this library"
	}
	if !strings.HasPrefix(to, module) {
		return ""
	}
	if strings.HasPrefix(to, module+"pkg/store/bolt") && component != "pkg/store" {
		return "open stores with pkg/store/open and use store.Store"
	}
	toLayer, toComponent := layerOf(to)
	switch {
	case component == toComponent || toLayer < layer:
		return ""
	case toLayer == layer && buildOnOneAnother(layer, component, toComponent):
		return ""
	case toLayer == layer:
		return "packages of this layer do not import each other"
	}
	return "imports point down only"
}

// buildOnOneAnother reports whether a component may import another one of its layer.
// Libraries may, and so may the components of the agent; the compiler refuses cycles.
// The authority is a product of its own.
func buildOnOneAnother(layer int, component, other string) bool {
	return layer == layerLibrary || layer == layerComponent && component != "authority" && other != "authority"
}

func TestForbiddenImportsAreFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		ok       bool
	}{
		{"cmd/vecctl", "agent", true}, {"cmd/vecctl", "agent/home", true}, {"cmd/vecctl", "pkg/fault", true},
		{"agent", "agent/intake", true}, {"agent", "tui", false}, {"agent", "agent/batch", true},
		{"agent/batch", "agent/intake", true}, {"agent/intake", "agent/web", false}, {"agent/batch", "agent", false}, {"agent/api", "agent", false},
		{"agent/adminapi", "agent/admin", true}, {"agent/admin", "agent/adminapi", false}, {"agent/admin", "agent/mailer", true},
		{"agent/api", "agent/adminapi", false}, {"agent/web", "agent/api", false}, {"agent/web", "agent/api/form", true}, {"agent/api/form", "agent/api", false},
		{"agent/mailer", "agent/institutions", true}, {"agent/mailer", "agent/admin", false}, {"agent/mailer", "authority", false}, {"agent/intake", "pkg/manifest", true},
		{"pkg/client", "agent/api", false}, {"pkg/store", "pkg/vault", true}, {"pkg/vault", "pkg/store", false},
		{"pkg/fault", "pkg/vault", false}, {"pkg/vault", "pkg/fault", true}, {"pkg/vault", "pkg/hashchain", true}, {"pkg/hashchain", "pkg/vault", false}, {"authority", "agent/api", false},
		{"pkg/pdf/stamp", "pkg/pdf/page", true}, {"tui", "pkg/client", true}, {"pkg/blob", "cmd/vecctl", false},
	} {
		if why := forbiddenImport(module+test.from, module+test.to); (why == "") != test.ok {
			t.Errorf("%s to %s: %q", test.from, test.to, why)
		}
	}
	if forbiddenImport(module+"agent", module+"pkg/store/bolt") == "" || forbiddenImport(module+"agent/backup", module+"pkg/store/bolt/boltfile") == "" ||
		forbiddenImport(module+"pkg/store/open", module+"pkg/store/bolt") != "" {
		t.Error("the embedded store is not kept behind its opener")
	}
	if forbiddenImport(module+"agent/api", "rsc.io/qr") == "" || forbiddenImport(module+"pkg/pdf/qr", "rsc.io/qr") != "" {
		t.Error("a library is not kept to its component")
	}
}
