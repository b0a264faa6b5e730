package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/incremental"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Level is how far a file is made to last (ETSI EN 319 142-1).
type Level = verify.Level

// The levels.
const (
	LevelB   = verify.LevelB
	LevelT   = verify.LevelT
	LevelLT  = verify.LevelLT
	LevelLTA = verify.LevelLTA
)

// Preservation is what a valid file has for later years, and what it needs.
type Preservation = verify.Preservation

// Chain are the certificates that the validation of a signature or of a time stamp needs.
type Chain = verify.Chain

// Preserved reads what a valid file has for later years. The certificates in known serve for
// chains besides those that the file has.
func (v *Verifier) Preserved(r io.ReaderAt, size int64, known ...*x509.Certificate) (Preservation, error) {
	return verify.Preserved(r, size, known, v.options)
}

// RevokedError says that a certificate was revoked.
type RevokedError = cms.RevokedError

// OCSPRequest asks for the status of a certificate (RFC 6960).
func OCSPRequest(cert, issuer *x509.Certificate, nonce []byte) ([]byte, error) {
	return cms.OCSPRequest(cert, issuer, nonce)
}

// CheckOCSP judges an answer to an OCSPRequest. It returns until when it is current, zero where
// it does not say, and the certificate of a responder whom the issuer authorised, nil where the
// issuer answered. A certificate that was revoked is a RevokedError.
func CheckOCSP(answer []byte, cert, issuer *x509.Certificate, nonce []byte, now time.Time) (until time.Time, responder *x509.Certificate, err error) {
	a, err := cms.CheckOCSP(answer, cert, issuer, nonce, now)
	if err != nil {
		return time.Time{}, nil, err
	}
	return a.NextUpdate, a.Certificate, nil
}

// CheckCRL judges a revocation list, and returns until when it is current. A certificate that
// is on it is a RevokedError.
func CheckCRL(list []byte, cert, issuer *x509.Certificate, now time.Time) (until time.Time, err error) {
	l, err := cms.CheckCRL(list, cert, issuer, now)
	if err != nil {
		return time.Time{}, err
	}
	return l.NextUpdate, nil
}

// MadeBy reports whether a certificate was made with the key of another.
func MadeBy(c, issuer *x509.Certificate) bool { return cms.MadeBy(c, issuer) }

// ValidationData are the certificates and the proofs of their status that the validation of one
// signature needs.
type ValidationData struct {
	Key          string // as Chain.Key
	Certificates []*x509.Certificate
	OCSPs, CRLs  [][]byte
}

// With returns the data with an OCSP answer and a revocation list; each may be nil.
func (d ValidationData) With(answer, list []byte) ValidationData {
	if answer != nil {
		d.OCSPs = append(slices.Clip(d.OCSPs), answer)
	}
	if list != nil {
		d.CRLs = append(slices.Clip(d.CRLs), list)
	}
	return d
}

// Extension is what is added behind a verified document.
type Extension struct {
	Bytes   []byte
	SHA256  [sha256.Size]byte // of the whole file
	Level   Level             // of the vault's signature with it
	Until   time.Time         // when the certificate of the newest time stamp ends; zero: there is none
	Missing []string          // for the level above
}

// Preserver adds validation data and document time stamps to verified documents. It is safe for
// concurrent use.
type Preserver struct {
	timestamper *Timestamper // nil: no document time stamps
	tokenSize   atomic.Int64
	issuances   cms.Issuances
}

// NewPreserver makes a preserver; without servers it adds no document time stamps.
func NewPreserver(t *Timestamper) *Preserver {
	p := &Preserver{timestamper: t}
	p.tokenSize.Store(firstTokenSize)
	return p
}

