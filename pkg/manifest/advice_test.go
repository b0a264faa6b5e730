package manifest

import "testing"

func TestFileAdvice(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"say which is meant with --date-format DD/MM/YYYY or --date-format MM/DD/YYYY.": "say which is meant with the line `date_format: DD/MM/YYYY` in manifest.yaml or the line `date_format: MM/DD/YYYY` in manifest.yaml.",
		`with --map, such as --map "What=certificate_title" --map "A + B=full_name"`:    "with `map` in manifest.yaml, such as the line `map: {What: certificate_title, \"A + B\": full_name}` in manifest.yaml",
		`use --sheet "Sheet 2".`:                    "use the line `sheet: \"Sheet 2\"` in manifest.yaml.",
		"with --hidden read (issue them) or":        "with the line `hidden: read` in manifest.yaml (issue them) or",
		"let it pass with --names warn":             "let it pass with the line `names: warn` in manifest.yaml",
		`--map "Say \"hi\"=title"`:                  "the line `map: {\"Say \\\"hi\\\"\": title}` in manifest.yaml",
		"nothing is advised; a -- b":                "nothing is advised; a -- b",
		"--encoding windows-1250, or save it again": "the line `encoding: windows-1250` in manifest.yaml, or save it again",
	} {
		if got := FileAdvice(message); got != want {
			t.Errorf("%s\n%s\nwant\n%s", message, got, want)
		}
	}
}
