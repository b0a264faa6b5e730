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

// newLog makes the agent's log as the settings say: text for people, JSON for
// programs, into a file where one is named. The second result closes it.
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

// redactPaths takes the names of documents out of an error, since many are named
// after their recipients; their folder and kind stay.
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

// newLogFile opens a log file that gets another name when it has grown too large or
// is a day old; old ones go by age.
func newLogFile(path string, set config.Log) (io.WriteCloser, error) {
	const kept, mode = 20, 0o600
	// A log that cannot be written would fall silent without a word.
	probe, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, mode)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the log file %s cannot be written (%v); name another with --log-file", path, rootCause(err)))
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("opening the log file: %w", err)
	}
	return &timberjack.Logger{
		Filename: path, MaxSize: set.MaxSizeMB, MaxAge: set.MaxDays, RotationInterval: 24 * time.Hour,
		MaxBackups: kept, Compression: "gzip", FileMode: mode,
	}, nil
}

// rootCause is the operating system's word for an error.
func rootCause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
