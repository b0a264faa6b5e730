package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// WrapText wraps the lines of a text between words to a maximum width. Continued lines are
// indented by hang columns. A longer word, such as an address, stays whole, because people
// copy it. A width of 0 is no limit.
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
