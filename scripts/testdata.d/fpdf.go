//go:build ignore

// Draws one certificate with go-pdf/fpdf: fpdf OUT TITLE TITLE2 NAME DETAILS DATE.
package main

import (
	"log"
	"os"
	"time"

	"github.com/go-pdf/fpdf"
)

func main() {
	if len(os.Args) != 7 {
		log.Fatal("want: OUT TITLE TITLE2 NAME DETAILS DATE")
	}
	title, title2, name, details, date := os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	pdf := fpdf.New("L", "mm", "A4", "")
	pdf.SetCreationDate(time.Date(2026, 3, 26, 9, 0, 0, 0, time.UTC))
	pdf.SetTitle(title, true)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddPage()
	pdf.SetFillColor(243, 249, 243)
	pdf.SetDrawColor(31, 92, 58)
	pdf.SetLineWidth(1.5)
	pdf.Rect(10, 10, 277, 190, "FD")
	pdf.SetLineWidth(0.3)
	pdf.Rect(13, 13, 271, 184, "D")
	pdf.SetFillColor(31, 92, 58)
	pdf.Polygon([]fpdf.PointType{{X: 36, Y: 150}, {X: 50, Y: 158}, {X: 50, Y: 174}, {X: 36, Y: 182}, {X: 22, Y: 174}, {X: 22, Y: 158}}, "F")
	for _, line := range []struct {
		text, font, style string
		size, y           float64
	}{
		{"Ashvale University of Applied Sciences", "Times", "", 20, 32},
		{title, "Times", "B", 32, 60},
		{title2, "Times", "", 18, 74},
		{"This is to certify that", "Times", "I", 13, 95},
		{name, "Times", "", 34, 110},
		{"has fulfilled all requirements and is awarded this document.", "Times", "I", 13, 128},
		{details, "Times", "", 13, 138},
		{"Prof. Imogen Castellane, Registrar", "Helvetica", "", 10, 178},
		{date, "Helvetica", "", 10, 184},
	} {
		pdf.SetFont(line.font, line.style, line.size)
		pdf.SetXY(15, line.y)
		pdf.CellFormat(267, 8, line.text, "", 0, "C", false, 0, "")
	}
	if err := pdf.OutputFileAndClose(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
