package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/vecctl/vecctl/pkg/template"
)

// benchTemplate makes certificates of the degree template, against fpdf setting
// the same texts in the same fonts with nothing shared between documents. fpdf
// cannot take over the background, so it is spared that.
func benchTemplate(s setup, t *table) error {
	dir, err := os.MkdirTemp("", "template")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := template.BundledFiles("degree")
	if err != nil {
		return err
	}
	if err := (template.Dir{Path: dir}).Add("degree", files); err != nil {
		return err
	}
	degree, err := (template.Dir{Path: dir}).Load("degree")
	if err != nil {
		return err
	}
	row := degree.SampleRow()
	row["full_name"] = "Zoë Ångström-Łukasik"
	page, err := degree.Render(row)
	if err != nil {
		return err
	}
	fonts, err := fs.Sub(os.DirFS(dir), "degree")
	if err != nil {
		return err
	}
	took, err := interleaved(s.shortRounds(), contender{300, func() error {
		_, err := degree.Render(row)
		return err
	}}, contender{10, func() error { return printAlone(fonts, row) }})
	if err != nil {
		return err
	}
	t.faster("a degree certificate of a template, against fpdf's texts alone", took[0], took[1], 5, millis)
	background, err := os.Stat(filepath.Join(dir, "degree", "background.pdf"))
	if err != nil {
		return err
	}
	t.below("KB of it above its background", once(float64(int64(len(page))-background.Size())/1000), 60, plain)
	return nil
}

// printAlone sets a certificate's texts with fpdf, from the font files on.
func printAlone(dir fs.FS, row map[string]string) error {
	doc := fpdf.New("L", "mm", "A4", "")
	doc.SetCreationDate(time.Unix(0, 0))
	for _, name := range []string{"Regular", "Bold"} {
		font, err := fs.ReadFile(dir, "NotoSerif-"+name+".ttf")
		if err != nil {
			return err
		}
		doc.AddUTF8FontFromBytes(name, "", font)
	}
	doc.AddPage()
	y := 23.0
	for _, line := range []struct {
		font string
		size float64
		text string
	}{
		{"Bold", 22, row["institution"]}, {"Regular", 30, "Degree Certificate"}, {"Regular", 13, "This is to certify that"},
		{"Bold", 38, row["full_name"]}, {"Regular", 13, "has been awarded"}, {"Bold", 24, row["certificate_title"]},
		{"Regular", 12, row["details"]}, {"Regular", 13, "31 May 2026"}, {"Regular", 12, row["registrar"]},
		{"Regular", 12, row["president"]}, {"Regular", 9, "Registrar"}, {"Regular", 9, "President"},
	} {
		doc.SetFont(line.font, "", line.size)
		doc.SetXY(30, y)
		doc.CellFormat(237, 12, line.text, "", 0, "C", false, 0, "")
		y += 13
	}
	var out bytes.Buffer
	return doc.Output(&out)
}