// Extend adds validation data to the document of size bytes at r, where there are any, and a
// document time stamp behind them, where that is wanted. Each is an incremental update of its own.
func (p *Preserver) Extend(r io.ReaderAt, size int64, data []ValidationData, stamp bool) (Extension, error) {
	digest := sha256.New()
	if _, err := io.Copy(digest, io.NewSectionReader(r, 0, size)); err != nil {
		return Extension{}, fmt.Errorf("read the document: %w", err)
	}
	x := extension{src: Source{R: r, Size: size}, digest: digest, issuances: &p.issuances}
	if len(data) > 0 {
		if err := x.addData(data); err != nil {
			return Extension{}, err
		}
	}
	if stamp && p.timestamper == nil {
		return Extension{}, errors.New("there is no time stamp server for a document time stamp")
	}
	check := x.check
	if stamp {
		check = func() (Verdict, error) { return x.stampSoundly(p) }
	}
	v, err := check()
	if err != nil {
		return Extension{}, err
	}
	out := Extension{Bytes: x.bytes, Until: v.TimestampUntil, Level: v.Level, Missing: v.Missing}
	if s := v.Signer(); s != nil {
		out.Level, out.Missing = s.Level, s.Missing
	}
	x.digest.Sum(out.SHA256[:0])
	return out, nil
}

// stampSoundly adds a document time stamp. Its field has an annotation on the first page, as
// viewers expect; where the page of an odd document would not be the same afterwards, it has none.
func (x *extension) stampSoundly(p *Preserver) (v Verdict, err error) {
	before, err := x.clone()
	if err != nil {
		return v, err
	}
	n := len(x.bytes)
	for _, shown := range []bool{true, false} {
		if err := x.addTimestamp(p, shown); err != nil {
			return v, err
		}
		if v, err = x.check(); err == nil || !shown {
			break
		}
		x.bytes, x.digest = x.bytes[:n], before
	}
	return v, err
}

// check refuses an extension after which the document would not be valid.
func (x *extension) check() (Verdict, error) {
	r, size := x.whole()
	v, err := verify.File(r, size, verify.Options{Issuances: x.issuances})
	if err == nil && !v.Valid {
		err = fmt.Errorf("the document would not be valid any more: %s", v.Sentence)
	}
	return v, err
}

// extension is a document that grows by updates.
type extension struct {
	src    Source
	bytes  []byte    // the updates so far
	digest hash.Hash // of the document and the updates so far

	issuances *cms.Issuances // what is known of certificates from other documents
}

func (x *extension) whole() (io.ReaderAt, int64) {
	return joined{x.src, x.bytes}, x.src.Size + int64(len(x.bytes))
}

// grow takes an update over.
func (x *extension) grow(update []byte) {
	x.digest.Write(update)
	x.bytes = append(x.bytes, update...)
}

// begin opens the document as it is now for another update.
func (x *extension) begin() (*preserveWriter, error) {
	r, size := x.whole()
	f, err := xref.Open(r, size)
	if err != nil {
		return nil, err
	}
	st := &analysis{f: f, form: f.Get(f.Root, "AcroForm"), signed: true, embeds: isPDFA(f) || accessible.Match(metadata(f))}
	p := &preserveWriter{updateWriter: updateWriter{analysis: st, w: &incremental.Writer{}}}
	if err := p.w.Start(f, rand.Reader, nil); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// addData adds a security store, with all that an earlier one has (ISO 32000-2, 12.8.4.3).
func (x *extension) addData(data []ValidationData) error {
	w, err := x.begin()
	if err != nil {
		return err
	}
	defer w.f.Close()
	if err := w.writeStore(data); err != nil {
		return err
	}
	x.grow(w.w.Bytes)
	return nil
}

// addTimestamp adds a document time stamp (ISO 32000-2, 12.8.5).
func (x *extension) addTimestamp(p *Preserver, shown bool) error {
	room := int(p.tokenSize.Load())
	for {
		update, at, err := x.writeTimestamp(room, shown)
		if err != nil {
			return err
		}
		digest, err := x.clone()
		if err != nil {
			return err
		}
		digest.Write(update[:at.contents])
		digest.Write(update[at.end:])
		var sum [sha256.Size]byte
		digest.Sum(sum[:0])
		der, _, err := p.timestamper.request(sum)
		if err != nil {
			return err
		}
		if next := int64(len(der) + tokenSpare); next > p.tokenSize.Load() || room == firstTokenSize {
			p.tokenSize.Store(next)
		}
		if len(der) > room {
			room = len(der) + tokenSpare
			continue
		}
		hex.Encode(update[at.contents+1:], der)
		x.grow(update)
		return nil
	}
}

// clone is a hash that goes on from the document and its updates so far.
func (x *extension) clone() (hash.Hash, error) {
	kept, ok := x.digest.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the hash's state cannot be kept")
	}
	state, err := kept.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return resumeHash(state)
}

