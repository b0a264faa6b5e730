package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/skip2/go-qrcode"

	"github.com/vecctl/vecctl/pkg/pdf"
)

const (
	stampSmall = 50_000
	stampLarge = 20 * 1000 * 1000
	link       = "https://certificates.example.edu/v/VEC-IC-202667DAE48425BAD"
)

// benchStamp stamps and signs in this process, against pdfcpu's stamp of a QR
// code, which signs nothing.
func benchStamp(s setup, t *table) error {
	seal, err := newSeal()
	if err != nil {
		return err
	}
	small, large := newOriginal(1, stampSmall), newOriginal(2, stampLarge)
	took, err := interleaved(s.shortRounds(),
		contender{1000, func() error { return small.seal(seal) }}, contender{10, small.pdfcpu},
		contender{100, func() error { return large.seal(seal) }}, contender{2, large.pdfcpu})
	if err != nil {
		return err
	}
	ourSmall, ourLarge := took[0], took[2]
	t.faster("stamp and sign 50 KB, against pdfcpu's stamp", ourSmall, took[1], 15, millis)
	if err := benchReal(s, t, seal); err != nil {
		return err
	}
	t.faster("stamp and sign 20 MB, against pdfcpu's stamp", ourLarge, took[3], 15, millis)
	t.atMost("stamp and sign 20 MB, against our 50 KB", ourLarge, ourSmall, 1.5, millis)
	rate, err := throughput(seal, small, 3*time.Second)
	if err != nil {
		return err
	}
	t.above(fmt.Sprintf("documents a second on %d processors", runtime.GOMAXPROCS(0)), once(rate), 2000, plain)
	t.below("allocations a document", once(testing.AllocsPerRun(500, func() { _ = small.seal(seal) })), 200, plain)
	return nil
}

// benchReal does the same to a certificate that a word processor made: it has the
// objects that fonts and pictures bring, which the made-up one has not.
func benchReal(s setup, t *table, seal *pdf.Stamper) error {
	body, err := os.ReadFile(filepath.Join(s.root, "testdata", "spring-2026", "documents", "lefevre-archive.pdf"))
	if err != nil {
		return err
	}
	o := originalOf(body)
	took, err := interleaved(s.shortRounds(), contender{1000, func() error { return o.seal(seal) }}, contender{10, o.pdfcpu})
	if err != nil {
		return err
	}
	t.faster(fmt.Sprintf("the same to a real one of %d KB", len(body)/1000), took[0], took[1], 15, millis)
	return nil
}

func newSeal() (*pdf.Stamper, error) {
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "Example University", time.Now(), 1)
	if err != nil {
		return nil, err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return nil, err
	}
	return pdf.NewStamper(signer), nil
}

// original is a document with the hash state that intake keeps.
type original struct {
	body  []byte
	state []byte
	qr    []byte // a PNG for the peer
}

func newOriginal(seed uint64, size int) original { return originalOf(document(seed, size)) }

func originalOf(body []byte) original {
	o := original{body: body}
	hash := sha256.New()
	hash.Write(o.body)
	o.state, _ = hash.(encoding.BinaryMarshaler).MarshalBinary()
	o.qr, _ = qrcode.Encode(link, qrcode.Medium, 256)
	return o
}

func (o original) seal(seal *pdf.Stamper) error {
	_, err := seal.Stamp(
		pdf.Source{R: bytes.NewReader(o.body), Size: int64(len(o.body)), HashState: o.state},
		pdf.Stamp{URL: link, Caption: "VEC-IC-202667DAE48425BAD", SignedAt: time.Now()})
	return err
}

// pdfcpu stamps the document; the code's picture is made already.
func (o original) pdfcpu() error {
	mark, err := api.ImageWatermarkForReader(bytes.NewReader(o.qr), "pos:br, scale:0.1 rel, rot:0", true, false, types.POINTS)
	if err != nil {
		return err
	}
	return api.AddWatermarks(bytes.NewReader(o.body), io.Discard, []string{"1"}, mark, model.NewDefaultConfiguration())
}

// throughput counts documents a second with one worker a processor.
func throughput(seal *pdf.Stamper, o original, d time.Duration) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var work sync.WaitGroup
	begun := time.Now()
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for time.Since(begun) < d {
				if err := o.seal(seal); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	work.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), nil
}
