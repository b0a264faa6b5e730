package ui

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/fault"
)

// writeCSV writes a table as CSV into the folder for exports, row by row, and returns the
// file's path and the number of rows. The file appears whole or not at all.
func (d *Context) writeCSV(ctx context.Context, name string, heading []string, rows func(row func([]string) error) error) (path string, n int, err error) {
	path = filepath.Join(d.Folder, fmt.Sprintf("%s-%s.csv", name, d.Now().In(d.Zone).Format("20060102-150405")))
	temp, err := os.CreateTemp(d.Folder, ".export-*") // only readable by its owner
	if err != nil {
		return "", 0, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s is not writable; start the screen in another folder", d.Folder))
	}
	defer os.Remove(temp.Name())
	out := csv.NewWriter(temp)
	err = out.Write(heading)
	if err == nil {
		err = rows(func(cells []string) error {
			n++
			for i := range cells {
				cells[i] = escapeFormula(cells[i])
			}
			return errors.Join(ctx.Err(), out.Write(cells))
		})
	}
	out.Flush()
	if err := errors.Join(err, out.Error(), temp.Sync(), temp.Close()); err != nil {
		return "", n, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", n, fault.Newf(fault.Conflict, "%s is there already", path)
	}
	return path, n, os.Rename(temp.Name(), path)
}

// ExportCSV exports a table and shows the number of rows. The texts one and many are the
// words for one row and for several.
func (d *Context) ExportCSV(name string, heading []string, one, many string, rows func(ctx context.Context, row func([]string) error) error) tea.Cmd {
	return d.Do(func(ctx context.Context) tea.Msg {
		path, n, err := d.writeCSV(ctx, name, heading, func(row func([]string) error) error { return rows(ctx, row) })
		return ResultMsg{Text: Plural(n, one, many) + " exported to " + path + ".", Err: err}
	})
}

// EachRow returns the rows of a slice.
func EachRow[T any](all []T, cells func(T) []string) func(context.Context, func([]string) error) error {
	return func(_ context.Context, row func([]string) error) error {
		for _, one := range all {
			if err := row(cells(one)); err != nil {
				return err
			}
		}
		return nil
	}
}

// escapeFormula prevents that a spreadsheet runs a cell as a formula.
func escapeFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
