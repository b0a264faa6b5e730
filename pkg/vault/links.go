package vault

import (
	"path"
	"strings"
)

// Links are the public addresses of certificates below a vault's base URL.
type Links struct{ base, verify, share string }

// NewLinks returns the links below a base URL. ascii is the same base URL in ASCII
// alone, as a QR code holds it.
func NewLinks(baseURL, ascii string) Links {
	base := strings.TrimRight(baseURL, "/")
	return Links{base: base, verify: strings.TrimRight(ascii, "/") + "/v/", share: base + "/c/"}
}

// Verify returns the address of a verification page, to which the QR code leads.
func (l Links) Verify(reference string) string { return l.verify + reference }

// QRCode returns the address of a picture of the QR code.
func (l Links) QRCode(reference string) string { return l.verify + "qr/" + reference + ".png" }

// Download returns the address at which the API has a verified PDF.
func (l Links) Download(uuid string) string {
	return l.base + "/business/certificate-vault/" + uuid + "/download"
}

// Share returns the address of a certificate's view-and-share page. A certificate
// from before there were such pages has its verification page alone.
func (l Links) Share(c Certificate) string {
	if c.ShareToken == "" {
		return l.Verify(c.Reference)
	}
	return l.share + c.ShareToken
}

// VerifiedFileName returns the file name of a certificate's verified PDF: the name of
// its document, which the registrar knows, and the reference ID, which makes it unique.
func (c Certificate) VerifiedFileName() string {
	stem := strings.TrimSuffix(c.File.Name, path.Ext(c.File.Name))
	const longest = 150 // bytes; file systems take 255 for the whole name
	for len(stem) > longest {
		runes := []rune(stem)
		stem = string(runes[:len(runes)-1])
	}
	return stem + "-" + c.Reference + ".pdf"
}

// ReferenceInFileName returns the reference ID in a name that VerifiedFileName made;
// "" for every other name.
func ReferenceInFileName(name string) string {
	stem, ok := strings.CutSuffix(name, ".pdf")
	if i := strings.LastIndex(stem, "-VEC-"); ok && i >= 0 && IsReference(stem[i+1:]) {
		return stem[i+1:]
	}
	return ""
}
