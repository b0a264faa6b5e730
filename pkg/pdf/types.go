// Package pdf turns a document into a verified one and judges verified ones.
//
// A verified document is the original's bytes, unchanged, followed by a tail:
// one incremental update (ISO 32000-1, 7.5.6) that draws a QR code with a
// caption on a page and signs the whole file (PAdES B-B, ETSI EN 319 142-1).
// Only the tail is made here; the original is read in a few places and never
// copied.
package pdf

import (
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// Reason is the stable code of a refusal.
type Reason = reject.Reason

// Rejection says why a document cannot be verified, and what to do. Its kind is
// fault.Invalid.
type Rejection = reject.Rejection //nolint:errname // it is an answer to a person first, and an error by the way

// Reasons for a refusal that lie in where the code was asked to go.
const (
	NoSuchPage = reject.NoSuchPage
	BadPlace   = reject.BadPlace
)

// BrokenSignature is the reason for a refusal of a document whose signature does not hold.
const BrokenSignature = reject.BrokenSignature

// Info is what Inspect found out about a document.
type Info struct {
	Format    Format
	Pages     int     // 1 for an image
	WidthMM   float64 // of the first page as a reader sees it, in millimetres
	HeightMM  float64
	Encrypted bool // opens without a password, but is encrypted
	Signed    bool // carries signatures already; they stay valid
	Repaired  bool // its cross-reference is damaged and was rebuilt by a scan
}

// Source is an original: Size bytes at R. HashState is the state that
// crypto/sha256's MarshalBinary gives after exactly these bytes; when it is
// nil, the engine reads and hashes the bytes itself.
type Source struct {
	R         io.ReaderAt
	Size      int64
	HashState []byte
}

// Corner is a corner of the page as a reader sees it.
type Corner uint8

// The corners; the zero value is the bottom right one.
const (
	BottomRight Corner = iota
	BottomLeft
	TopRight
	TopLeft
	Auto     // the first of them that is empty on the page; where none is, the bottom right one
	Absolute // no corner: XMM and YMM say the place
)

// Stamp is what is put on the page.
type Stamp struct {
	URL      string    // what the QR code says, in the form that qr.Link gives it
	Caption  string    // printed under the code; usually the reference ID
	SignedAt time.Time // the signature's time
	Page     int       // from 1; 0 is the first page, LastPage the last one
	SizeMM   float64   // side of the code without its quiet zone; 0 is 22
	MarginMM float64   // distance of code and caption from the page's edges; 0 is 8
	Corner   Corner
	XMM, YMM float64 // with Absolute: from the page's top left corner to the code's, as a reader sees them
	Name     string  // who signs, for viewers; empty: the certificate's common name
	Reason   string  // why, for viewers; may be empty
	// Log is the public key of the log that the document will be entered in, as verifiers of
	// signed notes take it. The signature covers it. Empty: no log.
	Log string
}

// Update is what turns an original into a verified document.
type Update struct {
	Bytes  []byte   // follows the original's bytes
	SHA256 [32]byte // of the original and the tail together
	Place  Place    // where the code was drawn

	Pages             int     // of the document
	WidthMM, HeightMM float64 // of the code's page as a reader sees it

	// Lost is a standard that the document said it keeps, as PDF/UA, and does not say any more,
	// because the update would make that untrue; empty: there is none.
	Lost string

	// TimestampError says why no time stamp of the configured server is in the
	// signature, nil when there is one or none was asked for. The signature is
	// valid without it.
	TimestampError error
	// TimestampUntil is when the certificate of the time stamp ends; zero: there is none.
	TimestampUntil time.Time

	// SignedBytes is the SHA-256 of what the signature covers.
	SignedBytes [32]byte
	original    []byte // the state of the original's hash
	contents    [2]int // where "<" stands, and what follows ">"
	signature   []byte // in DER
}

// Place is where a code lies on its page as a reader sees it. All lengths are
// parts of the page's width or height as shown, from the top left corner, so
// that they hold in a picture of any resolution.
type Place struct {
	Page       int // from 1
	X, Y, W, H float64
	Modules    int // modules along a side, without the quiet zone
}

// LastPage stands for the number of a document's last page.
const LastPage = page.Last
