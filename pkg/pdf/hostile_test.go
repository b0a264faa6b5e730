package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// many is how many small things a hostile file is made of.
var many = func() int {
	switch {
	case os.Getenv("VECCTL_LONG") != "":
		return 1 << 20
	case slowdown > 2:
		return 1 << 16 // the race detector makes the files themselves slow to write
	}
	return 1 << 18
}()

// filled is much of a pattern between a header and an end, with VECCTL_LONG=1
// as much as a document may have; a verb in it takes a running number.
func filled(pattern, end string) []byte {
	size := many * 19
	b := bytes.NewBufferString("%PDF-1.7\n")
	for i := 1; b.Len() < size; i++ {
		if strings.Contains(pattern, "%d") {
			fmt.Fprintf(b, pattern, i)
		} else {
			b.WriteString(pattern)
		}
	}
	b.WriteString(end)
	return b.Bytes()
}

// TestHostile shows that files made to take long or much take neither.
func TestHostile(t *testing.T) {
	const end = "\nstartxref\n9\n%%EOF\n"
	kids := strings.Repeat("3 0 R ", many)
	var table strings.Builder
	for i := range 1 << 16 {
		fmt.Fprintf(&table, "%d 1\n0000000009 00000 n \n", i)
	}
	for name, file := range map[string][]byte{
		"objects":                      filled("%d 0 obj<<>>endobj\n", end),
		"the same object":              filled("1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\n", end),
		"catalogs":                     filled("%d 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\n", end),
		"object streams":               filled("%d 0 obj<</Type/ObjStm/N 1/First 4/Length 9>>stream\n1 0 <<>>x\nendstream endobj\n", end),
		"cross-reference streams":      filled("%d 0 obj<</Type/XRef/Root 1 0 R>>stream\nendstream endobj\n", end),
		"trailers":                     filled("trailer<</Root 1 0 R>>\n", end),
		"ends":                         filled("startxref\n9\n%%%%EOF\n", end),
		"arrays":                       filled("[", end),
		"dictionaries":                 filled("<<", end),
		"strings":                      filled("(", end),
		"numbers":                      filled("1 0 ", end),
		"comments":                     filled("%%", end),
		"words":                        filled("obj", end),
		"a table of many runs":         append([]byte("%PDF-1.7\nxref\n"), table.String()+"trailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"...),
		"a list of many kids":          plainObjects().with(2, "<</Type/Pages/Kids["+strings.ReplaceAll(kids, "3 0 R", "9 0 R")+"]/Count 1>>").table(""),
		"many annotations":             plainObjects().with(3, "<</Type/Page/MediaBox[0 0 595 842]/Annots["+kids+"]>>").table(""),
		"many fields":                  plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields["+kids+"]>>>>").table(""),
		"many streams":                 plainObjects().with(3, "<</Type/Page/MediaBox[0 0 595 842]/Contents["+strings.ReplaceAll(kids, "3 0 R", "4 0 R")+"]>>").table(""),
		"much content":                 plainObjects().with(4, stream("", strings.Repeat("q Q ", 5*many))).table(""),
		"a huge dictionary":            plainObjects().with(3, "<</Type/Page/MediaBox[0 0 595 842]/X("+strings.Repeat("x", 19*many)+")>>").table(""),
		"a sound file without its end": append(bytes.TrimSuffix(sized(20<<20), []byte("%%EOF\n")), "x"...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			took := spent(func() { _, err = NewStamper(testSigner()).Stamp(kept(t, file), testMark()) })
			runtime.ReadMemStats(&after)
			if _, ok := errors.AsType[*Rejection](err); err != nil && !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("%v, %d MB: %.80v", took, used>>20, err)
			// On a busy machine one try says little; the best of a few says what it takes.
			limit := time.Second * slowdown
			for range 5 {
				if took <= limit {
					break
				}
				took = min(took, spent(func() { _, _ = NewStamper(testSigner()).Stamp(kept(t, file), testMark()) }))
			}
			if took > limit {
				t.Errorf("took %v", took)
			}
			if used > maxMemory {
				t.Errorf("took %d MB", used>>20)
			}
		})
	}
}
