// Package reject names the reasons for which a document cannot be verified.
package reject

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Reason is a stable code: it appears in reports and in JSON, and never
// changes its meaning.
type Reason string

// The reasons. REFUSALS.md beside package pdf says what to do about each.
const (
	Empty            Reason = "empty"
	NotPDF           Reason = "not_pdf"
	UnsupportedImage Reason = "unsupported_image"
	ImageTooLarge    Reason = "image_too_large"
	DamagedImage     Reason = "damaged_image"
	Truncated        Reason = "truncated"
	Damaged          Reason = "damaged"
	Endless          Reason = "endless"
	NoPages          Reason = "no_pages"
	NoSuchPage       Reason = "no_such_page"
	PageTooSmall     Reason = "page_too_small"
	Encrypted        Reason = "encrypted"
	UnknownHandler   Reason = "unknown_encryption"
	NotPermitted     Reason = "not_permitted"
	ChangesForbidden Reason = "changes_forbidden"
	BrokenSignature  Reason = "broken_signature"
	XFAOnly          Reason = "xfa_only"
	TooComplex       Reason = "too_complex"
	BadMark          Reason = "bad_mark"
	BadPlace         Reason = "bad_place"
)

// remedies are what a person can do about each reason, appended to the message.
var remedies = map[Reason]string{
	Empty:            "Export the document again and make sure that the copy is complete.",
	NotPDF:           "Export the document as PDF, or send a JPEG or PNG image.",
	UnsupportedImage: "Save the image as JPEG or PNG.",
	ImageTooLarge:    "Scale the image down to at most 40 megapixels, no side longer than 65,535 pixels.",
	DamagedImage:     "Open the image in an editor and save it again as JPEG or PNG.",
	Truncated:        "The end of the file is missing: copy or export it again.",
	Damaged:          "Open it in a PDF viewer and print or save it as a new PDF.",
	Endless:          "Open it in a PDF viewer and print or save it as a new PDF.",
	NoPages:          "Export the document again with at least one page.",
	NoSuchPage:       "Name a page that the document has.",
	PageTooSmall:     "Use a page on which a QR code of at least 8 mm fits.",
	Encrypted:        "Save a copy that opens without a password.",
	UnknownHandler:   "Save a copy without encryption.",
	NotPermitted:     "Ask its author for a copy that permits changes, or allow such documents in the settings.",
	ChangesForbidden: "Ask its signer for a copy that is not locked.",
	BrokenSignature:  "Ask its signer for a copy as it was signed, or print it to a new PDF.",
	XFAOnly:          "Print the form to a plain PDF and send that.",
	TooComplex:       "Print it to a new, plain PDF.",
	BadMark:          "Shorten the link or the caption.",
	BadPlace:         "Choose a place and a size with which the code lies on the page.",
}

// Reasons lists every reason with its remedy, in the order of the constants.
func Reasons() []Reason {
	return []Reason{Empty, NotPDF, UnsupportedImage, ImageTooLarge, DamagedImage, Truncated, Damaged, Endless, NoPages,
		NoSuchPage, PageTooSmall, Encrypted, UnknownHandler, NotPermitted, ChangesForbidden, BrokenSignature, XFAOnly, TooComplex, BadMark, BadPlace}
}

// Remedy is what a person can do about a reason: one sentence.
func (r Reason) Remedy() string { return remedies[r] }

// Rejection says why a document cannot be verified. It is an error of the kind
// fault.Invalid.
type Rejection struct { //nolint:errname // it is an answer to a person first, and an error by the way
	Reason  Reason
	Message string // what is wrong and what to do: sentences for a person
	fault   *fault.Error
}

// New refuses for a reason; what says what is wrong in this document, as a
// sentence without the final stop.
func New(reason Reason, what string) *Rejection {
	message := what + ". " + remedies[reason]
	return &Rejection{Reason: reason, Message: message, fault: fault.New(fault.Invalid, message)}
}

// Newf is New with a format.
func Newf(reason Reason, format string, args ...any) *Rejection {
	return New(reason, fmt.Sprintf(format, args...))
}

// Error is the message.
func (r *Rejection) Error() string { return r.Message }

// Unwrap gives the error of package fault, so that its kind and message are
// found by fault.KindOf and fault.Message.
func (r *Rejection) Unwrap() error { return r.fault }
