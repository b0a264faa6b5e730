package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// document makes a valid one-page PDF of about a size: a line of text, and a
// stream that does not compress, as a picture's would not.
func document(seed uint64, size int) []byte {
	return page(fmt.Sprintf("BT /F1 24 Tf 100 700 Td (Certificate %d) Tj ET", seed), size, seed)
}

// page is a document with some content.
func page(text string, size int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	junk := make([]byte, size-800)
	for i := range junk {
		junk[i] = byte(random.Uint32())
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(junk), junk),
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// batch makes a manifest of so many rows with its documents, unless it is there
// already, and returns the folder.
func batch(dir string, rows, size int) (string, error) {
	return manifestFolder(dir, fmt.Sprintf("batch-%d-%d", rows, size), rows, func(i int) (row, file string, pdf []byte) {
		file = fmt.Sprintf("certificate-%d.pdf", i)
		return fmt.Sprintf("Certificate of Achievement,Person Number %d,person%d@example.org,2026-06-01,%s", i, i, file), file, document(uint64(i), size)
	})
}

// manifestFolder makes a manifest of so many rows with its documents, unless it is there
// already, and returns the folder.
func manifestFolder(dir, name string, rows int, each func(i int) (row, file string, document []byte)) (string, error) {
	folder := filepath.Join(dir, name)
	manifest := filepath.Join(folder, "manifest.csv")
	if _, err := os.Stat(manifest); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	var table bytes.Buffer
	table.WriteString("certificate_title,full_name,applicant_email,issue_date,file\n")
	for i := range rows {
		row, file, document := each(i)
		table.WriteString(row + "\n")
		if err := os.WriteFile(filepath.Join(folder, file), document, 0o600); err != nil {
			return "", err
		}
	}
	return folder, os.WriteFile(manifest, table.Bytes(), 0o600)
}