// writeTimestamp writes the update of a document time stamp with room for a token of some bytes;
// shown says that its field has an annotation.
func (x *extension) writeTimestamp(room int, shown bool) ([]byte, signatureOffsets, error) {
	w, err := x.begin()
	if err != nil {
		return nil, signatureOffsets{}, err
	}
	defer w.f.Close()
	h, err := w.writeTimestampField(room, shown)
	if err != nil {
		return nil, h, err
	}
	update := w.w.Bytes
	size := x.src.Size + int64(len(x.bytes))
	numbers := update[h.byteRange : h.byteRange+3*rangeWidth]
	for i, n := range [3]int64{size + int64(h.contents), size + int64(h.end), int64(len(update) - h.end)} {
		copy(numbers[i*rangeWidth:(i+1)*rangeWidth], strconv.AppendInt(make([]byte, 0, rangeWidth), n, 10))
	}
	return update, h, nil
}

// preserveWriter writes one update of a verified document.
type preserveWriter struct{ updateWriter }

// writeStore writes the security store and all that it needs.
func (p *preserveWriter) writeStore(data []ValidationData) error {
	w, old := p.w, p.f.Get(p.f.Root, "DSS")
	s := storeWriter{preserveWriter: p, known: map[[sha256.Size]byte]object.Ref{}}
	var entries bytes.Buffer
	var replaced []string
	oldEntries := p.f.Get(old, "VRI")
	for _, d := range mergeByKey(data) {
		replaced = append(replaced, d.Key)
		before := p.f.Get(oldEntries, d.Key)
		fmt.Fprintf(&entries, "/%s<<", d.Key)
		for _, list := range []struct {
			one, all string
			parts    [][]byte
		}{{"Cert", "Certs", rawCertificates(d.Certificates)}, {"OCSP", "OCSPs", d.OCSPs}, {"CRL", "CRLs", d.CRLs}} {
			refs, err := s.add(list.all, list.parts)
			if err != nil {
				return err
			}
			if kept := references(p.f.Get(before, list.one)); len(kept)+len(refs) > 0 {
				entries.WriteString("/" + list.one)
				entries.Write(appendRefs(nil, unite(kept, refs)))
			}
		}
		entries.WriteString(">>")
	}
	dss := w.NewRef()
	w.Begin(dss)
	w.Raw("<</Type/DSS")
	for i, all := range storeLists {
		if refs := unite(references(p.f.Get(old, all)), s.added[i]); len(refs) > 0 {
			w.Raw("/" + all)
			w.Bytes = appendRefs(w.Bytes, refs)
		}
	}
	w.Raw("/VRI<<")
	if err := w.CopyEntries(oldEntries, replaced); err != nil {
		return err
	}
	w.Bytes = append(w.Bytes, entries.Bytes()...)
	w.Raw(">>>>")
	w.End()
	w.Begin(p.f.RootRef)
	w.Raw("<<")
	if err := w.CopyEntries(p.f.Root, []string{"DSS"}); err != nil {
		return err
	}
	w.Raw("/DSS")
	w.Ref(dss)
	w.Raw(">>")
	w.End()
	return w.Finish(p.fileID())
}

// mergeByKey joins the data of a signature and of its time stamp, which share an entry.
func mergeByKey(data []ValidationData) (merged []ValidationData) {
	for _, d := range data {
		i := slices.IndexFunc(merged, func(m ValidationData) bool { return m.Key == d.Key })
		if i < 0 {
			merged = append(merged, d)
			continue
		}
		m := &merged[i]
		m.Certificates, m.OCSPs, m.CRLs = slices.Concat(m.Certificates, d.Certificates), slices.Concat(m.OCSPs, d.OCSPs), slices.Concat(m.CRLs, d.CRLs)
	}
	return merged
}

func rawCertificates(all []*x509.Certificate) [][]byte {
	raw := make([][]byte, len(all))
	for i, c := range all {
		raw[i] = c.Raw
	}
	return raw
}

// storeLists are the lists of a security store.
var storeLists = [3]string{"Certs", "OCSPs", "CRLs"}

// storeWriter writes what a security store lists, each part once.
type storeWriter struct {
	*preserveWriter
	known map[[sha256.Size]byte]object.Ref
	added [len(storeLists)][]object.Ref
	read  [len(storeLists)]bool
}

