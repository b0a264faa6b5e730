package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	maxUnzipped = 96 << 20 // of the parts that are read
	maxParts    = 5000
)

// strippedWorkbook is a workbook with the parts alone that are read.
type strippedWorkbook struct {
	archive bytes.Buffer
	scans   map[string]*sheetScan // by the sheet's part, in lower case
	styles  []byte
}

// stripWorkbook copies the parts of a workbook that hold cells into a new archive, each
// unpacked within bounds. Pictures, charts, comments and the like stay out: they
// are not read, and they are where hostile files keep their surprises.
func stripWorkbook(archive *zip.Reader, rows int) (*strippedWorkbook, error) {
	if len(archive.File) > maxParts {
		return nil, invalidError("the workbook has more than %d parts: copy the table into a new workbook, or %s", maxParts, saveAs)
	}
	out := &strippedWorkbook{scans: map[string]*sheetScan{}}
	w := zip.NewWriter(&out.archive)
	left := int64(maxUnzipped)
	var seen []string
	for _, f := range archive.File {
		name := strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/")
		low := strings.ToLower(name)
		if !isNeeded(low) || slices.Contains(seen, low) {
			continue
		}
		seen = append(seen, low)
		data, err := unpack(f, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(data))
		if err := checkPart(low, data, rows); err != nil {
			return nil, err
		}
		if strings.HasPrefix(low, "xl/worksheets/") {
			if out.scans[low], err = scanXML(data); err != nil {
				return nil, err
			}
		}
		if low == "xl/styles.xml" {
			out.styles = data
		}
		part, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = part.Write(data)
		}
		if err != nil {
			return nil, invalidError(damaged)
		}
	}
	if err := w.Close(); err != nil {
		return nil, invalidError(damaged)
	}
	return out, nil
}

// isNeeded reports whether a part, by its name in lower case, is read.
func isNeeded(name string) bool {
	switch name {
	case "[content_types].xml", "_rels/.rels", "xl/sharedstrings.xml", "xl/styles.xml":
		return true
	}
	if !strings.HasSuffix(name, ".xml") && !strings.HasSuffix(name, ".rels") {
		return false
	}
	dir, _, _ := strings.Cut(strings.TrimPrefix(name, "xl/"), "/")
	switch {
	case !strings.HasPrefix(name, "xl/"), strings.Contains(name, "worksheets/_rels/"):
		return false
	case dir == "worksheets", dir == "theme", dir == "_rels", strings.HasPrefix(dir, "workbook"):
		return true
	}
	return false
}

// unpack reads one part, at most left bytes long.
func unpack(f *zip.File, left int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, invalidError(damaged)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, left+1))
	switch {
	case int64(len(data)) > left:
		return nil, invalidError("the workbook unpacks to more than %d MB: copy the table into a new workbook, or %s", maxUnzipped>>20, saveAs)
	case err != nil:
		return nil, invalidError(damaged)
	}
	return data, nil
}

// checkPart refuses parts that would be read only in part, or that the library
// would turn into far more memory than a manifest of so many rows needs.
func checkPart(name string, data []byte, rows int) error {
	sheet := strings.HasPrefix(name, "xl/worksheets/")
	if !sheet && bytes.Count(data, []byte("<")) > 100_000+40*rows {
		return invalidError("the workbook has more texts or styles than %d rows can use: copy the table into a new workbook, or %s", rows, saveAs)
	}
	if bytes.Contains(data[:min(len(data), 4096)], []byte("<!DOCTYPE")) {
		return invalidError(damaged)
	}
	if trimmed := bytes.TrimRight(data, " \t\r\n\x00"); len(trimmed) == 0 || trimmed[len(trimmed)-1] != '>' {
		return invalidError(damaged)
	}
	return nil
}

// sheetPart is the XML of a sheet of cells and the name of its part; nil for any
// other sheet, such as a chart.
func sheetPart(f *excelize.File, sheet string) (content []byte, name string) {
	if f.WorkBook == nil {
		return nil, ""
	}
	id := ""
	for _, s := range f.WorkBook.Sheets.Sheet {
		if s.Name == sheet {
			id = s.ID
		}
	}
	var links struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	data, _ := f.Pkg.Load("xl/_rels/workbook.xml.rels")
	text, _ := data.([]byte)
	if xml.Unmarshal(text, &links) != nil {
		return nil, ""
	}
	for _, l := range links.Relationship {
		target := path.Join("xl", l.Target)
		if strings.HasPrefix(l.Target, "/") {
			target = l.Target[1:]
		}
		part, _ := f.Pkg.Load(target)
		if content, ok := part.([]byte); ok && l.ID == id && strings.HasPrefix(target, "xl/worksheets/") {
			return content, strings.ToLower(target)
		}
	}
	return nil, ""
}

// mergedRange is a merged range of cells: a value in the left column, for all its rows.
type mergedRange struct{ column, top, bottom int }

// mergedRanges lists a sheet's merged ranges of more than one row.
func mergedRanges(data []byte) ([]mergedRange, error) {
	const most = 10_000
	start := bytes.Index(data, []byte("<mergeCells"))
	if start < 0 {
		return nil, nil
	}
	var areas []mergedRange
	d := xml.NewDecoder(bytes.NewReader(data[start:]))
	for {
		token, err := d.RawToken()
		if err != nil {
			return areas, nil
		}
		e, ok := token.(xml.StartElement)
		if end, is := token.(xml.EndElement); is && end.Name.Local == "mergeCells" {
			return areas, nil
		}
		if !ok || e.Name.Local != "mergeCell" {
			continue
		}
		for _, attr := range e.Attr {
			if a, ok := parseRange(attr.Value); ok && attr.Name.Local == "ref" {
				areas = append(areas, a)
			}
		}
		if len(areas) > most {
			return nil, invalidError("the sheet has more than %d merged cells: unmerge them", most)
		}
	}
}

// parseRange reads a range such as A2:B9.
func parseRange(ref string) (mergedRange, bool) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return mergedRange{}, false
	}
	column, top, err := excelize.CellNameToCoordinates(from)
	if err != nil {
		return mergedRange{}, false
	}
	_, bottom, err := excelize.CellNameToCoordinates(to)
	return mergedRange{column: column - 1, top: top, bottom: bottom}, err == nil && bottom > top
}
