package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// filesToVerify resolves the arguments. many says that several files were asked for, even
// where there is one only.
func filesToVerify(args []string, recursive bool) (files []string, many bool, err error) {
	many = len(args) > 1
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err == nil && info.IsDir() {
			found, err := pdfsIn(arg, recursive)
			if err != nil {
				return nil, false, err
			}
			files, many = append(files, found...), true
			continue
		}
		// A file that is not there is an error of the command line, unless it is one of many.
		if err != nil && len(args) == 1 {
			return nil, false, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be opened; check its name and permissions", arg))
		}
		files = append(files, arg)
	}
	if len(files) == 0 {
		return nil, false, usageError("there is no PDF in %s; use -r to look in the folders within", strings.Join(args, ", "))
	}
	return files, many, nil
}

// pdfsIn lists the PDFs of a folder by their names.
func pdfsIn(dir string, recursive bool) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path != dir:
			files = append(files, path) // a folder within that cannot be read is told as that
			return fs.SkipDir
		case err != nil:
			return err
		case d.IsDir() && path != dir && !recursive:
			return fs.SkipDir
		case strings.EqualFold(filepath.Ext(path), ".pdf") && isFile(path, d):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be read; check its permissions", dir))
	}
	return files, nil
}

// isFile reports whether an entry of a folder is to be checked: a file, a link to one, and a
// link that leads to nothing, which becomes an error of that file.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// verifyFiles checks files without a vault, several at a time.
func verifyFiles(ctx context.Context, files []string, by *pdf.Verifier) ([]verdict, error) {
	verdicts := make([]verdict, len(files))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			var buf []byte
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) || ctx.Err() != nil {
					return
				}
				verdicts[i], buf = verifyFile(files[i], by, buf)
			}
		})
	}
	wg.Wait()
	return verdicts, ctx.Err()
}

// maxInMemory is up to which size a file is read at once.
const maxInMemory = 8 << 20

// verifyFile checks a file. buf is memory for it, which is returned for the next.
func verifyFile(path string, by *pdf.Verifier, buf []byte) (verdict, []byte) {
	fail := func(format string, err error) verdict {
		return newVerdict(path, pdf.Verdict{Code: pdf.VerdictUnreadable, Sentence: fmt.Sprintf(format, err)})
	}
	f, err := os.Open(path)
	if err != nil {
		return fail("Not judged: the file cannot be opened: %v.", err), buf
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail("Not judged: the file cannot be read: %v.", err), buf
	}
	var r io.ReaderAt = f
	size := info.Size()
	if size <= maxInMemory {
		if int64(cap(buf)) < size {
			buf = make([]byte, size+size/4)
		}
		n, err := io.ReadFull(f, buf[:size])
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return fail("Not judged: the file cannot be read: %v.", err), buf
		}
		r, size = bytes.NewReader(buf[:n]), int64(n)
	}
	found, err := by.Verify(r, size)
	if err != nil {
		return fail("Not judged: the file cannot be read: %v.", err), buf
	}
	return newVerdict(path, found), buf
}

// readTrust reads the certificates that are to be trusted. It returns nil for none.
func readTrust(sources []string) (*x509.CertPool, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if slices.Contains(sources, "system") {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the certificates that this system trusts cannot be read; name a file or folder with --trust")
		}
	}
	for _, source := range sources {
		if source == "system" {
			continue
		}
		if err := addTrusted(pool, source); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// addTrusted adds the certificates of a file, or of the files of a folder.
func addTrusted(pool *x509.CertPool, source string) error {
	paths := []string{source}
	info, err := os.Stat(source)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the trusted certificates %s cannot be opened; check the name and permissions", source))
	}
	if info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(source, "*")); err != nil {
			return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be read", source))
		}
	}
	added := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			if info.IsDir() {
				continue // a folder within
			}
			return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the trusted certificates %s cannot be read", path))
		}
		added += addCertificates(pool, data)
	}
	if added == 0 {
		return usageError("there is no certificate in %s; use PEM or DER", source)
	}
	return nil
}

// addCertificates adds the certificates in PEM or DER and returns how many there are.
func addCertificates(pool *x509.CertPool, data []byte) int {
	if c, err := x509.ParseCertificate(data); err == nil {
		pool.AddCert(c)
		return 1
	}
	added := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			pool.AddCert(c)
			added++
		}
	}
	return added
}
