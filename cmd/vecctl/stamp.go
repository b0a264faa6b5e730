package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

func stampCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "stamp", Usage: "stamp a document without issuing it, to preview the QR code", ArgsUsage: "FILE",
		Description: "The result is signed with a temporary key. It looks like an issued document, but no check accepts it as one.",
		Flags: append(append(append(homeFlags(), outputFlags()...), placementFlags()...),
			&cli.StringFlag{Name: "out", Usage: "output `FILE`, \"-\" for standard output; a .png file is an image of the page"},
			&cli.StringFlag{Name: "template", Usage: "`NAME` of the template that has the place of the QR code"},
			coverFlag(),
			&cli.StringFlag{Name: "url", Value: config.DefaultBaseURL + "/v/" + sampleReference, Usage: "`URL` in the QR code"},
		),
		Action: func(c *cli.Context) error {
			format, err := formatAndArgs(c, 1, "the document")
			if err != nil {
				return err
			}
			if c.String("out") == "" {
				return usageError("--out is missing; name the output file, or - for standard output")
			}
			m, err := sampleMark(c, w)
			if err != nil {
				return err
			}
			m.URL = c.String("url")
			return runStamp(w, c.Args().First(), c.String("out"), m, c.Bool("cover"), format)
		},
	}
}

// sampleReference is printed under the code of a document that is not issued.
const sampleReference = "VEC-IC-00000000000000000"

func runStamp(w environment, in, out string, m pdf.Stamp, cover bool, format outputFormat) error {
	// Opening a pipe would block, and a pipe cannot be read twice.
	if info, err := os.Stat(in); err == nil && !info.Mode().IsRegular() {
		return usageError("%s is not a regular file; name a PDF, JPEG or PNG file", in)
	}
	f, err := os.Open(in)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the document %s cannot be opened; check its name and permissions", in))
	}
	defer f.Close()
	source, err := stampSource(w, f)
	if err != nil {
		printRefusal(w, format, err)
		return fault.At(in, err)
	}
	if err := printCovered(w, source, m, cover); err != nil {
		return fault.At(in, err)
	}
	return writeSample(w, in, source, m, out, format)
}

// printCovered says what the code covers. A place that was asked for is shown all the
// same; that no place is free, where the program is to find one, is an error unless the code
// may cover something.
func printCovered(w environment, source pdf.Source, m pdf.Stamp, cover bool) error {
	m.Caption = sampleReference
	_, at, err := pdf.InspectAt(source.R, source.Size, m, true)
	switch {
	case err != nil || cover || !at.Covers():
		return nil // stamping says what is wrong
	case m.Corner == pdf.Auto:
		return usageError("no place for the code is free: at the bottom right it would cover %s; use another place or size, or --cover", at.Describe())
	}
	if instead := at.Instead(); len(instead) > 0 {
		printLinef(w, "Note: the code covers %s; free instead: %s.", at.Describe(), strings.Join(instead, ", "))
	} else {
		printLinef(w, "Note: the code covers %s, and no corner is free.", at.Describe())
	}
	return nil
}

// stampResult is what "stamp" prints: where the code is, or why there is none.
type stampResult struct {
	File     string        `json:"file"` // "" where nothing was written
	Page     int           `json:"page,omitempty"`
	Pages    int           `json:"pages,omitempty"`
	PageSize *sizeMM       `json:"page_size_mm,omitempty"`
	Code     *codePlace    `json:"code_mm,omitempty"`
	Refusals []stampRefuse `json:"refusals"`
}

type sizeMM struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// codePlace is the place of the code from the top left corner, and its side.
type codePlace struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Size float64 `json:"size"`
}

type stampRefuse struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func newStampResult(out string, u pdf.Update) stampResult {
	at := u.Place
	round := func(mm float64) float64 { return math.Round(mm*10) / 10 }
	return stampResult{
		File: out, Page: at.Page, Pages: u.Pages, PageSize: &sizeMM{round(u.WidthMM), round(u.HeightMM)},
		Code: &codePlace{round(at.X * u.WidthMM), round(at.Y * u.HeightMM), round(at.W * u.WidthMM)}, Refusals: []stampRefuse{},
	}
}

