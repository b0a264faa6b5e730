package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// quarters paints the four quarters of an image in colours of their own: red,
// green, blue and white, from the top left on.
func quarters(m interface {
	image.Image
	Set(x, y int, c color.Color)
}) image.Image {
	b := m.Bounds()
	colors := [4]color.Color{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.White}
	for y := range b.Dy() {
		for x := range b.Dx() {
			m.Set(x, y, colors[2*y/b.Dy()*2+2*x/b.Dx()])
		}
	}
	return m
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oriented puts an EXIF segment with an orientation into a JPEG.
func oriented(b []byte, orientation int) []byte {
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	exif = append(exif, byte(orientation), 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(append([]byte{}, b[:2]...), segment...), b[2:]...)
}

func convert(b []byte) ([]byte, error) {
	var out bytes.Buffer
	err := ToPDF(&out, bytes.NewReader(b), int64(len(b)))
	return out.Bytes(), err
}

// corners draws a page and says the colours of its quarters, from the top left
// on, as letters.
func corners(t *testing.T, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		t.Skip("poppler is not installed")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftoppm", "-png", "-r", "36", "-singlefile", file, filepath.Join(dir, "page")).CombinedOutput()
	if err != nil {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, "page.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	letters := ""
	for _, p := range [4]image.Point{{w / 4, h / 4}, {3 * w / 4, h / 4}, {w / 4, 3 * h / 4}, {3 * w / 4, 3 * h / 4}} {
		r, g, b, _ := m.At(p.X, p.Y).RGBA()
		letters += map[[3]bool]string{{true, false, false}: "R", {false, true, false}: "G", {false, false, true}: "B",
			{true, true, true}: "W", {false, false, false}: "K"}[[3]bool{r > 0x8000, g > 0x8000, b > 0x8000}]
	}
	return letters
}

func TestKindsOfImages(t *testing.T) {
	r := image.Rect(0, 0, 80, 60)
	palette := color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.White}
	for name, b := range map[string][]byte{
		"JPEG":              encodeJPEG(t, quarters(image.NewRGBA(r))),
		"PNG RGB":           encodePNG(t, quarters(image.NewRGBA(r))),
		"PNG RGB 16 bits":   encodePNG(t, quarters(image.NewRGBA64(r))),
		"PNG RGBA":          encodePNG(t, quarters(image.NewNRGBA(r))),
		"PNG RGBA 16 bits":  encodePNG(t, quarters(image.NewNRGBA64(r))),
		"PNG palette":       encodePNG(t, quarters(image.NewPaletted(r, palette))),
		"PNG palette alpha": encodePNG(t, quarters(image.NewPaletted(r, append(palette, color.NRGBA{9, 9, 9, 60})))),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := convert(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(t, out); got != "RGBW" {
				t.Errorf("the page shows %s, want RGBW", got)
			}
			again, err := convert(b)
			if err != nil || !bytes.Equal(out, again) {
				t.Errorf("the same image gives another page: %v", err)
			}
		})
	}
	for name, m := range map[string]image.Image{"PNG gray": quarters(image.NewGray(r)), "PNG gray 16 bits": quarters(image.NewGray16(r))} {
		t.Run(name, func(t *testing.T) {
			out, err := convert(encodePNG(t, m))
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(t, out); got != "KWKW" {
				t.Errorf("the page shows %s, want KWKW", got)
			}
		})
	}
}

