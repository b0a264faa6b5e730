package ui

import (
	"strings"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Theme has styles and signs. Colour is never the only sign of a state: states are words,
// and the selected row has a mark.
type Theme struct {
	Strong, Dim, Good, Bad, Busy, Warn, Selected, ActiveTab, Alarm, Key Style

	BarFull, BarEmpty rune // of a bar
	Ellipsis          string
	Rule              string
	method            ansi.Method
}

// Style is a style with its escape sequences. They are computed once, because a screen has
// hundreds of texts and is drawn many times per second.
type Style struct {
	Style         lipgloss.Style
	before, after string
}

func newStyle(s lipgloss.Style) Style {
	const text = "x"
	before, after, _ := strings.Cut(s.Render(text), text)
	return Style{Style: s, before: before, after: after}
}

// Render returns a text in the style.
func (i Style) Render(text string) string {
	if text == "" {
		return ""
	}
	return i.before + text + i.after
}

// NewTheme returns a theme for a dark or a light background. For a plain terminal, the signs
// are ASCII only.
func NewTheme(dark, plain bool) Theme {
	of := lipgloss.LightDark(dark)
	plainly := lipgloss.NewStyle()
	colour := func(light, dark string) Style {
		return newStyle(plainly.Foreground(of(lipgloss.Color(light), lipgloss.Color(dark))))
	}
	alarm := colour("124", "9").Style.Bold(true).Reverse(true)
	l := Theme{
		Strong: newStyle(plainly.Bold(true)),
		Dim:    colour("240", "245"), Good: colour("28", "10"), Bad: colour("124", "9"),
		Busy: colour("25", "12"), Warn: colour("130", "11"), Key: colour("25", "14"),
		Selected:  newStyle(plainly.Reverse(true)),
		ActiveTab: newStyle(plainly.Reverse(true).Bold(true)),
		Alarm:     newStyle(alarm),
		BarFull:   '█', BarEmpty: '░', Ellipsis: "…", Rule: "─",
	}
	if plain {
		l.BarFull, l.BarEmpty, l.Ellipsis, l.Rule = '#', '.', "~", "-"
	}
	return l
}

// WithGraphemes returns the theme for a terminal that counts graphemes. Without it, code
// points are counted.
func (l Theme) WithGraphemes() Theme {
	l.method = ansi.GraphemeWidth
	return l
}

// ForBackground returns the theme for another background.
func (l Theme) ForBackground(dark bool) Theme {
	other := NewTheme(dark, l.Ellipsis == "~")
	other.method = l.method
	return other
}

// StateText returns a text in the colour of a state.
func (l Theme) StateText(word, text string) string {
	switch word {
	case "approved", "done", "ok", "active", "delivered", "success", "sent", "live":
		return l.Good.Render(text)
	case "failed", "wrong", "error", "lost", "bounced", "refused":
		return l.Bad.Render(text)
	case "processing", "retried", "created", "waiting", "in_review":
		return l.Busy.Render(text)
	case "revoked", "replaced", "paused", "cancelled", "warn", "note", "pending", "expiring", "expired", "rejected":
		return l.Warn.Render(text)
	}
	return text
}

// Width returns the number of columns of a text.
func (l Theme) Width(s string) int { return l.method.StringWidth(s) }

// Sanitize removes characters that break a line or control the terminal. It also removes
// joiners of emoji, because terminals disagree on the width of the result.
func Sanitize(s string) string {
	const joiner, asPicture, firstPicture = '\u200d', '\ufe0f', '\U0001f000'
	before := ' '
	return strings.Map(func(r rune) rune {
		last := before
		before = r
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return ' '
		case r == asPicture, r >= '\U0001f3fb' && r <= '\U0001f3ff', r == joiner && (last >= firstPicture || last == asPicture):
			return -1
		}
		return r
	}, s)
}

// Truncate shortens a text to a width.
func (l Theme) Truncate(s string, width int) string {
	if l.Width(s) <= width {
		return s
	}
	// A cut inside of a wide character may give a text that is too wide.
	for n := max(width, 0); ; n-- {
		if short := l.method.Truncate(s, n, l.Ellipsis); n == 0 || l.Width(short) <= width {
			return short
		}
	}
}

// Fit shortens or pads a text to exactly a width.
func (l Theme) Fit(s string, width int) string {
	s = l.Truncate(s, width)
	return s + strings.Repeat(" ", max(0, width-l.Width(s)))
}

// FitRight is like Fit, with the text at the right.
func (l Theme) FitRight(s string, width int) string {
	s = l.Truncate(s, width)
	return strings.Repeat(" ", max(0, width-l.Width(s))) + s
}

// Wrap breaks a text into lines with a maximum width.
func (l Theme) Wrap(s string, width int) []string {
	return strings.Split(l.method.Wrap(s, max(width, 1), " "), "\n")
}

// LabelLines returns the lines of a text after a label; none for an empty text.
func (l Theme) LabelLines(label, text string, room, width int) []string {
	if text == "" {
		return nil
	}
	lines := l.Wrap(Sanitize(text), max(20, width-room-1))
	for i := range lines {
		lines[i] = l.Dim.Render(l.Fit(label, room)+" ") + lines[i]
		label = ""
	}
	return lines
}

// Block returns exactly height lines, each exactly width columns wide.
func (l Theme) Block(lines []string, width, height int) string {
	out := make([]string, height)
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = l.Fit(line, width)
	}
	return strings.Join(out, "\n")
}

// FormatNumber formats a number with separators between thousands.
func FormatNumber(n int) string {
	digits := []byte{}
	for i, left := 0, max(n, 0); i == 0 || left > 0; i, left = i+1, left/10 {
		if i > 0 && i%3 == 0 {
			digits = append(digits, ',')
		}
		digits = append(digits, byte('0'+left%10))
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return string(digits)
}

// Plural returns a number with its noun: 1 batch, 2 batches.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return FormatNumber(n) + " " + many
}

// FormatDuration formats a duration with one or two units: 45s, 3m20s, 2h05m.
func FormatDuration(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d < time.Minute:
		return d.String()
	case d < time.Hour:
		return FormatNumber(int(d/time.Minute)) + "m" + pad(int(d/time.Second)%60) + "s"
	case d < 100*time.Hour:
		return FormatNumber(int(d/time.Hour)) + "h" + pad(int(d/time.Minute)%60) + "m"
	}
	return FormatNumber(int(d/(24*time.Hour))) + "d"
}

func pad(n int) string {
	if n < 10 {
		return "0" + FormatNumber(n)
	}
	return FormatNumber(n)
}
