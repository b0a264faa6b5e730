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
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zlib"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/mark"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/revision"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Seal makes tails. It is safe for concurrent use.
type Seal struct {
	signer    *Signer
	codes     qr.Encoder
	inField   bool
	override  bool
	server    *cms.Server // nil: no time stamps
	tokenRoom atomic.Int64
	desks     sync.Pool // of *desk
}

// SealOption changes how a Seal works.
type SealOption func(*Seal)

// WithVisibleSignature makes the code the signature field's appearance instead
// of a part of the page. Documents that are signed already always get it so,
// because their signatures permit signing but not changing a page.
func WithVisibleSignature() SealOption { return func(s *Seal) { s.inField = true } }

// WithRestricted also takes documents whose permissions forbid changes and that
// open without a password. The institution must have the right to.
func WithRestricted() SealOption { return func(s *Seal) { s.override = true } }

// WithTimestamps has the RFC 3161 server at url vouch for the time of every
// signature. Where it fails or does not answer within 10 seconds, the signature
// comes without, and Tail.TimestampError says why.
func WithTimestamps(client *http.Client, url string) SealOption {
	return func(s *Seal) { s.server = &cms.Server{Client: client, URL: url} }
}

// Tokens of one server are about as long as each other: the first one gets
// plenty of room, the others as much as it took.
const (
	firstToken = 8 << 10
	tokenSpare = 128
)

// NewSeal makes a seal that signs with s.
func NewSeal(s *Signer, opts ...SealOption) *Seal {
	seal := &Seal{signer: s}
	for _, o := range opts {
		o(seal)
	}
	if seal.server != nil {
		seal.server.Rand = rand.Reader
		seal.tokenRoom.Store(firstToken)
	}
	return seal
}

// desk is the memory that making one tail needs, kept for the next.
type desk struct {
	w      revision.Writer
	buf    []byte // of w
	draw   []byte
	packed bytes.Buffer
	zlib   *zlib.Writer
}

// deflateLevel is where smaller does not get much smaller.
const deflateLevel = 6

func newDesk() *desk {
	z, _ := zlib.NewWriterLevel(io.Discard, deflateLevel) // the level is valid
	return &desk{zlib: z}
}

