package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outgoing finds what opens connections in a file: "client" for an HTTP client without a
// time limit of its own, "default" for the one of net/http, which has none, and "dial" for
// dialers and resolvers without one; "bounded" for those that have it.
func outgoing(file *ast.File) map[string]bool {
	found := map[string]bool{}
	kinds := map[string]string{
		"http.Client": "client", "http.Transport": "dial", "net.Dialer": "dial", "tls.Dialer": "dial", "net.Resolver": "dial",
		"net.Dial": "dial", "net.DialUnix": "dial", "net.DialTCP": "dial", "net.DialUDP": "dial", "net.DialTimeout": "bounded", "tls.Dial": "dial", "tls.DialWithDialer": "dial",
		"http.DefaultClient": "default", "http.DefaultTransport": "default", "http.Get": "default", "http.Post": "default", "http.PostForm": "default", "http.Head": "default",
		"net.DefaultResolver": "dial", "smtp.Dial": "dial",
	}
	bounded := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.CompositeLit); ok {
			for _, e := range literal.Elts {
				if pair, ok := e.(*ast.KeyValueExpr); ok {
					if name, ok := pair.Key.(*ast.Ident); ok && name.Name == "Timeout" {
						bounded[literal.Type] = true
					}
				}
			}
		}
		at, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := at.X.(*ast.Ident)
		if !ok {
			return true
		}
		if kind := kinds[of.Name+"."+at.Sel.Name]; kind != "" && !typeOnly(file, at) {
			if bounded[at] {
				kind = "bounded"
			}
			found[kind] = true
		}
		return true
	})
	return found
}

// typeOnly reports whether a selector names the type of a field, a parameter or a variable,
// of which nothing is made there.
func typeOnly(file *ast.File, at *ast.SelectorExpr) bool {
	only := false
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			t := f.Type
			if star, ok := t.(*ast.StarExpr); ok {
				t = star.X
			}
			if list, ok := t.(*ast.ArrayType); ok {
				t = list.Elt
				if star, ok := t.(*ast.StarExpr); ok {
					t = star.X
				}
			}
			only = only || t == at
		}
		return !only
	})
	return only
}

// docRow is a row of the table of deadlines: its first cell names a file.
var docRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_/.]+\\.go)` \\|[^|]+\\|([^|]+)\\|$")

// TestEveryCallHasADeadline holds the code to the list of docs/design/deadlines.md: whatever
// opens a connection stands there with its deadline, and nothing else does.
func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	doc, err := os.ReadFile(filepath.Join(root, "docs", "design", "deadlines.md"))
	must(t, err)
	listed := map[string]string{}
	for _, row := range docRow.FindAllStringSubmatch(string(doc), -1) {
		listed[row[1]] = strings.TrimSpace(row[2])
	}
	var found []string
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "scripts" || strings.HasPrefix(name, ".") && name != ".."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if kinds := outgoing(file); len(kinds) > 0 {
			relative, err := filepath.Rel(root, path)
			must(t, err)
			relative = filepath.ToSlash(relative)
			found = append(found, relative)
			if listed[relative] == "" {
				t.Errorf("%s opens connections (%v) and docs/design/deadlines.md does not say how long they may take", relative, slices.Sorted(maps.Keys(kinds)))
			}
		}
		return nil
	}))
	for file := range listed {
		if !slices.Contains(found, file) {
			t.Errorf("docs/design/deadlines.md lists %s, which opens no connection", file)
		}
	}
	if len(found) < 5 {
		t.Errorf("only %v open connections; the search is broken", found)
	}
}
