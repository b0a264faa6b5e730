package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLicences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		want  string // "" for an error
	}{
		"MIT":            {map[string]string{"LICENSE": "Permission is hereby granted, free of charge, to any person obtaining a copy"}, "MIT"},
		"two":            {map[string]string{"LICENSE": "Apache License\n Version 2.0", "LICENSE.MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy"}, "Apache-2.0 and MIT"},
		"none":           {map[string]string{"README.md": "MIT"}, ""},
		"a copyleft one": {map[string]string{"COPYING": "GNU GENERAL PUBLIC LICENSE Version 3"}, ""},
		"one of two":     {map[string]string{"LICENSE": "Apache License\n Version 2.0", "LICENSE.other": "All rights reserved."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := licenceOf(dir)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
