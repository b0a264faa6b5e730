package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// Budgets that may only be lowered. docs/design/structure.md gives the reasons.
const (
	// maxPackages bounds the packages of the module.
	maxPackages = 101
	// maxSingleInterfaces bounds the interfaces of agent, authority and tui that have
	// neither a second implementation nor a test double.
	maxSingleInterfaces = 0
	// maxFunctionFields bounds the struct fields that are functions.
	maxFunctionFields = 144
	// maxServeMuxes bounds the places where production code makes a ServeMux.
	maxServeMuxes = 3
)

// forbiddenWords stand in no package clause, no comment and no sentence of the program: each
// is a metaphor, or English that readers stumble over.
var forbiddenWords = regexp.MustCompile(`(?i)\b(whoever|mends?|mended|mending|tells whether|leads? nowhere|does without|bears|one row a certificate|hands? in|handed in|thereof|of its own accord|` +
	`desks?|dossiers?|rekey|couriers?|bells?)\b`)

// sourceTree is what the budgets are measured on: every package of the module with
// its tests.
func sourceTree(t *testing.T) []*packages.Package {
	t.Helper()
	if testing.Short() {
		t.Skip("loads and type-checks the whole module")
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedForTest,
		Tests: true,
	}, module+"...")
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(p *packages.Package) bool { return strings.HasSuffix(p.ID, ".test") })
	for _, p := range all {
		for _, e := range p.Errors {
			t.Errorf("%s: %v", p.ID, e)
		}
	}
	return all
}

// eachFile calls a function once for each file of the tree.
func eachFile(all []*packages.Package, each func(name string, test bool, f *ast.File)) {
	seen := map[string]bool{}
	for _, p := range all {
		for _, f := range p.Syntax {
			name := p.Fset.Position(f.Pos()).Filename
			if !seen[name] {
				seen[name] = true
				each(name, strings.HasSuffix(name, "_test.go"), f)
			}
		}
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	all := sourceTree(t)
	paths := map[string]bool{}
	for _, p := range all {
		if p.ForTest == "" {
			paths[p.PkgPath] = true
		}
	}
	fields, muxes := 0, 0
	eachFile(all, func(_ string, test bool, f *ast.File) {
		if test {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				fields += functionFields(n)
			case *ast.SelectorExpr:
				if n.Sel.Name == "NewServeMux" {
					muxes++
				}
			}
			return true
		})
	})
	single := singleInterfaces(all)
	for _, one := range []struct {
		what      string
		got, most int
	}{
		{"packages", len(paths), maxPackages},
		{"interfaces without a second implementation or a test double", len(single), maxSingleInterfaces},
		{"struct fields that are functions", fields, maxFunctionFields},
		{"ServeMuxes", muxes, maxServeMuxes},
	} {
		t.Logf("%s: %d of %d", one.what, one.got, one.most)
		if one.got > one.most {
			t.Errorf("%d %s, and the budget is %d", one.got, one.what, one.most)
		}
	}
	if t.Failed() {
		t.Logf("interfaces without a second implementation: %s", strings.Join(single, ", "))
	}
}

// functionFields counts the fields of a struct whose type is a function.
func functionFields(s *ast.StructType) (n int) {
	for _, field := range s.Fields.List {
		if _, ok := field.Type.(*ast.FuncType); ok {
			n += max(1, len(field.Names))
		}
	}
	return n
}

// signature is a method as it is compared: its name and the types of its parameters
// and results. Types of a package and of its test variant have the same text.
func signature(f *types.Func) string {
	path := func(p *types.Package) string { return p.Path() }
	s := f.Type().(*types.Signature)
	text := f.Name()
	for _, tuple := range []*types.Tuple{s.Params(), s.Results()} {
		text += "("
		for v := range tuple.Variables() {
			text += types.TypeString(v.Type(), path) + ","
		}
		text += ")"
	}
	return text
}

