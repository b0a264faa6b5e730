package pdf

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

// soundChange is what may follow a signature.
type soundChange struct {
	name   string
	levels []int // of the first signature at which it is allowed
	count  int   // of signatures in the end
	change func(t *testing.T, d revised, level int) revised
}

// soundChanges are updates that a signature allows, each as some program writes it.
func soundChanges() []soundChange {
	any0, filling, annotating := []int{0, 1, 2, 3}, []int{0, 2, 3}, []int{3}
	only := func(o func(t *testing.T, level int) objects) func(*testing.T, revised, int) revised {
		return func(t *testing.T, d revised, level int) revised { return d.add(o(t, level)) }
	}
	look := func(text string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</Helv 5 0 R>>>>", "BT /Helv 10 Tf 2 5 Td ("+text+") Tj ET")
	}
	return []soundChange{
		{"nothing", any0, 1, func(_ *testing.T, d revised, _ int) revised { return d }},
		{"information updated", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{20: altered(t, l, 20, "(A writer)", "(A writer; changed by another)")}
		})},
		{"metadata updated", any0, 1, only(func(*testing.T, int) objects {
			return objects{21: stream("/Type/Metadata/Subtype/XML", xmp("Degree certificate", "2026-04-02T00:00:00Z"))}
		})},
		{"version and extensions", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{1: altered(t, l, 1, "/Catalog", "/Catalog/Version/2.0/Extensions<</ESIC<</BaseVersion/1.7/ExtensionLevel 5>>>>")}
		})},
		{"validation data", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{1: altered(t, l, 1, "/Catalog", "/Catalog/DSS 60 0 R"), 60: "<</Type/DSS/Certs[61 0 R]/CRLs[62 0 R]/VRI<</" + strings.Repeat("AB", 20) + " <</Cert[61 0 R]>>>>>>",
				61: stream("", "certificate"), 62: stream("", "list")}
		})},
		{"an object written again", any0, 1, only(func(t *testing.T, l int) objects { return objects{5: signedObject(l, 5), 4: signedObject(l, 4)} })},
		{"an object that nobody needs", any0, 1, only(func(*testing.T, int) objects { return objects{70: "<</Nothing true>>"} })},
		{"a number that nobody uses is freed", any0, 1, only(func(*testing.T, int) objects { return objects{71: "free"} })},
		{"an entry moved to an object of its own", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{1: altered(t, l, 1, "/Lang(en)", "/Lang 72 0 R"), 72: "(en)"}
		})},
		{"the order of fields as in the structure", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{18: altered(t, l, 18, "/Contents 19 0 R", "/Contents 19 0 R/Tabs/S")}
		})},
		{"a text field filled in", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{7: strings.Replace(altered(t, l, 7, "(as it was)", "(filled in)"), "8 0 R", "60 0 R", 1), 60: look("filled in")}
		})},
		{"a text field filled in, its look in place", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{7: altered(t, l, 7, "(as it was)", "(filled in)"), 8: look("filled in")}
		})},
		{"a box ticked", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{9: altered(t, l, 9, "/V/Off/AS/Off", "/V/Yes/AS/Yes")}
		})},
		{"a choice made", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{22: strings.Replace(altered(t, l, 22, "/V(Law)/I[0]", "/V(Art)/I[1]"), "31 0 R", "60 0 R", 1), 60: look("Art")}
		})},
		{"a field in a group filled in", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{27: strings.Replace(altered(t, l, 27, "/V(x)", "/V(y)"), "34 0 R", "60 0 R", 1), 60: look("y")}
		})},
		{"a field protected", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{7: altered(t, l, 7, "/FT/Tx", "/FT/Tx/Ff 1")}
		})},
		{"resources added to the form", any0, 1, only(func(t *testing.T, l int) objects {
			return objects{6: altered(t, l, 6, "/Helv 5 0 R", "/Helv 5 0 R/ZaDb 60 0 R"), 60: "<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>"}
		})},
		{"an empty signature field added", filling, 1, only(func(t *testing.T, l int) objects {
			return objects{6: altered(t, l, 6, "/Fields[", "/Fields[60 0 R "), 3: altered(t, l, 3, "/Annots[", "/Annots[60 0 R "),
				60: "<</Type/Annot/Subtype/Widget/P 3 0 R/FT/Sig/T(third)/Rect[0 0 0 0]>>"}
		})},
		{"signed again in a new field", filling, 2, func(t *testing.T, d revised, l int) revised { return d.signOver(t, dean(), l, "", "", "", nil) }},
		{"signed again by the same", filling, 2, func(t *testing.T, d revised, l int) revised {
			return d.signOver(t, testSigner(), l, "", "", "", nil)
		}},
		{"signed again in the field that is there for it", filling, 2, func(t *testing.T, d revised, l int) revised {
			return d.sign(t, dean(), 61, "", objects{12: altered(t, l, 12, "/FT/Sig", "/FT/Sig/AP<</N 60 0 R>>/V 61 0 R"), 60: look("signed by the dean")})
		}},
		{"signed again, to be seen in an empty place", filling, 2, func(t *testing.T, d revised, l int) revised {
			return d.sign(t, dean(), 62, "", objects{60: "<</Type/Annot/Subtype/Widget/P 3 0 R/F 4/FT/Sig/T(third)/Rect[50 50 250 100]/AP<</N 61 0 R>>/V 62 0 R>>",
				61: look("signed by the dean"), 6: altered(t, l, 6, "/Fields[", "/Fields[60 0 R "), 3: altered(t, l, 3, "/Annots[", "/Annots[60 0 R ")})
		}},
		{"filled in and signed in one", filling, 2, func(t *testing.T, d revised, l int) revised {
			return d.signOver(t, dean(), l, "", "", "", objects{7: strings.Replace(altered(t, l, 7, "(as it was)", "(filled in)"), "8 0 R", "80 0 R", 1), 80: look("filled in")})
		}},
		{"signed again, then validation data", filling, 2, func(t *testing.T, d revised, l int) revised {
			return d.signOver(t, dean(), l, "", "", "", nil).add(objects{1: altered(t, l, 1, "/Catalog", "/Catalog/DSS<</Certs[90 0 R]>>"), 90: stream("", "x")})
		}},
		{"three signers", filling, 3, func(t *testing.T, d revised, l int) revised {
			d = d.signOver(t, dean(), l, "", "", "", nil)
			first := fmt.Sprintf("%d 0 R ", d.size-2)
			if d.streams {
				first = fmt.Sprintf("%d 0 R ", d.size-4)
			}
			return d.signOver(t, mallory(), l, altered(t, l, 3, "/Annots[", "/Annots["+first), altered(t, l, 6, "/Fields[", "/Fields["+first), "", nil)
		}},
		{"a lock on another field, then filled in", filling, 2, func(t *testing.T, d revised, l int) revised {
			d = d.sign(t, dean(), 61, "/Reference[<</TransformMethod/FieldMDP/TransformParams<</Action/Include/Fields[(group) (agree)]/V/1.2>>>>]",
				objects{12: altered(t, l, 12, "/FT/Sig", "/FT/Sig/V 61 0 R/Lock<</Type/SigFieldLock/Action/Include/Fields[(group) (agree)]>>")})
			return d.add(objects{7: altered(t, l, 7, "(as it was)", "(filled in)"), 8: look("filled in")})
		}},
		{"a lock on all but one, which is filled in", filling, 2, func(t *testing.T, d revised, l int) revised {
			d = d.sign(t, dean(), 61, "/Reference[<</TransformMethod/FieldMDP/TransformParams<</Action/Exclude/Fields[(note)]/V/1.2>>>>]",
				objects{12: altered(t, l, 12, "/FT/Sig", "/FT/Sig/V 61 0 R")})
			return d.add(objects{7: altered(t, l, 7, "(as it was)", "(filled in)"), 8: look("filled in")})
		}},
		{"a note added", annotating, 1, only(func(t *testing.T, l int) objects {
			return objects{18: altered(t, l, 18, "/Contents", "/Annots[60 0 R]/Contents"),
				60: "<</Type/Annot/Subtype/FreeText/P 18 0 R/Rect[50 50 250 90]/Contents(well done)/DA(/Helv 9 Tf)/AP<</N 61 0 R>>>>", 61: look("well done")}
		})},
		{"a note removed", annotating, 1, only(func(t *testing.T, l int) objects {
			return objects{3: altered(t, l, 3, " 17 0 R", "")}
		})},
		{"a note modified", annotating, 1, only(func(t *testing.T, l int) objects {
			return objects{17: altered(t, l, 17, "(see page 2)", "(see page 1)/C[1 0 0]")}
		})},
		{"text highlighted", annotating, 1, only(func(t *testing.T, l int) objects {
			return objects{18: altered(t, l, 18, "/Contents", "/Annots[60 0 R]/Contents"),
				60: "<</Type/Annot/Subtype/Highlight/P 18 0 R/Rect[70 690 200 715]/QuadPoints[70 715 200 715 70 690 200 690]/C[1 1 0]/AP<</N 61 0 R>>>>",
				61: stream("/Type/XObject/Subtype/Form/BBox[0 0 130 25]/Resources<</ExtGState<</M<</BM/Multiply>>>>>>", "/M gs 1 1 0 rg 0 0 130 25 re f")}
		})},
		{"the order of notes changed", annotating, 1, only(func(t *testing.T, l int) objects {
			return objects{3: altered(t, l, 3, "/Contents", "/Tabs/R/Contents")}
		})},
	}
}

