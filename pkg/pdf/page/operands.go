package page

import "github.com/vecctl/vecctl/pkg/pdf/object"

const (
	maxOperands = 64  // kept of one operator
	maxStack    = 512 // graphics states kept
)

// operands are those of one operator.
type operands []object.Object

// number is the operand i places from the last one; the last is 0.
func (o operands) number(i int) float64 {
	if i >= len(o) {
		return 0
	}
	n, _ := o[len(o)-1-i].Real()
	return n
}

// matrix is what the last six operands make.
func (o operands) matrix() matrix {
	return matrix{o.number(5), o.number(4), o.number(3), o.number(2), o.number(1), o.number(0)}
}

// last is the last operand; nil where there is none.
func (o operands) last() object.Object {
	if len(o) == 0 {
		return nil
	}
	return o[len(o)-1]
}