// add writes those parts of a list that are not there yet, and returns the references of all.
func (s *storeWriter) add(list string, parts [][]byte) ([]object.Ref, error) {
	i := 0
	for storeLists[i] != list {
		i++
	}
	if !s.read[i] {
		s.read[i] = true
		const most = 8 << 20
		for _, ref := range references(s.f.Get(s.f.Get(s.f.Root, "DSS"), list)) {
			if data, err := s.f.Inflate(s.f.Object(ref), most); err == nil {
				s.known[sha256.Sum256(data)] = ref
			}
		}
	}
	var refs []object.Ref
	for _, part := range parts {
		sum := sha256.Sum256(part)
		ref, ok := s.known[sum]
		if !ok {
			ref = s.w.NewRef()
			if err := s.w.Stream(ref, nil, part); err != nil {
				return nil, err
			}
			s.known[sum] = ref
			s.added[i] = append(s.added[i], ref)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// references are those of an array.
func references(v xref.Value) (refs []object.Ref) {
	for e := range v.Parts() {
		if ref, ok := e.Ref(); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// unite returns the references of both lists, each once.
func unite(a, b []object.Ref) []object.Ref {
	seen := map[object.Ref]bool{}
	var out []object.Ref
	for _, list := range [][]object.Ref{a, b} {
		for _, ref := range list {
			if !seen[ref] {
				seen[ref] = true
				out = append(out, ref)
			}
		}
	}
	return out
}

func appendRefs(b []byte, refs []object.Ref) []byte {
	b = append(b, '[')
	for i, ref := range refs {
		if i > 0 {
			b = append(b, ' ')
		}
		b = object.AppendRef(b, ref)
	}
	return append(b, ']')
}

// writeTimestampField writes a document time stamp in a field of its own that nobody sees.
func (p *preserveWriter) writeTimestampField(room int, shown bool) (signatureOffsets, error) {
	w := p.w
	p.field, p.sig = w.NewRef(), w.NewRef()
	// A document that says that it is accessible has each annotation in its structure, which
	// must not change any more: there the field has no annotation.
	shown = shown && !accessible.Match(metadata(p.f))
	if shown {
		if err := p.writeWidgetPage(); err != nil {
			return signatureOffsets{}, err
		}
	}
	w.Begin(p.field)
	w.Raw("<</FT/Sig/T")
	if err := w.Text(fmt.Sprintf("VEC time stamp %d", p.field.Num)); err != nil {
		return signatureOffsets{}, err
	}
	w.Raw("/V")
	w.Ref(p.sig)
	if shown {
		w.Raw("/Type/Annot/Subtype/Widget/F 132/Rect[0 0 0 0]/P")
		w.Ref(p.pageRef)
		if p.form.Num != 0 {
			w.Raw("/AP<</N")
			w.Ref(p.form)
			w.Raw(">>")
		}
	}
	w.Raw(">>")
	w.End()
	if err := p.writeAcroForm(); err != nil {
		return signatureOffsets{}, err
	}
	h := signatureOffsets{tokenSize: room}
	w.Begin(p.sig)
	w.Raw("<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161/ByteRange[0 ")
	h.byteRange = len(w.Bytes)
	w.Raw(strings.Repeat(" ", 3*rangeWidth) + "]/Contents")
	h.contents = len(w.Bytes)
	w.Raw("<" + strings.Repeat("0", 2*room) + ">")
	h.end = len(w.Bytes)
	w.Raw(">>")
	w.End()
	return h, w.Finish(p.fileID())
}

// writeWidgetPage enters the field's annotation in the first page.
func (p *preserveWriter) writeWidgetPage() error {
	var err error
	if p.page, err = page.Find(p.f, 1); err != nil {
		return err
	}
	if p.pageRef = p.page.Ref; p.pageRef.Num == 0 {
		p.pageRef = p.w.NewRef()
	}
	if p.embeds { // PDF/A wants an appearance even where nothing is to be seen
		p.form = p.w.NewRef()
		if err := p.w.Stream(p.form, []byte("/Type/XObject/Subtype/Form/BBox[0 0 0 0]"), nil); err != nil {
			return err
		}
	}
	if err := p.writePage(); err != nil {
		return err
	}
	return p.writeKids()
}
