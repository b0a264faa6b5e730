package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zlib"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/incremental"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Stamper makes updates. It is safe for concurrent use.
type Stamper struct {
	signer     *Signer
	qrEncoder  qr.Encoder
	inField    bool
	override   bool
	timestamps *Timestamper // nil: no time stamps
	tokenSize  atomic.Int64
	scratch    sync.Pool // of *scratch
}

// StamperOption changes how a Stamper works.
type StamperOption func(*Stamper)

// WithVisibleSignature makes the code the signature field's appearance instead
// of a part of the page. Documents that are signed already always get it so,
// because their signatures permit signing but not changing a page.
func WithVisibleSignature() StamperOption { return func(s *Stamper) { s.inField = true } }

// WithRestricted also takes documents whose permissions forbid changes and that
// open without a password. The institution must have the right to.
func WithRestricted() StamperOption { return func(s *Stamper) { s.override = true } }

// WithTimestamps has time stamp servers vouch for the time of every signature. Where none
// gives a time stamp, the signature comes without, and Update.TimestampError says why.
func WithTimestamps(t *Timestamper) StamperOption { return func(s *Stamper) { s.timestamps = t } }

// Tokens of one server are about as long as each other: the first one gets
// plenty of room, the others as much as it took. Where several servers are asked, each gets
// plenty, since the next token may be another server's.
const (
	firstTokenSize = 8 << 10
	tokenSpare     = 128
)

// NewStamper makes a stamper that signs with s.
func NewStamper(s *Signer, opts ...StamperOption) *Stamper {
	seal := &Stamper{signer: s}
	for _, o := range opts {
		o(seal)
	}
	if seal.timestamps != nil {
		seal.tokenSize.Store(firstTokenSize)
	}
	return seal
}

// scratch is the memory that making one tail needs, kept for the next.
type scratch struct {
	w      incremental.Writer
	buf    []byte // of w
	draw   []byte
	packed bytes.Buffer
	zlib   *zlib.Writer
}

// deflateLevel is where smaller does not get much smaller.
const deflateLevel = 6

func newScratch() *scratch {
	z, _ := zlib.NewWriterLevel(io.Discard, deflateLevel) // the level is valid
	return &scratch{zlib: z}
}

// deflate compresses data; the result is good until the next call.
func (d *scratch) deflate(data []byte) ([]byte, error) {
	d.packed.Reset()
	d.zlib.Reset(&d.packed)
	if _, err := d.zlib.Write(data); err != nil {
		return nil, fmt.Errorf("compress a part of the document: %w", err)
	}
	if err := d.zlib.Close(); err != nil {
		return nil, fmt.Errorf("compress a part of the document: %w", err)
	}
	return d.packed.Bytes(), nil
}

// Stamp makes the update that turns the original src into a verified document.
// A document that cannot be verified is refused with a *Rejection.
func (s *Stamper) Stamp(src Source, m Stamp) (Update, error) {
	if err := m.check(); err != nil {
		return Update{}, err
	}
	code, err := s.qrEncoder.Encode(m.URL)
	if err != nil {
		return Update{}, reject.Newf(reject.BadMark, "The link does not fit into a QR code (%v)", err)
	}
	f, err := xref.Open(src.R, src.Size)
	if err != nil {
		return Update{}, err
	}
	defer f.Close()
	st, err := analyze(f, m.Page, s.override)
	if err != nil {
		return Update{}, err
	}
	layout, err := st.placeCode(m, code, &ground{analysis: st, r: src.R, size: src.Size})
	if err != nil {
		return Update{}, err
	}
	d, ok := s.scratch.Get().(*scratch)
	if !ok {
		d = newScratch()
	}
	defer s.scratch.Put(d)
	u := updateWriter{stamper: s, analysis: st, scratch: d, w: &d.w, stamp: m, code: code, layout: layout}
	holes, err := u.write()
	d.buf = d.w.Bytes
	if err != nil {
		return Update{}, err
	}
	of := st.info()
	t := Update{Bytes: bytes.Clone(d.w.Bytes), Lost: u.lost, Place: toPlace(layout, st.page.Number, code.Size),
		Pages: max(of.Pages, st.page.Number), WidthMM: of.WidthMM, HeightMM: of.HeightMM}
	if err := s.sign(&t, src, holes); err != nil {
		return Update{}, err
	}
	if st.signed || verify.WasSigned(src.R, f) {
		if err := checkSurvives(src, t); err != nil {
			return Update{}, err
		}
	}
	return t, nil
}

func (m *Stamp) check() error {
	if m.SizeMM == 0 {
		m.SizeMM = DefaultSizeMM
	}
	if m.MarginMM == 0 {
		m.MarginMM = DefaultMarginMM
	}
	var err error
	if m.URL, err = qr.Link(m.URL); err != nil {
		return err
	}
	switch {
	case m.URL == "":
		return reject.New(reject.BadMark, "There is no link to put into the QR code")
	case !stamp.Printable(m.Caption):
		return reject.Newf(reject.BadMark, "The caption %.40q has characters beyond ASCII", m.Caption)
	case !(m.SizeMM >= 8 && m.SizeMM <= 200 && m.MarginMM >= 0 && m.MarginMM <= 200):
		return reject.New(reject.BadPlace, "The code's size or margin is out of range: 8 to 200 mm, and 0 to 200 mm")
	}
	return nil
}

