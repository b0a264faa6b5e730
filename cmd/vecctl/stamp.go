package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

func stampCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "stamp", Usage: "stamp a document without issuing it, to see page, place and size", ArgsUsage: "FILE",
		Description: "The result is signed with a key that is made for it and thrown away, so it looks and\n" +
			"behaves as an issued document does and cannot be taken for one.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write, \"-\" for standard output", Required: true},
			&cli.StringFlag{Name: "url", Value: home.DefaultBaseURL + "/v/" + sampleReference, Usage: "`URL` for the QR code"},
		},
		Action: func(c *cli.Context) error {
			if err := exactly(c, 1, "the document"); err != nil {
				return err
			}
			return runStamp(w, c.Args().First(), c.String("out"), c.String("url"))
		},
	}
}

// sampleReference is printed under the code where nothing is issued.
const sampleReference = "VEC-IC-00000000000000000"

func runStamp(w world, in, out, url string) error {
	f, err := os.Open(in)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the document %s cannot be opened; check its name and rights", in))
	}
	defer f.Close()
	source, err := stampSource(f)
	if err != nil {
		return fault.At(in, err)
	}
	tail, err := sampleTail(source, url)
	if err != nil {
		return fault.At(in, err)
	}
	write := func(to io.Writer) error {
		if _, err := io.Copy(to, io.NewSectionReader(source.R, 0, source.Size)); err != nil {
			return err
		}
		_, err := to.Write(tail.Bytes)
		return err
	}
	if out == "-" {
		return write(w.stdout)
	}
	if err := blob.WriteFile(out, 0o644, write); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, out)
	return err
}

// stampSource is the PDF that is to be stamped: the file, or the page made of it
// when it is an image.
func stampSource(f *os.File) (pdf.Source, error) {
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
	if found.Format == pdf.PDF {
		return pdf.Source{R: f, Size: info.Size()}, nil
	}
	var page bytes.Buffer
	if err := pdf.FromImage(&page, f, info.Size()); err != nil {
		return pdf.Source{}, err
	}
	return pdf.Source{R: bytes.NewReader(page.Bytes()), Size: int64(page.Len())}, nil
}

func sampleTail(source pdf.Source, url string) (pdf.Tail, error) {
	now := time.Now()
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "vecctl preview, not issued", now, 1)
	if err != nil {
		return pdf.Tail{}, err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return pdf.Tail{}, err
	}
	return pdf.NewSeal(signer).Tail(source, pdf.Mark{URL: url, Caption: sampleReference, SignedAt: now})
}