// TestSoundRevisions judges documents with several revisions that are as they may be.
func TestSoundRevisions(t *testing.T) {
	_, err := exec.LookPath("pdfsig")
	files := 0
	for _, streams := range []bool{false, true} {
		for _, c := range soundChanges() {
			for _, level := range c.levels {
				files++
				t.Run(fmt.Sprintf("%s/level %d/streams %v", c.name, level, streams), func(t *testing.T) {
					d := c.change(t, firstSigned(t, streams, level, "", nil), level)
					v := verifyBytes(t, d.bytes)
					if v.Code != VerdictValid || len(v.Signatures) != c.count {
						t.Fatalf("%s with %d signatures: %s", v.Code, len(v.Signatures), v.Sentence)
					}
					for _, s := range v.Signatures {
						if !s.Intact || s.Problem != "" {
							t.Errorf("signature %+v", s)
						}
					}
					if err == nil {
						countValid(t, d.bytes, c.count)
					}
				})
			}
		}
	}
	if files < 120 {
		t.Errorf("only %d files were judged", files)
	}
}

// TestLevelsForbid shows that what one level allows, the ones below do not.
func TestLevelsForbid(t *testing.T) {
	for _, c := range soundChanges() {
		allowed := map[int]bool{}
		for _, l := range c.levels {
			allowed[l] = true
		}
		for level := range 4 {
			if allowed[level] {
				continue
			}
			t.Run(fmt.Sprintf("%s/level %d", c.name, level), func(t *testing.T) {
				v := verifyBytes(t, c.change(t, firstSigned(t, level%2 == 0, level, "", nil), level).bytes)
				if v.Valid || v.Code != VerdictChanged || v.Reason != "beyond_permission" {
					t.Errorf("%s: %s", v.Code, v.Sentence)
				}
			})
		}
	}
}