// singleInterfaces names the interfaces of agent, authority and tui that fewer than
// two types of the module, tests included, implement.
func singleInterfaces(all []*packages.Package) (single []string) {
	type declared struct {
		name    string
		methods []string
	}
	interfaces := map[string]declared{}
	methodSets := map[string]map[string]bool{}
	for _, p := range all {
		for _, o := range p.TypesInfo.Defs {
			tn, ok := o.(*types.TypeName)
			if !ok || tn.IsAlias() {
				continue
			}
			named, ok := tn.Type().(*types.Named)
			if !ok || named.TypeParams().Len() > 0 {
				continue
			}
			name := strings.TrimPrefix(p.PkgPath, module) + "." + tn.Name()
			if it, ok := named.Underlying().(*types.Interface); ok {
				layer, _ := layerOf(p.PkgPath)
				if layer < layerComponent || it.NumMethods() == 0 || strings.Contains(p.PkgPath, "_test") || tn.Parent() != p.Types.Scope() {
					continue
				}
				one := declared{name: name}
				for m := range it.Methods() {
					one.methods = append(one.methods, signature(m))
				}
				interfaces[name] = one
				continue
			}
			set := map[string]bool{}
			for m := range types.NewMethodSet(types.NewPointer(named)).Methods() {
				set[signature(m.Obj().(*types.Func))] = true
			}
			if len(set) > 0 {
				methodSets[p.Fset.Position(tn.Pos()).String()] = set
			}
		}
	}
	for name, one := range interfaces {
		implementations := 0
		for _, set := range methodSets {
			if !slices.ContainsFunc(one.methods, func(m string) bool { return !set[m] }) {
				implementations++
			}
		}
		if implementations < 2 {
			single = append(single, name)
		}
	}
	slices.Sort(single)
	return single
}

// TestForbiddenWords keeps metaphors and stumbling blocks out of package clauses, comments and
// messages.
func TestForbiddenWords(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	root := strings.TrimSpace(string(out))
	if err != nil {
		root = filepath.Join("..", "..")
	}
	eachFile(sourceTree(t), func(name string, test bool, f *ast.File) {
		short, err := filepath.Rel(root, name)
		if err != nil {
			short = name
		}
		if word := forbiddenWords.FindString(f.Name.Name); word != "" {
			t.Errorf("%s: package %s", short, f.Name.Name)
		}
		if test {
			return
		}
		for _, group := range f.Comments {
			if word := forbiddenWords.FindString(group.Text()); word != "" {
				t.Errorf("%s: %q in a comment: %.80q", short, word, group.Text())
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				return n.Tag == nil // keys of JSON stay as they are
			case *ast.BasicLit:
				// A single word may be such a key, too.
				if word := forbiddenWords.FindString(n.Value); n.Kind == token.STRING && word != "" && strings.Contains(n.Value, " ") {
					t.Errorf("%s: %q in a text: %.80s", short, word, n.Value)
				}
			}
			return true
		})
	})
}

// TestArchitectureListsPackages keeps the map complete: it names every package.
func TestArchitectureListsPackages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	must(t, err)
	out, err := exec.Command("go", "list", module+"...").Output()
	must(t, err)
	for path := range strings.FieldsSeq(string(out)) {
		short := strings.TrimPrefix(path, module)
		if strings.HasPrefix(short, "scripts/") || strings.Contains(string(text), "`"+short+"`") || strings.Contains(string(text), "**"+short+"**") {
			continue
		}
		// A part of a library may be named without the library's own path.
		parts := strings.Split(short, "/")
		if len(parts) > 2 && parts[0] == "pkg" &&
			(strings.Contains(string(text), "`"+strings.Join(parts[1:], "/")+"`") || strings.Contains(string(text), "`"+strings.Join(parts[len(parts)-2:], "/")+"`") ||
				parts[1] == "pdf" && strings.Contains(string(text), "`"+parts[2]+"`")) {
			continue
		}
		t.Errorf("ARCHITECTURE.md does not name the package %s", short)
	}
}