// printRefusal prints why a document was not stamped, where programs read it.
func printRefusal(w environment, format outputFormat, err error) {
	r, ok := errors.AsType[*pdf.Rejection](err)
	if !ok || format != formatJSON && format != formatJSONLines {
		return
	}
	// The error itself is printed, too.
	_ = printFields(w.stdout, format, stampResult{Refusals: []stampRefuse{{string(r.Reason), r.Message}}}, nil)
}

// writeSample stamps a document without issuing it. The name in is for messages.
func writeSample(w environment, in string, source pdf.Source, m pdf.Stamp, out string, format outputFormat) error {
	tail, err := sampleTail(source, m)
	if err != nil {
		if out != "-" {
			printRefusal(w, format, err)
		}
		return fault.At(in, err)
	}
	write := func(to io.Writer) error {
		if _, err := io.Copy(to, io.NewSectionReader(source.R, 0, source.Size)); err != nil {
			return err
		}
		_, err := to.Write(tail.Bytes)
		return err
	}
	if strings.EqualFold(filepath.Ext(out), ".png") {
		if write, err = renderPage(write, tail.Place.Page); err != nil {
			return err
		}
	}
	if err := writeTo(w, out, write); err != nil || out == "-" {
		return err
	}
	at, width, height := tail.Place, tail.WidthMM, tail.HeightMM
	printLinef(w, "Page %d of %d, %.0f x %.0f mm: the code is %.0f mm wide, %.0f mm from the left and %.0f mm from the top.",
		at.Page, tail.Pages, width, height, at.W*width, at.X*width, at.Y*height)
	if format == formatTable {
		_, err = fmt.Fprintln(w.stdout, out)
		return err
	}
	place := newStampResult(out, tail)
	number := func(mm float64) string { return strconv.FormatFloat(mm, 'f', -1, 64) }
	return printFields(w.stdout, format, place, [][2]string{
		{"file", out}, {"page", strconv.Itoa(at.Page)}, {"pages", strconv.Itoa(tail.Pages)}, {"page_width_mm", number(place.PageSize.Width)},
		{"page_height_mm", number(place.PageSize.Height)}, {"x_mm", number(place.Code.X)}, {"y_mm", number(place.Code.Y)}, {"size_mm", number(place.Code.Size)},
	})
}

// renderPage draws a page of a PDF with poppler, and returns a function that writes it as PNG.
func renderPage(write func(io.Writer) error, page int) (func(io.Writer) error, error) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err,
			"a PNG image needs pdftoppm (Debian package poppler-utils), which is not installed; name a .pdf file with --out")
	}
	var document bytes.Buffer
	if err := write(&document); err != nil {
		return nil, err
	}
	n := strconv.Itoa(page)
	draw := exec.Command(tool, "-png", "-r", "110", "-f", n, "-l", n, "-singlefile", "-")
	draw.Stdin = &document
	png, err := draw.Output()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "pdftoppm could not draw the stamped page; name a .pdf file with --out to see it")
	}
	return func(to io.Writer) error {
		_, err := to.Write(png)
		return err
	}, nil
}

// stampSource returns the PDF to stamp: the file itself, or the page made from an image.
func stampSource(w environment, f *os.File) (pdf.Source, error) {
	info, err := f.Stat()
	if err != nil {
		return pdf.Source{}, err
	}
	if info.Size() > vault.MaxFile {
		return pdf.Source{}, fault.Newf(fault.Invalid, "the file has %d bytes; at most 20 MB are accepted", info.Size())
	}
	found, err := pdf.Inspect(f, info.Size())
	if err != nil {
		return pdf.Source{}, err
	}
	if found.Format == pdf.FormatPDF {
		return pdf.Source{R: f, Size: info.Size()}, nil
	}
	var page bytes.Buffer
	if err := w.page(&page, f, info.Size()); err != nil {
		return pdf.Source{}, err
	}
	return pdf.Source{R: bytes.NewReader(page.Bytes()), Size: int64(page.Len())}, nil
}

func sampleTail(source pdf.Source, m pdf.Stamp) (pdf.Update, error) {
	now := wallClock()
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "vecctl preview, not issued", now, 1)
	if err != nil {
		return pdf.Update{}, err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return pdf.Update{}, err
	}
	m.Caption, m.SignedAt = sampleReference, now
	return pdf.NewStamper(signer).Stamp(source, m)
}