// TestTaggedDocument signs a tagged document again, as programs do that enter their
// signature into its structure.
func TestTaggedDocument(t *testing.T) {
	tagged := objects{
		1:  strings.Replace(formObjects()[1], "/Catalog", "/Catalog/MarkInfo<</Marked true>>/StructTreeRoot 50 0 R", 1),
		50: "<</Type/StructTreeRoot/K[51 0 R]/ParentTree 53 0 R/ParentTreeNextKey 1/RoleMap<<>>>>",
		51: "<</Type/StructElem/S/Document/P 50 0 R/K[52 0 R]>>",
		52: "<</Type/StructElem/S/P/P 51 0 R/Pg 3 0 R/K 0>>",
		53: "<</Nums[0[52 0 R]]>>",
	}
	over := func(d revised, more objects) revised {
		o := objects{
			51: "<</Type/StructElem/S/Document/P 50 0 R/K[52 0 R 63 0 R]>>",
			50: "<</Type/StructTreeRoot/K[51 0 R]/ParentTree 64 0 R/ParentTreeNextKey 2/RoleMap<<>>>>",
			60: "<</Type/Annot/Subtype/Widget/P 3 0 R/F 132/FT/Sig/T(third)/Rect[0 0 0 0]/V 61 0 R/StructParent 1>>",
			63: "<</Type/StructElem/S/Form/P 51 0 R/Pg 3 0 R/K<</Type/OBJR/Obj 60 0 R>>>>", 64: "<</Nums[0 65 0 R 1 63 0 R]>>", 65: "[52 0 R]",
			6: altered(t, 0, 6, "/Fields[", "/Fields[60 0 R "), 3: altered(t, 0, 3, "/Annots[", "/Tabs/S/Annots[60 0 R "),
		}
		maps.Copy(o, more)
		return d.sign(t, dean(), 61, "", o)
	}
	first := firstSigned(t, false, 0, "", tagged)
	if v := verifyBytes(t, over(first, nil).bytes); v.Code != VerdictValid {
		t.Error(v.Sentence)
	}
	for name, more := range map[string]objects{
		"content said otherwise": {52: "<</Type/StructElem/S/P/P 51 0 R/Pg 3 0 R/K 0/ActualText(Certificate of Eve)>>"},
		"content left out":       {51: "<</Type/StructElem/S/Document/P 50 0 R/K[63 0 R]>>"},
		"content added":          {63: "<</Type/StructElem/S/P/P 51 0 R/Pg 3 0 R/K 1>>"},
		"content moved":          {64: "<</Nums[0 65 0 R 1 63 0 R]>>", 65: "[63 0 R]"},
	} {
		if v := verifyBytes(t, over(first, more).bytes); v.Valid || !strings.Contains(v.Sentence, "structure") {
			t.Errorf("%s: %s", name, v.Sentence)
		}
	}
}

// countValid demands that poppler calls n signatures valid.
func countValid(t *testing.T, file []byte, n int) {
	t.Helper()
	path := t.TempDir() + "/signed.pdf"
	write(t, path, file)
	out := string(mustTool(t, nil, "pdfsig", "-nocert", path))
	if got := strings.Count(out, "Signature is Valid"); got != n {
		t.Errorf("pdfsig calls %d signatures valid, not %d: %s", got, n, out)
	}
}
