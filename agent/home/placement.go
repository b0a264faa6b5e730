package home

import (
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// checkPosition takes what says where on a page codes go.
func checkPosition(v string) error {
	_, err := pdf.ParsePlace(v)
	return err
}

// checkLength takes a length in millimetres.
func checkLength(least, most float64) func(string) error {
	return func(v string) error {
		if n, err := strconv.ParseFloat(v, 64); err != nil || !(n >= least && n <= most) {
			return fault.Newf(fault.Invalid, "%q is no length in millimetres; want a number from %g to %g", v, least, most)
		}
		return nil
	}
}
