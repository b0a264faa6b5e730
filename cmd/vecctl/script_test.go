package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2" //nolint:depguard // makes the workbooks that scripts submit
)

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		WorkdirRoot:         scratch(t),
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("VECCTL_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("VECCTL_BASE_URL", "https://vec.example.edu")
			e.Setenv("HOME", filepath.Join(e.WorkDir, "user"))
			e.Setenv("TZ", "Europe/Warsaw")
			e.Vars = append(e.Vars, raceEnv)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "documents": writeDocuments, "workbook": writeWorkbook, "capture": capturePart,
			"lines": countLines, "begins": beginsWith, "tree": listTree, "serve": serve, "encode": encodeUTF16,
		},
	})
}

// exits CODE PROGRAM ARGS... runs a program and wants the exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exited.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if stderr := ts.ReadFile("stderr"); strings.Contains(stderr, "goroutine ") || strings.Contains(stderr, "panic:") {
		ts.Fatalf("the program broke")
	}
}

// documents FILE... writes a small document for each name, of the type that the
// name says.
func writeDocuments(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		body := smallPDF(filepath.Base(name), 0)
		switch filepath.Ext(name) {
		case ".png":
			body = smallPNG()
		case ".jpg", ".jpeg":
			body = smallJPEG()
		}
		ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(name)), 0o755))
		ts.Check(os.WriteFile(ts.MkAbs(name), body, 0o644))
	}
}

// workbook FROM.csv TO.xlsx writes a CSV file's cells into a workbook.
func writeWorkbook(ts *testscript.TestScript, _ bool, args []string) {
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	book := excelize.NewFile()
	for i, row := range rows {
		ts.Check(book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
	}
	ts.Check(book.SaveAs(ts.MkAbs(args[1])))
	ts.Check(book.Close())
}

// encode FROM TO writes a file anew in UTF-16, little end first, with its mark.
func encodeUTF16(ts *testscript.TestScript, _ bool, args []string) {
	out := []byte{0xff, 0xfe}
	for _, r := range ts.ReadFile(args[0]) {
		out = append(out, byte(r), byte(r>>8)) // nothing beyond the first plane is used here
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o644))
}

// capture NAME PATTERN sets a variable to what the pattern's group matches in the
// last command's standard output.
func capturePart(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("%s matches nothing", args[1])
	}
	ts.Setenv(args[0], found[1])
	ts.Setenv(args[0]+"_lower", strings.ToLower(found[1]))
}

// lines FILE N wants a number of lines.
func countLines(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(strings.Count(ts.ReadFile(args[0]), "\n")); got != args[1] {
		ts.Fatalf("%s has %s lines, want %s:\n%s", args[0], got, args[1], ts.ReadFile(args[0]))
	}
}

// begins FILE START wants that the first file begins with the other's bytes.
func beginsWith(ts *testscript.TestScript, _ bool, args []string) {
	whole, start := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if len(whole) <= len(start) || !strings.HasPrefix(whole, start) {
		ts.Fatalf("%s does not continue %s", args[0], args[1])
	}
}

// tree FOLDER FILE writes what lies in a folder, each name with its content's
// hash, into a file. A database is listed without its hash: its bytes change with
// each opening.
func listTree(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if d.Name() == "vault.db" {
			body = nil
		}
		fmt.Fprintf(&b, "%s %x\n", strings.TrimPrefix(path, root), sha256.Sum256(body))
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

// serve NAME STATUS BODY starts a server that answers every call so, and sets
// NAME to its address; STATUS closed is an address where nobody answers, and nobody
// begins to: that of a server that has ended may be given to another. STATUS silent is a
// server that takes connections and never says a word. With a fourth argument the
// server answers over TLS, with a certificate that lies in this file then. The body %agent%
// stands for what the caller calls itself.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	switch args[1] {
	case "closed":
		ts.Setenv(args[0], "http://127.0.0.1:1")
		return
	case "silent":
		l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the connections
		ts.Check(err)
		ts.Defer(func() { _ = l.Close() })
		ts.Setenv(args[0], "http://"+l.Addr().String())
		return
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(strings.ReplaceAll(args[2], "%agent%", r.UserAgent())))
	}))
	if len(args) > 3 {
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		ts.Check(os.WriteFile(ts.MkAbs(args[3]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	} else {
		s.Start()
	}
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}