// deflate compresses data; the result is good until the next call.
func (d *desk) deflate(data []byte) ([]byte, error) {
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

// Tail makes the update that turns the original src into a verified document.
// A document that cannot be verified is refused with a *Refusal.
func (s *Seal) Tail(src Source, m Mark) (Tail, error) {
	if err := m.check(); err != nil {
		return Tail{}, err
	}
	code, err := s.codes.Encode(m.URL)
	if err != nil {
		return Tail{}, refusal.Newf(refusal.BadMark, "The link does not fit into a QR code (%v)", err)
	}
	f, err := xref.Open(src.R, src.Size)
	if err != nil {
		return Tail{}, err
	}
	defer f.Close()
	st, err := examine(f, m.Page, s.override)
	if err != nil {
		return Tail{}, err
	}
	layout, err := st.lay(m, code)
	if err != nil {
		return Tail{}, err
	}
	d, ok := s.desks.Get().(*desk)
	if !ok {
		d = newDesk()
	}
	defer s.desks.Put(d)
	u := update{seal: s, study: st, desk: d, w: &d.w, mark: m, code: code, layout: layout}
	holes, err := u.write()
	d.buf = d.w.Bytes
	if err != nil {
		return Tail{}, err
	}
	t := Tail{Bytes: bytes.Clone(d.w.Bytes), Place: place(layout, st.page.Number, code.Size)}
	if err := s.sign(&t, src, holes); err != nil {
		return Tail{}, err
	}
	return t, nil
}

func (m *Mark) check() error {
	if m.SizeMM == 0 {
		m.SizeMM = UsualSizeMM
	}
	if m.MarginMM == 0 {
		m.MarginMM = UsualMarginMM
	}
	var err error
	if m.URL, err = qr.Link(m.URL); err != nil {
		return err
	}
	switch {
	case m.URL == "":
		return refusal.New(refusal.BadMark, "There is no link to put into the QR code")
	case !mark.Printable(m.Caption):
		return refusal.Newf(refusal.BadMark, "The caption %.40q has characters beyond ASCII", m.Caption)
	case !(m.SizeMM >= 8 && m.SizeMM <= 200 && m.MarginMM >= 0 && m.MarginMM <= 200):
		return refusal.New(refusal.BadPlace, "The code's size or margin is out of range: 8 to 200 mm, and 0 to 200 mm")
	}
	return nil
}

func (m *Mark) spec() mark.Spec {
	return mark.Spec{Side: m.SizeMM, Margin: m.MarginMM, Caption: m.Caption,
		Free: m.Corner == Free, X: m.XMM, Y: m.YMM,
		Right: m.Corner == BottomRight || m.Corner == TopRight || m.Corner == Auto, Top: m.Corner == TopRight || m.Corner == TopLeft}
}

func place(l mark.Layout, number, modules int) Place {
	return Place{Page: number, Modules: modules,
		X: (l.X + l.CodeX) / l.PageW, Y: (l.PageH - l.Y - l.CodeY - l.Side) / l.PageH,
		W: l.Side / l.PageW, H: l.Side / l.PageH}
}

// holes are the places in a tail that the signature fills.
type holes struct {
	byteRange int // where the three numbers behind "[0 " begin
	contents  int // where "<" stands
	end       int // behind ">"
	room      int // bytes of it that are a time stamp's
}

// rangeWidth is the room for each number of a ByteRange.
const rangeWidth = 10

// sign fills the holes. The hash of the original is not computed again where
// its state was kept.
func (s *Seal) sign(t *Tail, src Source, h holes) error {
	size, end := src.Size, src.Size+int64(len(t.Bytes))
	numbers := t.Bytes[h.byteRange : h.byteRange+3*rangeWidth]
	for i, n := range [3]int64{size + int64(h.contents), size + int64(h.end), end - size - int64(h.end)} {
		field := numbers[i*rangeWidth : (i+1)*rangeWidth]
		copy(field, strconv.AppendInt(make([]byte, 0, rangeWidth), n, 10))
	}
	state, err := src.state()
	if err != nil {
		return err
	}
	digest, err := resumed(state)
	if err != nil {
		return err
	}
	digest.Write(t.Bytes[:h.contents])
	digest.Write(t.Bytes[h.end:])
	var sum [32]byte
	digest.Sum(sum[:0])
	var signature []byte
	signature, t.TimestampError, err = s.signer.cms.Sign(rand.Reader, sum, s.stamper(h.room))
	if err != nil {
		return err
	}
	if 2*len(signature) > h.end-h.contents-2 {
		return fmt.Errorf("the signature of %d bytes does not fit its place", len(signature))
	}
	hex.Encode(t.Bytes[h.contents+1:], signature)
	if digest, err = resumed(state); err != nil {
		return err
	}
	digest.Write(t.Bytes)
	digest.Sum(t.SHA256[:0])
	return nil
}

// stamper asks for a time stamp that fits into room bytes.
func (s *Seal) stamper(room int) cms.Stamper {
	if s.server == nil {
		return nil
	}
	return func(digest [32]byte) ([]byte, error) {
		token, err := s.server.Stamp(digest)
		if err != nil {
			return nil, err
		}
		if next := int64(len(token) + tokenSpare); next > s.tokenRoom.Load() || room == firstToken {
			s.tokenRoom.Store(next)
		}
		if len(token) > room {
			return nil, fmt.Errorf("the time stamp of %d bytes does not fit its place of %d", len(token), room)
		}
		return token, nil
	}
}

// resumed is a hash that goes on where one of the given state stopped.
func resumed(state []byte) (hash.Hash, error) {
	digest := sha256.New()
	if restore, ok := digest.(encoding.BinaryUnmarshaler); ok {
		if err := restore.UnmarshalBinary(state); err != nil {
			return nil, fmt.Errorf("continue the original's hash: %w", err)
		}
	}
	return digest, nil
}

// state is the kept state of the original's hash, or that of reading it now.
func (src Source) state() ([]byte, error) {
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
