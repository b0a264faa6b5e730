package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// outputFormat is the format in which results are printed.
type outputFormat string

const (
	formatTable     outputFormat = "table"
	formatJSON      outputFormat = "json"
	formatJSONLines outputFormat = "jsonl"
	formatCSV       outputFormat = "csv"
)

func parseOutputFormat(c *cli.Context) (outputFormat, error) {
	if c.Bool("json") {
		return formatJSON, nil
	}
	switch f := outputFormat(c.String("output")); f {
	case formatTable, formatJSON, formatJSONLines, formatCSV:
		return f, nil
	default:
		return "", usageError("unknown output format %q; use table, json, jsonl or csv", string(f))
	}
}

// orEmpty returns a text that may be missing, as a cell of a table.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// formatTime returns a time that may be missing, as a cell of a table.
func formatTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// formatMoment is a moment in a table; "" where a server did not say it.
func formatMoment(t time.Time) string { return formatTime(client.TimeOrNull(t)) }

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printSecret prints a new object with its secret as JSON. For people it prints the secret
// alone on the last line of stdout, and what it is on stderr.
func printSecret(w environment, f outputFormat, made any, secret, format string, args ...any) error {
	switch f {
	case formatJSON:
		return printJSON(w.stdout, made)
	case formatJSONLines:
		return printLine(w.stdout, made)
	case formatTable, formatCSV:
	}
	printLinef(w, format, args...)
	_, err := fmt.Fprintln(w.stdout, secret)
	return err
}

// list prints rows in an output format: objects in the JSON formats, cells in the others.
type list[T any] struct {
	headings []string
	cells    func(T) []string
}

func (l list[T]) print(w io.Writer, f outputFormat, rows []T) error {
	switch f {
	case formatJSON:
		if rows == nil {
			rows = []T{}
		}
		return printJSON(w, rows)
	case formatJSONLines:
		for _, row := range rows {
			if err := printLine(w, row); err != nil {
				return err
			}
		}
		return nil
	case formatCSV:
		out := csv.NewWriter(w)
		all := [][]string{l.headings}
		for _, row := range rows {
			cells := l.cells(row)
			for i := range cells {
				cells[i] = sheet.EscapeFormula(cells[i])
			}
			all = append(all, cells)
		}
		return out.WriteAll(all)
	case formatTable:
	}
	all := [][]string{upperAll(l.headings)}
	for _, row := range rows {
		all = append(all, l.cells(row))
	}
	return printTable(w, all)
}

func upperAll(words []string) []string {
	out := make([]string, len(words))
	for i, s := range words {
		out[i] = strings.ToUpper(strings.ReplaceAll(s, "_", " "))
	}
	return out
}

// printTable aligns cells by their width on a terminal.
func printTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = oneLine(cell)
			widths[i] = max(widths[i], uniseg.StringWidth(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneLine replaces characters that would break a table or control the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' && r != '\u200f' && r != '\u061c' {
			return ' '
		}
		return r
	}, s)
}

// sanitize is like oneLine, for a text of several lines.
func sanitize(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = oneLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

// printFields prints one object as lines of name and value, or as JSON.
func printFields(w io.Writer, f outputFormat, object any, fields [][2]string) error {
	switch f {
	case formatJSON:
		return printJSON(w, object)
	case formatJSONLines:
		return printLine(w, object)
	case formatCSV:
		out := csv.NewWriter(w)
		var names, values []string
		for _, p := range fields {
			names, values = append(names, p[0]), append(values, sheet.EscapeFormula(p[1]))
		}
		return out.WriteAll([][]string{names, values})
	case formatTable:
	}
	for _, p := range fields {
		if p[1] == "" {
			continue
		}
		label := strings.ReplaceAll(p[0], "_", " ")
		if _, err := fmt.Fprintf(w, "%-18s %s\n", label, oneLine(p[1])); err != nil {
			return err
		}
	}
	return nil
}
