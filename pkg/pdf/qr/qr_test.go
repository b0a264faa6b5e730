package qr

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var texts = []string{
	"HTTPS://VERIFY.EXAMPLE.EDU/V/VEC-IC-20261A2B3C4D5E6F7",
	"https://verify.example.edu/v/VEC-IC-20261A2B3C4D5E6F7?lang=de",
	"1234567890",
	strings.Repeat("long ", 100),
}

// image is a picture of a code with its quiet zone, four pixels a module.
func (c *Code) image() image.Image {
	const scale = 4
	side := (c.Size + 2*QuietZone) * scale
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !c.Dark(x/scale-QuietZone, y/scale-QuietZone) {
				m.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return m
}

func scanned(t *testing.T, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// TestBothLibraries shows that the codes of both read as the same text.
func TestBothLibraries(t *testing.T) {
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("zbarimg is not installed")
	}
	var e Encoder
	for _, text := range texts {
		stamped, err := e.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := EncodeForDisplay(text)
		if err != nil {
			t.Fatal(err)
		}
		if stamped.Size > shown.Size {
			t.Errorf("%.30q: the stamped code has %d modules a side, the shown one %d", text, stamped.Size, shown.Size)
		}
		for name, c := range map[string]*Code{"stamped": stamped, "shown": shown} {
			var b bytes.Buffer
			if err := png.Encode(&b, c.image()); err != nil {
				t.Fatal(err)
			}
			if got := scanned(t, b.Bytes()); got != text {
				t.Errorf("%.30q, %s: %q", text, name, got)
			}
		}
		b, err := PNG(text, 400)
		if err != nil {
			t.Fatal(err)
		}
		if got := scanned(t, b); got != text {
			t.Errorf("%.30q, as PNG: %q", text, got)
		}
	}
}

func TestTooLong(t *testing.T) {
	var e Encoder
	long := strings.Repeat("x", 4000)
	if _, err := e.Encode(long); err == nil {
		t.Error("Encode takes what no code holds")
	}
	if _, err := EncodeForDisplay(long); err == nil {
		t.Error("Picture takes what no code holds")
	}
	if _, err := PNG(long, 100); err == nil {
		t.Error("PNG takes what no code holds")
	}
}
