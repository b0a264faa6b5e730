package sheet

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
)

const saveAs = "save it as .xlsx or as CSV (UTF-8) and try again"

// Read finds out what kind of file the data are, by content, and reads it. Its
// errors are of kind fault.Invalid and do not name the file.
func Read(data []byte, opts Options) (*Sheet, error) {
	switch {
	case len(data) > MaxBytes:
		return nil, invalidError("the file is larger than %d MB: split it", MaxBytes>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, invalidError("the file is empty: it needs a line of headings and one row for each certificate")
	}
	if err := checkHidden(opts.Hidden); err != nil {
		return nil, err
	}
	if strange := otherFormat(data); strange != "" {
		return nil, invalidError("this is %s", strange)
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return readZip(data, opts)
	}
	return readCSV(data, opts)
}

// otherFormat names a file that is no manifest, and says what to do; "" when it may be one.
func otherFormat(data []byte) string {
	has := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	start := strings.ToLower(string(bytes.TrimLeft(data[:min(len(data), 512)], "\xef\xbb\xbf \t\r\n")))
	switch {
	case has("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		// Both live in the same container; a protected one has a stream of this
		// name, in UTF-16 ([MS-OFFCRYPTO] 1.3.2).
		if bytes.Contains(data, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
			return "a workbook with a password: take the password off in the spreadsheet program, save, and try again"
		}
		return "a workbook of the old Excel format (.xls): " + saveAs
	case has("%PDF-"):
		return "a PDF, not a manifest: give the CSV or XLSX file that lists the certificates"
	case has("\x89PNG"), has("\xff\xd8\xff"):
		return "an image, not a manifest: give the CSV or XLSX file that lists the certificates"
	case has("\x1f\x8b"), has("7z\xbc\xaf"), has("Rar!"), has("PK\x05\x06"):
		return "an archive: unpack it and give the CSV or XLSX file in it"
	case strings.HasPrefix(start, "<?xml"), strings.HasPrefix(start, "<html"), strings.HasPrefix(start, "<!doctype"), strings.HasPrefix(start, "<table"):
		return "a web page or an XML file, whatever its name says: open it in a spreadsheet program and " + saveAs
	case strings.HasPrefix(start, "{\\rtf"):
		return "a text document: " + saveAs
	case has("\xff\xfe\x00\x00"), has("\x00\x00\xfe\xff"):
		return "text in UTF-32: save it as UTF-8 and try again"
	}
	return ""
}

// readZip reads an XLSX workbook, and names the other spreadsheet files that
// are zip archives too.
func readZip(data []byte, opts Options) (*Sheet, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, invalidError("the workbook is damaged or cut off: save it as a new file and try again")
	}
	workbook := false
	for _, f := range archive.File {
		switch name := strings.ToLower(f.Name); {
		case name == "mimetype" && contains(f, "opendocument.spreadsheet") && !contains(f, "template"):
			return readODS(archive, opts)
		case name == "mimetype" && contains(f, "opendocument"):
			return nil, invalidError("this is a LibreOffice or OpenOffice document, not a spreadsheet: give a CSV or XLSX file")
		case strings.HasSuffix(name, "workbook.bin"):
			return nil, invalidError("this is a binary workbook (.xlsb): %s", saveAs)
		case strings.HasSuffix(name, ".iwa"):
			return nil, invalidError("this is an Apple Numbers spreadsheet: export it as .xlsx or CSV and try again")
		case strings.HasPrefix(name, "word/"):
			return nil, invalidError("this is a Word document, not a spreadsheet: give a CSV or XLSX file")
		case strings.HasPrefix(name, "xl/"):
			workbook = true
		}
	}
	if !workbook {
		return nil, invalidError("this is an archive, not a workbook: unpack it and give the CSV or XLSX file in it")
	}
	return readWorkbook(archive, opts)
}

// contains reports whether the beginning of an archive's file contains the text.
func contains(f *zip.File, text string) bool {
	r, err := f.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	start, _ := io.ReadAll(io.LimitReader(r, 256))
	return bytes.Contains(start, []byte(text))
}
