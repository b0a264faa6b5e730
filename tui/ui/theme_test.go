package ui_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vecctl/vecctl/tui/ui"
)

func TestTextsTakeTheRoomTheyAreGiven(t *testing.T) {
	t.Parallel()
	plain, whole := ui.NewTheme(true, true), ui.NewTheme(true, false).WithGraphemes()
	for _, s := range []string{"", "Ada", "Zoë", "Zoe\u0308 combining", "王小明王小明王小明", "Müller-Lüdenscheidt", "👩‍🎓 graduate", "a\u200db", "ﬁ", "नमस्ते"} {
		for width := range 14 {
			for _, l := range []ui.Theme{plain, whole} {
				for _, got := range []string{l.Fit(s, width), l.FitRight(s, width)} {
					if l.Width(got) != width || !utf8.ValidString(got) {
						t.Errorf("%q in %d columns is %q, %d wide", s, width, got, l.Width(got))
					}
				}
			}
		}
	}
}

func TestTextsDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	if got := ui.Sanitize("👩🏽‍🎓 Ada"); got != "👩🎓 Ada" {
		t.Errorf("%q", got)
	}
	if got := ui.Sanitize("क्\u200dष"); got != "क्\u200dष" {
		t.Errorf("%q", got)
	}
	if got := ui.Sanitize("a\x1b[31mb\nc\u202ed\u009be"); strings.ContainsAny(got, "\x1b\n\u202e\u009b") || !strings.HasPrefix(got, "a [31mb c") {
		t.Errorf("%q", got)
	}
}

func TestNumbersAndSpans(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1: "0"} {
		if got := ui.FormatNumber(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1499 * time.Millisecond: "1s", 59 * time.Second: "59s", 65 * time.Second: "1m05s",
		12*time.Minute + 30*time.Second: "12m30s", 2*time.Hour + 5*time.Minute: "2h05m", 200 * time.Hour: "8d",
	} {
		if got := ui.FormatDuration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
