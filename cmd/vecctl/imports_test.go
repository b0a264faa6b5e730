package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/vecctl/vecctl/"

// The levels of the house, from the top. Imports point down only.
const (
	commands = 8 - iota // cmd
	wholes              // agent, tui
	ways                // agent/batch, which leads through several rooms
	rooms               // agent/..., authority
	presses             // pkg/template, which draws with pkg/pdf
	tools               // pkg/...
	domain              // pkg/vault
	chains              // pkg/chain
	faults              // pkg/fault
)

// place is the level of a package and the room that it is a part of: parts of one
// room may import each other.
func place(path string) (level int, room string) {
	parts := strings.Split(strings.TrimPrefix(path, module), "/")
	room = strings.Join(parts[:min(2, len(parts))], "/")
	switch {
	case parts[0] == "cmd":
		return commands, room
	case room == "agent", parts[0] == "tui":
		return wholes, parts[0]
	case room == "agent/batch":
		return ways, room
	case parts[0] == "agent":
		return rooms, room
	case parts[0] == "authority":
		return rooms, parts[0]
	case room == "pkg/template":
		return presses, room
	case room == "pkg/fault":
		return faults, room
	case room == "pkg/chain":
		return chains, room
	case room == "pkg/vault":
		return domain, room
	}
	return tools, room
}

// foreign libraries that one room alone may import.
var kept = map[string]string{
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
			if why := forbidden(p.ImportPath, to); why != "" {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module), strings.TrimPrefix(to, module), why)
			}
		}
	}
	must(t, cmd.Wait())
	if packages < 10 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

// forbidden says why one package may not import another; "" when it may.
func forbidden(from, to string) string {
	level, room := place(from)
	if owner, ok := kept[to]; ok && owner != room {
		return "only " + owner + " may import this library"
	}
	if !strings.HasPrefix(to, module) {
		return ""
	}
	toLevel, toRoom := place(to)
	switch {
	case room == toRoom || toLevel < level:
		return ""
	case toLevel == level && level != tools:
		return "siblings do not import each other"
	case toLevel == level:
		// Tools may build on one another; go itself refuses circles.
		return ""
	}
	return "imports point down only"
}

func TestForbiddenImportsAreFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		ok       bool
	}{
		{"cmd/vecctl", "agent", true}, {"cmd/vecctl", "agent/home", true}, {"cmd/vecctl", "pkg/fault", true},
		{"agent", "agent/intake", true}, {"agent", "tui", false}, {"agent", "agent/batch", true},
		{"agent/batch", "agent/intake", true}, {"agent/intake", "agent/batch", false}, {"agent/batch", "agent", false}, {"agent/api", "agent", false},
		{"agent/api", "agent/panel", false}, {"agent/api/body", "agent/api", true}, {"agent/intake", "pkg/manifest", true},
		{"pkg/client", "agent/api", false}, {"pkg/store", "pkg/vault", true}, {"pkg/vault", "pkg/store", false},
		{"pkg/fault", "pkg/vault", false}, {"pkg/vault", "pkg/fault", true}, {"pkg/vault", "pkg/chain", true}, {"pkg/chain", "pkg/vault", false}, {"authority", "agent/api", false},
		{"pkg/pdf/stamp", "pkg/pdf/page", true}, {"tui", "pkg/client", true}, {"pkg/blob", "cmd/vecctl", false},
	} {
		if why := forbidden(module+test.from, module+test.to); (why == "") != test.ok {
			t.Errorf("%s to %s: %q", test.from, test.to, why)
		}
	}
	if forbidden(module+"agent/api", "rsc.io/qr") == "" || forbidden(module+"pkg/pdf/qr", "rsc.io/qr") != "" {
		t.Error("a library is not kept in its room")
	}
}
