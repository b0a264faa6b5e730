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

// writeCSV writes a table as CSV into the folder of exports, row by row, and returns
// the file's path and how many rows it has. The file appears whole or not at all.
func (d *Context) writeCSV(ctx context.Context, name string, heading []string, rows func(row func([]string) error) error) (path string, n int, err error) {
	path = filepath.Join(d.Folder, fmt.Sprintf("%s-%s.csv", name, d.Now().In(d.Zone).Format("20060102-150405")))
	temp, err := os.CreateTemp(d.Folder, ".export-*") // readable by its owner alone
	if err != nil {
		return "", 0, fault.Wrap(fault.Invalid, err, fmt.Sprintf("nothing can be written into %s; start the screen in a folder of your own", d.Folder))
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

// ExportCSV exports a table and says how many rows it has, in words for one of them and
// for more.
func (d *Context) ExportCSV(name string, heading []string, one, many string, rows func(ctx context.Context, row func([]string) error) error) tea.Cmd {
	return d.Do(func(ctx context.Context) tea.Msg {
		path, n, err := d.writeCSV(ctx, name, heading, func(row func([]string) error) error { return rows(ctx, row) })
		return ResultMsg{Text: Plural(n, one, many) + " exported to " + path + ".", Err: err}
	})
}

// EachRow makes a row of each of some things, for Save.
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

// escapeFormula keeps a spreadsheet from running a cell as a formula.
func escapeFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