func (m *Stamp) spec() stamp.Spec {
	return stamp.Spec{Side: m.SizeMM, Margin: m.MarginMM, Caption: m.Caption,
		Absolute: m.Corner == Absolute, X: m.XMM, Y: m.YMM,
		Right: m.Corner == BottomRight || m.Corner == TopRight || m.Corner == Auto, Top: m.Corner == TopRight || m.Corner == TopLeft}
}

func toPlace(l stamp.Layout, number, modules int) Place {
	return Place{Page: number, Modules: modules,
		X: (l.X + l.CodeX) / l.PageW, Y: (l.PageH - l.Y - l.CodeY - l.Side) / l.PageH,
		W: l.Side / l.PageW, H: l.Side / l.PageH}
}

// signatureOffsets are the places in a tail that the signature fills.
type signatureOffsets struct {
	byteRange int // where the three numbers behind "[0 " begin
	contents  int // where "<" stands
	end       int // behind ">"
	tokenSize int // bytes of it that are a time stamp's
}

// rangeWidth is the room for each number of a ByteRange.
const rangeWidth = 10

// sign fills the holes. The hash of the original is not computed again where
// its state was kept.
func (s *Stamper) sign(t *Update, src Source, h signatureOffsets) error {
	size, end := src.Size, src.Size+int64(len(t.Bytes))
	numbers := t.Bytes[h.byteRange : h.byteRange+3*rangeWidth]
	for i, n := range [3]int64{size + int64(h.contents), size + int64(h.end), end - size - int64(h.end)} {
		field := numbers[i*rangeWidth : (i+1)*rangeWidth]
		copy(field, strconv.AppendInt(make([]byte, 0, rangeWidth), n, 10))
	}
	state, err := src.hashState()
	if err != nil {
		return err
	}
	digest, err := resumeHash(state)
	if err != nil {
		return err
	}
	digest.Write(t.Bytes[:h.contents])
	digest.Write(t.Bytes[h.end:])
	var sum [32]byte
	digest.Sum(sum[:0])
	var signature []byte
	signature, t.TimestampError, err = s.signer.cms.Sign(rand.Reader, sum, s.timestampFunc(h.tokenSize, &t.TimestampUntil))
	if err != nil {
		return err
	}
	t.SignedBytes, t.original, t.contents = sum, state, [2]int{h.contents, h.end}
	return t.place(signature)
}

// place writes a signature into its place and hashes the file with it.
func (t *Update) place(signature []byte) error {
	room := t.Bytes[t.contents[0]+1 : t.contents[1]-1]
	if 2*len(signature) > len(room) {
		return fmt.Errorf("the signature of %d bytes does not fit its place of %d", len(signature), len(room)/2)
	}
	for i := range room[hex.Encode(room, signature):] {
		room[2*len(signature)+i] = '0'
	}
	digest, err := resumeHash(t.original)
	if err != nil {
		return err
	}
	digest.Write(t.Bytes)
	digest.Sum(t.SHA256[:0])
	t.signature = signature
	return nil
}

// WithLogProof returns the update with a log proof in its signature, of the same length. What
// is signed stays as it is.
func (t Update) WithLogProof(proof []byte) (Update, error) {
	signature, err := cms.SetLogProof(t.signature, proof)
	if err != nil {
		return Update{}, err
	}
	t.Bytes = bytes.Clone(t.Bytes)
	return t, t.place(signature)
}

// timestampFunc asks for a time stamp that fits into room bytes, and notes when its certificate
// ends.
func (s *Stamper) timestampFunc(room int, until *time.Time) cms.TimestampFunc {
	if s.timestamps == nil {
		return nil
	}
	return func(digest [32]byte) ([]byte, error) {
		token, read, err := s.timestamps.request(digest)
		if err != nil {
			return nil, err
		}
		if next := int64(len(token) + tokenSpare); s.timestamps.single && (next > s.tokenSize.Load() || room == firstTokenSize) {
			s.tokenSize.Store(next)
		}
		if len(token) > room {
			return nil, fmt.Errorf("the time stamp of %d bytes does not fit its place of %d", len(token), room)
		}
		*until = read.Certificate.NotAfter
		return token, nil
	}
}

// resumeHash is a hash that goes on where one of the given state stopped.
func resumeHash(state []byte) (hash.Hash, error) {
	digest := sha256.New()
	if restore, ok := digest.(encoding.BinaryUnmarshaler); ok {
		if err := restore.UnmarshalBinary(state); err != nil {
			return nil, fmt.Errorf("continue the original's hash: %w", err)
		}
	}
	return digest, nil
}

// hashState is the kept state of the original's hash, or that of reading it now.
func (src Source) hashState() ([]byte, error) {
	if src.HashState != nil {
		return src.HashState, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(src.R, 0, src.Size)); err != nil {
		return nil, fmt.Errorf("hash the original: %w", err)
	}
	kept, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the hash's state cannot be kept")
	}
	return kept.MarshalBinary()
}