// TestTransparent shows that what lies behind a transparent image is white.
func TestTransparent(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 80, 60))
	for y := range 30 {
		for x := range 80 {
			m.Set(x, y, color.NRGBA{255, 0, 0, 255})
		}
	}
	out, err := convert(encodePNG(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if got := corners(t, out); got != "RRWW" {
		t.Errorf("the page shows %s, want RRWW", got)
	}
}

func TestOrientation(t *testing.T) {
	plain := encodeJPEG(t, quarters(image.NewRGBA(image.Rect(0, 0, 80, 40))))
	for orientation, want := range map[int]string{1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW"} {
		t.Run(fmt.Sprint(orientation), func(t *testing.T) {
			b := oriented(plain, orientation)
			d, err := Measure(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if upright := d.HeightMM > d.WidthMM; upright != (orientation >= 5 && orientation <= 8) {
				t.Errorf("the page is %.0f x %.0f mm", d.WidthMM, d.HeightMM)
			}
			out, err := convert(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(t, out); got != want {
				t.Errorf("the page shows %s, want %s", got, want)
			}
			if !bytes.Contains(out, plain[len(plain)/2:len(plain)-2]) {
				t.Error("the JPEG's bytes are not embedded as they are")
			}
		})
	}
}

// TestMoreJPEGs converts what the standard library does not write.
func TestMoreJPEGs(t *testing.T) {
	if version, err := exec.CommandContext(t.Context(), "convert", "-version").Output(); err != nil || !bytes.Contains(version, []byte("ImageMagick")) {
		t.Skip("ImageMagick is not installed")
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.png")
	if err := os.WriteFile(in, encodePNG(t, quarters(image.NewRGBA(image.Rect(0, 0, 80, 60)))), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"progressive.jpg": {"-interlace", "JPEG"}, "cmyk.jpg": {"-colorspace", "CMYK"}, "interlaced.png": {"-interlace", "PNG"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, name)
			if msg, err := exec.CommandContext(t.Context(), "convert", append(append([]string{in}, args...), out)...).CombinedOutput(); err != nil {
				t.Fatalf("convert: %v: %s", err, msg)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			pdf, err := convert(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(t, pdf); got != "RGBW" {
				t.Errorf("the page shows %s, want RGBW", got)
			}
		})
	}
}

// patched changes a PNG's header and mends its sum.
func patched(b []byte, change func(header []byte)) []byte {
	b = append([]byte{}, b...)
	change(b[16:29])
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestRefusedImages(t *testing.T) {
	m := quarters(image.NewRGBA(image.Rect(0, 0, 80, 60)))
	good, photo := encodePNG(t, m), encodeJPEG(t, m)
	size := func(w, h uint32) func([]byte) {
		return func(b []byte) {
			binary.BigEndian.PutUint32(b, w)
			binary.BigEndian.PutUint32(b[4:], h)
		}
	}
	frame := bytes.Index(photo, []byte{0xFF, 0xC0})
	sized := func(w, h uint16) []byte {
		b := append([]byte{}, photo...)
		binary.BigEndian.PutUint16(b[frame+5:], h)
		binary.BigEndian.PutUint16(b[frame+7:], w)
		return b
	}
	flipped := append([]byte{}, good...)
	flipped[50] ^= 1
	for _, tt := range []struct {
		name   string
		file   []byte
		reason reject.Reason
		says   string
	}{
		{"too many pixels", patched(good, size(8000, 6000)), reject.ImageTooLarge, "8000 x 6000 pixels"},
		{"absurdly many pixels", patched(good, size(1<<31-1, 1<<31-1)), reject.ImageTooLarge, "more than 40 megapixels"},
		{"a strip", patched(good, size(39_000_000, 1)), reject.ImageTooLarge, "39000000 x 1 pixels, and no side may have more than"},
		{"a JPEG of too many pixels", sized(8000, 6000), reject.ImageTooLarge, "8000 x 6000 pixels"},
		{"a PNG that says more than it holds", patched(good, size(6000, 6000)), reject.DamagedImage, "holds data for fewer"},
		{"a PNG that says a little more", patched(good, size(80, 61)), reject.DamagedImage, "holds data for fewer"},
		{"a PNG that says less", patched(good, size(80, 50)), reject.DamagedImage, "damaged"},
		{"a JPEG that says more", sized(6000, 6000), reject.DamagedImage, "holds data for fewer"},
		{"no width", patched(good, size(0, 60)), reject.DamagedImage, "no width"},
		{"cut off", good[:len(good)-20], reject.DamagedImage, "cut off"},
		{"a JPEG cut off", photo[:len(photo)-2], reject.DamagedImage, "cut off"},
		{"a JPEG's beginning", photo[:frame+4], reject.DamagedImage, "cut off"},
		{"a flipped bit", flipped, reject.DamagedImage, "damaged"},
		{"a few bytes", good[:5], reject.DamagedImage, "ends before it begins"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := convert(tt.file)
			r, ok := errors.AsType[*reject.Rejection](err)
			if !ok || r.Reason != tt.reason || !strings.Contains(r.Message, tt.says) {
				t.Errorf("%v, want %s: %s", err, tt.reason, tt.says)
			}
		})
	}
}

func FuzzMeasure(f *testing.F) {
	m := quarters(image.NewRGBA(image.Rect(0, 0, 8, 6)))
	f.Add(encodePNG(f, m))
	f.Add(encodeJPEG(f, m))
	f.Add(oriented(encodeJPEG(f, m), 6))
	f.Add([]byte("\xFF\xD8\xFF\xFF\xFF\xE1\x00\x10Exif\x00\x00II*\x00\xFF\xFF\xFF\xFF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Measure(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if _, ok := errors.AsType[*reject.Rejection](err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if d.Width <= 0 || d.Height <= 0 || d.Width*d.Height > maxPixels || d.WidthMM <= 0 || d.HeightMM <= 0 {
			t.Fatalf("dimensions %+v", d)
		}
		if d.Width*d.Height > 1<<16 {
			return // decoding it takes too long for fuzzing
		}
		if _, err := convert(b); err != nil {
			if _, ok := errors.AsType[*reject.Rejection](err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
		}
	})
}
