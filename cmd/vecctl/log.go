package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/DeRuina/timberjack"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
)

// newLog creates the agent's log from the settings: text for people, JSON for programs,
// in a file if one is named. The second result closes it.
func newLog(set config.Log, w environment) (*slog.Logger, func() error, error) {
	options := &slog.HandlerOptions{Level: set.Level, ReplaceAttr: redactPaths}

	out, closeOut, people := w.stderr, func() error { return nil }, isTerminal(w.stderr)
	if path := set.File; path != "" {
		file, err := newLogFile(path, set)
		if err != nil {
			return nil, nil, err
		}
		out, closeOut, people = file, file.Close, false
	}
	switch set.Format {
	case "text":
		people = true
	case "json":
		people = false
	}
	if people {
		return slog.New(slog.NewTextHandler(out, options)), closeOut, nil
	}
	return slog.New(slog.NewJSONHandler(out, options)), closeOut, nil
}

// redactPaths removes the names of documents from an error, because many documents are
// named after their recipients. The folder and the extension stay.
func redactPaths(_ []string, a slog.Attr) slog.Attr {
	err, is := a.Value.Any().(error)
	if !is {
		return a
	}
	var paths []string
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		paths = append(paths, pe.Path)
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		paths = append(paths, le.Old, le.New)
	}
	text := err.Error()
	for _, path := range paths {
		switch kind := filepath.Ext(path); strings.ToLower(kind) {
		case ".pdf", ".png", ".jpg", ".jpeg":
			text = strings.ReplaceAll(text, filepath.Base(path), "(a document)"+kind)
		}
	}
	return slog.String(a.Key, text)
}

// newLogFile opens a log file that is rotated by size and every day. Old files are deleted
// by age.
func newLogFile(path string, set config.Log) (io.WriteCloser, error) {
	const kept, mode = 20, 0o600
	// The logger reports no error if it cannot write.
	probe, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, mode)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the log file %s cannot be written (%v); name another one with --log-file", path, rootCause(err)))
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("opening the log file: %w", err)
	}
	return &timberjack.Logger{
		Filename: path, MaxSize: set.MaxSizeMB, MaxAge: set.MaxDays, RotationInterval: 24 * time.Hour,
		MaxBackups: kept, Compression: "gzip", FileMode: mode,
	}, nil
}

// rootCause returns the operating system's error.
func rootCause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
