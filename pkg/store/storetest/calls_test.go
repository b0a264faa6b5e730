package storetest_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const storePackage = "github.com/vecctl/vecctl/pkg/store"

// The suite is the contract: a method that it never calls is promised by nobody.
func TestTheSuiteCallsEveryMethod(t *testing.T) {
	t.Parallel()
	load := newLoader(t)
	if missing := load.uncalled(t, ""); len(missing) > 0 {
		t.Errorf("the suite never calls %s", strings.Join(missing, ", "))
	}
	if missing := load.uncalled(t, "audit.go"); !slices.Contains(missing, "AuditTrail.AuditEntries") {
		t.Errorf("without the tests of the audit trail %q are missing", missing)
	}
}

// loader type-checks the suite.
type loader struct {
	files   *token.FileSet
	exports map[string]string // import path -> file of what the compiler exports
}

func newLoader(t *testing.T) loader {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	l := loader{files: token.NewFileSet(), exports: map[string]string{}}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		path, file, _ := strings.Cut(lines.Text(), " ")
		l.exports[path] = file
	}
	return l
}

func (l loader) open(path string) (io.ReadCloser, error) { return os.Open(l.exports[path]) }

// uncalled lists the methods of the interfaces of package store that the suite does not
// call, without one of its files.
func (l loader) uncalled(t *testing.T, without string) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || e.Name() == without {
			continue
		}
		f, err := parser.ParseFile(l.files, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	check := types.Config{Importer: importer.ForCompiler(l.files, "gc", l.open)}
	if without != "" {
		check.Error = func(error) {} // what the file declares is missing
	}
	suite, err := check.Check("storetest", l.files, parsed, info)
	if err != nil && without == "" {
		t.Fatal(err)
	}
	called := map[types.Object]bool{}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if method, ok := call.Fun.(*ast.SelectorExpr); ok && info.Selections[method] != nil {
					called[info.Selections[method].Obj()] = true
				}
			}
			return true
		})
	}
	var missing []string
	methods := 0
	for _, imported := range suite.Imports() {
		if imported.Path() != storePackage {
			continue
		}
		for _, name := range imported.Scope().Names() {
			contract, ok := imported.Scope().Lookup(name).Type().Underlying().(*types.Interface)
			if !ok {
				continue
			}
			for method := range contract.ExplicitMethods() {
				if methods++; !called[method] {
					missing = append(missing, name+"."+method.Name())
				}
			}
		}
	}
	if methods < 80 {
		t.Errorf("only %d methods were looked for", methods)
	}
	return missing
}
