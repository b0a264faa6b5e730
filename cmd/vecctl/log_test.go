package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestTheLogNamesNoDocument(t *testing.T) {
	t.Parallel()
	const name = "Anna Kowalska"
	for _, test := range []struct {
		err  error
		says string
	}{
		{&fs.PathError{Op: "open", Path: "/home/drop/" + name + ".PDF", Err: syscall.EACCES}, "open /home/drop/(a document).PDF: permission denied"},
		{&fs.PathError{Op: "openat", Path: name + ".pdf", Err: syscall.EIO}, "openat (a document).pdf: "},
		{&os.LinkError{Op: "rename", Old: "/in/" + name + ".jpg", New: "/failed/" + name + ".jpg", Err: syscall.ENOSPC},
			"rename /in/(a document).jpg /failed/(a document).jpg: no space left"},
		{&fs.PathError{Op: "open", Path: "/home/keys/signing.pem", Err: syscall.EACCES}, "open /home/keys/signing.pem: permission denied"},
		{syscall.EIO, "input/output error"},
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: redactPaths}))
		log.Error("it failed", "error", fmt.Errorf("moving: %w", test.err))
		if !strings.Contains(out.String(), test.says) || strings.Contains(out.String(), name) {
			t.Errorf("%v: the log says %s", test.err, out.String())
		}
	}
}
