package form

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// FuzzPlacement holds that what says where a code goes is taken within its bounds, or
// refused with the field's name.
func FuzzPlacement(f *testing.F) {
	f.Add("", "", "", "", "", "")
	f.Add("2", "top-left", "22", "8.5", "diploma", "x")
	f.Add("-1", "10,20", "7.9", "0", " ", "")
	f.Add("99999999999999999999", "NaN,1", "1e2", "0x1p4", "nope", "")
	f.Add("0", "Auto", "٢٢", "200.000001", "\x00", "")
	standard := func(name string) (vault.Placement, error) {
		if name == "" || name == "diploma" {
			return vault.Placement{Page: 1, At: "bottom-right", SizeMM: 22, MarginMM: 8}, nil
		}
		return vault.Placement{}, fault.New(fault.Invalid, "there is no such template")
	}
	f.Fuzz(func(t *testing.T, page, at, size, margin, template, group string) {
		fields := map[string]string{"qr[page]": page, "qr[at]": at, "qr[size]": size, "qr[margin]": margin, "template": template, PlacementField: group}
		p, bad, err := ReadPlacement(fields, nil, "entries.3.", standard)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range bad {
			if !strings.HasPrefix(one.Name, "entries.3.") || !strings.Contains(one.Message, one.Name) {
				t.Errorf("%v: %+v", fields, one)
			}
		}
		if len(bad) > 0 {
			return
		}
		if _, err := pdf.ParsePlace(p.At); err != nil || p.Page < 1 || p.Page > maxPage ||
			!(p.SizeMM >= minSide && p.SizeMM <= maxSide) || !(p.MarginMM > 0 && p.MarginMM <= maxMargin) {
			t.Errorf("%v: %+v, %v", fields, p, err)
		}
	})
}
