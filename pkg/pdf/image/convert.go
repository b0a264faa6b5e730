package image

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// ToPDF writes a PDF of one page that shows the image at its own size, turned
// as its EXIF orientation says. A JPEG's bytes are embedded as they are. The
// same image always gives the same bytes.
func ToPDF(w io.Writer, r io.ReaderAt, size int64) error {
	return toPDF(w, r, size, func(*Dimensions) {})
}

func toPDF(w io.Writer, r io.ReaderAt, size int64, resize func(*Dimensions)) (err error) {
	// fpdf indexes into image data without looking; what a damaged image makes
	// of that is a refusal and not a crash.
	defer func() {
		if p := recover(); p != nil {
			err = reject.New(reject.DamagedImage, "The image is damaged")
		}
	}()
	d, err := Measure(r, size)
	if err != nil {
		return err
	}
	resize(&d)
	var src io.Reader = io.NewSectionReader(r, 0, size)
	if d.PNG && !d.decode {
		if err := d.checkPixels(r, size); err != nil {
			return err
		}
	}
	if d.decode {
		if src, err = reencode(src); err != nil {
			return err
		}
	}
	return d.write(w, src)
}

// WritePage writes a PDF of one page of a size in millimetres. An image, where one is
// given, is stretched over all of it.
func WritePage(w io.Writer, widthMM, heightMM float64, image []byte) error {
	if len(image) > 0 {
		return toPDF(w, bytes.NewReader(image), int64(len(image)), func(d *Dimensions) { d.WidthMM, d.HeightMM = widthMM, heightMM })
	}
	return output(w, newDocument(widthMM*pointsPerMM, heightMM*pointsPerMM))
}

const pointsPerMM = 72 / 25.4 // points in a millimetre

// newDocument is a document with one empty page, its size in points.
func newDocument(pageW, pageH float64) *fpdf.Fpdf {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: pageW, Ht: pageH}})
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetCatalogSort(true)
	doc.SetProducer("vecctl", false)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	return doc
}

func (d Dimensions) write(w io.Writer, src io.Reader) error {
	pageW, pageH := d.WidthMM*pointsPerMM, d.HeightMM*pointsPerMM
	doc := newDocument(pageW, pageH)
	kind := "JPG"
	if d.PNG {
		kind = "PNG"
	}
	options := fpdf.ImageOptions{ImageType: kind}
	doc.RegisterImageOptionsReader("image", options, src)
	iw, ih := pageW, pageH
	if d.swapsSides() {
		iw, ih = ih, iw
	}
	doc.TransformBegin()
	doc.Transform(orient(d.Orientation, iw, ih))
	doc.ImageOptions("image", 0, pageH-ih, iw, ih, false, options, 0, "")
	doc.TransformEnd()
	if doc.Err() {
		return reject.Newf(reject.DamagedImage, "The image cannot be put on a page (%v)", doc.Error())
	}
	return output(w, doc)
}

func output(w io.Writer, doc *fpdf.Fpdf) error {
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		return fmt.Errorf("write the image's page: %w", err)
	}
	file, err := markBinary(out.Bytes())
	if err != nil {
		return err
	}
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("write the image's page: %w", err)
	}
	return nil
}

// markBinary puts a line behind the header of a file with one table of objects that says
// that the file is not text (ISO 32000-1, 7.5.2).
func markBinary(file []byte) ([]byte, error) {
	const header, line = "%PDF-1.7\n", "%\xB5\xED\xAE\xFB\n"
	first := bytes.IndexByte(file, '\n') + 1
	table := bytes.LastIndex(file, []byte("\nxref\n")) + 1
	trailer := bytes.LastIndex(file, []byte("trailer"))
	start := bytes.LastIndex(file, []byte("startxref\n"))
	if first != len(header) || table == 0 || trailer < table || start < trailer {
		return nil, errors.New("write the image's page: the library writes another kind of file")
	}
	out := make([]byte, 0, len(file)+len(line))
	out = append(append(append(out, header...), line...), file[first:table]...)
	for entry := range bytes.Lines(file[table:trailer]) {
		var at, gen int
		if n, err := fmt.Sscanf(string(entry), "%010d %05d n", &at, &gen); n == 2 && err == nil {
			entry = fmt.Appendf(nil, "%010d %05d n \n", at+len(line), gen)
		}
		out = append(out, entry...)
	}
	out = append(out, file[trailer:start]...)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", table+len(line)), nil
}

// orient turns an image of w by h, whose bottom left corner is the origin, as
// the EXIF orientation says.
func orient(orientation int, w, h float64) fpdf.TransformMatrix {
	switch orientation {
	case 2:
		return fpdf.TransformMatrix{A: -1, D: 1, E: w}
	case 3:
		return fpdf.TransformMatrix{A: -1, D: -1, E: w, F: h}
	case 4:
		return fpdf.TransformMatrix{A: 1, D: -1, F: h}
	case 5:
		return fpdf.TransformMatrix{B: -1, C: -1, E: h, F: w}
	case 6:
		return fpdf.TransformMatrix{B: -1, C: 1, F: w}
	case 7:
		return fpdf.TransformMatrix{B: 1, C: 1}
	case 8:
		return fpdf.TransformMatrix{B: 1, C: -1, E: h}
	}
	return fpdf.TransformMatrix{A: 1, D: 1}
}

// reencode decodes a PNG that fpdf does not take (interlaced, 16 bits, several
// transparent colours) and writes it with 8 bits a sample.
func reencode(src io.Reader) (io.Reader, error) {
	img, err := png.Decode(src)
	if err != nil {
		return nil, reject.Newf(reject.DamagedImage, "The PNG image is damaged (%v)", err)
	}
	b := img.Bounds()
	var plain draw.Image
	switch m := img.(type) {
	case *image.Gray, *image.Gray16:
		plain = image.NewGray(b)
	default:
		if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
			plain = image.NewRGBA(b)
		} else {
			plain = image.NewNRGBA(b)
		}
		if n, ok := m.(*image.NRGBA); ok {
			plain = n
		}
	}
	if plain != img {
		copyPixels(plain, img)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, plain); err != nil {
		return nil, fmt.Errorf("write the image anew: %w", err)
	}
	return &out, nil
}

// copyPixels keeps the colours of transparent pixels as they are, other than
// draw.Draw.
func copyPixels(to draw.Image, from image.Image) {
	b := from.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			to.Set(x, y, color.NRGBAModel.Convert(from.At(x, y)))
		}
	}
}
