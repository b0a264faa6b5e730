package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// WrapText breaks the lines of a text between words so that each is at most width columns
// wide; what goes on begins hang columns in. A word that is wider, such as an address,
// stays whole, since people copy it. A width of 0 is no width.
func WrapText(text string, width, hang int) string {
	if width <= 0 {
		return text
	}
	var out strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		column := 0
		for j, word := range strings.Split(line, " ") {
			wide := ansi.StringWidth(word)
			switch {
			case j == 0:
			case column+1+wide > width && column > hang && word != "":
				out.WriteString("\n" + strings.Repeat(" ", hang))
				column = hang
			default:
				out.WriteByte(' ')
				column++
			}
			out.WriteString(word)
			column += wide
		}
	}
	return out.String()
}
