"""One function a maker: makes a row's PDF with one producer's own means."""

import os
import pathlib
import subprocess

import cairo
import img2pdf
from PIL import Image
from reportlab.pdfgen import canvas

import images
import layout

HERE = pathlib.Path(__file__).parent
# Documents made again on another day should say the same date.
EPOCH = "1774515600"
ENV = dict(os.environ, SOURCE_DATE_EPOCH=EPOCH, FORCE_SOURCE_DATE="1", TZ="UTC", LC_ALL="C.UTF-8")


def run(*command, cwd=None, stdin=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=ENV, input=stdin, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr).decode(errors='replace')[-3000:]}")
    return done.stdout


def source(page, template, escape, work, **more):
    path = work / ("source" + pathlib.Path(template).suffix)
    path.write_text(layout.fill(template, escape, page.values() | more), encoding="utf-8")
    return path


# LibreOffice

def office(page, template, options, work, out):
    path = source(page, template, layout.escape_xml, work)
    kind = "impress" if template.endswith("fodp") else "writer"
    target = f"pdf:{kind}_pdf_Export" + (":" + options if options else "")
    run("libreoffice", f"-env:UserInstallation=file://{work.parent}/office", "--headless", "--convert-to", target,
        "--outdir", work, path)
    path.with_suffix(".pdf").rename(out)


def writer(page, work, out):
    office(page, "certificate.fodt", "", work, out)


def writer_pdfa1(page, work, out):
    office(page, "certificate.fodt", '{"SelectPdfVersion":{"type":"long","value":"1"}}', work, out)


def writer_pdfa2(page, work, out):
    office(page, "certificate.fodt", '{"SelectPdfVersion":{"type":"long","value":"2"}}', work, out)


def impress(page, work, out):
    office(page, "certificate.fodp", "", work, out)


# Web pages

def chromium(page, work, out):
    path = source(page, "certificate.html", layout.escape_xml, work)
    run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
        f"--user-data-dir={work}/profile", f"--print-to-pdf={out}", path.as_uri())


def wkhtmltopdf(page, work, out):
    path = source(page, "certificate.html", layout.escape_xml, work)
    run("wkhtmltopdf", "-q", "-s", page.paper, "-O", "Landscape" if page.landscape else "Portrait",
        "-T", 0, "-B", 0, "-L", 0, "-R", 0, "--disable-smart-shrinking", "--dpi", 96, path, out)


def weasyprint(page, work, out):
    run("weasyprint", source(page, "certificate.html", layout.escape_xml, work), out)


def weasyprint_transcript(page, work, out):
    terms = layout.html_terms(page)
    run("weasyprint", source(page, "transcript.html", layout.escape_xml, work, terms=terms), out)


# Cairo

def rsvg(page, work, out):
    run("rsvg-convert", "-f", "pdf", "-o", out, source(page, "certificate.svg", layout.escape_xml, work))


def cairo_direct(page, work, out):
    surface = cairo.PDFSurface(str(out), page.width, page.height)
    surface.set_metadata(cairo.PDFMetadata.TITLE, page.title)
    surface.set_metadata(cairo.PDFMetadata.CREATE_DATE, "2026-03-26T09:00:00Z")
    ctx = cairo.Context(surface)
    dark = [int(page.dark[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    gradient = cairo.RadialGradient(page.width / 2, page.height / 2, 50, page.width / 2, page.height / 2, page.height)
    gradient.add_color_stop_rgb(0, 1, 1, 1)
    gradient.add_color_stop_rgb(1, .8, .9, .8)
    ctx.set_source(gradient)
    ctx.paint()
    ctx.set_source_rgb(*dark)
    for step in range(0, 180, 6):
        ctx.save()
        ctx.translate(page.width / 2, 190)
        ctx.rotate(step * 3.14159 / 90)
        ctx.rectangle(40, -1, 30, 2)
        ctx.fill()
        ctx.restore()
    for text, size, y in [("Ashvale University", 30, .12), ("of Applied Sciences", 16, .155), (page.title, 30, .42),
                          (page.name, 44, .55), (page.details, 18, .6), (page.date, 14, .86),
                          ("Prof. Imogen Castellane, Registrar", 12, .88)]:
        ctx.select_font_face("DejaVu Serif")
        ctx.set_font_size(size)
        ctx.move_to((page.width - ctx.text_extents(text).width) / 2, y * page.height)
        ctx.show_text(text)
    surface.finish()


# TeX

T1 = "\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n\\usepackage{lmodern}"
UNICODE = "\\documentclass[12pt]{article}\n\\usepackage{fontspec}\n\\setmainfont{Noto Serif}"


def tex(program, page, template, preamble, work, out, terms=""):
    path = source(page, template, layout.escape_tex, work, preamble=preamble, terms=terms)
    for _ in range(2):  # the second run knows where the page's corners are
        run(program, "-interaction=batchmode", "-halt-on-error", path.name, cwd=work)
    path.with_suffix(".pdf").rename(out)


def pdflatex(page, work, out):
    tex("pdflatex", page, "certificate.tex", "\\documentclass[12pt]{article}\n" + T1, work, out)


def pdflatex_classic(page, work, out):
    classic = "\\pdfminorversion=4 \\pdfobjcompresslevel=0\n\\documentclass[12pt]{article}\n"
    tex("pdflatex", page, "certificate.tex", classic + T1, work, out)


def xelatex(page, work, out):
    tex("xelatex", page, "certificate.tex", UNICODE, work, out)


def xelatex_transcript(page, work, out):
    tex("xelatex", page, "transcript.tex", UNICODE, work, out, layout.tex_terms(page))


def pandoc(page, work, out):
    path = source(page, "letter.md", str, work)
    run("pandoc", path, "--pdf-engine=pdflatex", "-V", f"papersize={page.paper.lower()}", "-V", "geometry:margin=30mm",
        "-o", out)


# PostScript and its ancestors

def distil(postscript, paper, out):
    run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", f"-sPAPERSIZE={paper.lower()}",
        f"-sOutputFile={out}", "-", stdin=postscript)


def ghostscript(page, work, out):
    distil(layout.fill("certificate.ps", layout.escape_ps, page.values()).encode("latin-1"), page.paper, out)


def groff(page, work, out):
    path = source(page, "transcript.ms", str, work, terms=layout.groff_terms(page))
    out.write_bytes(run("groff", "-K", "utf8", "-t", "-ms", "-Tpdf", "-P", f"-p{page.paper.lower()}", path))


def enscript(page, work, out):
    text = layout.plain_transcript(page).encode("latin-1")
    postscript = run("enscript", "-q", "-B", "-M", page.paper, "-f", "Courier11", "-o", "-", stdin=text)
    lines = [line for line in postscript.splitlines(True) if not line.startswith((b"%%For:", b"%%Title:", b"%%Creator:"))]
    distil(b"".join(lines), page.paper, out)


# Drawing libraries

def draw_reportlab(pdf, page):
    """Draws the page upright from the lower left corner."""
    w, h = page.width, page.height
    pdf.setTitle(page.title)
    pdf.setFillColor(page.pale)
    pdf.setStrokeColor(page.dark)
    pdf.setLineWidth(4)
    pdf.roundRect(28, 28, w - 56, h - 56, 14, fill=1)
    pdf.setFillColor(page.dark)
    pdf.circle(100, 105, 40, stroke=0, fill=1)
    title_size = min(30, w * 1.6 / len(page.title1))
    for text, font, size, y in [("Ashvale University of Applied Sciences", "Helvetica", 18, .83),
                                (page.title1, "Helvetica-Bold", title_size, .68), (page.title2, "Helvetica", 16, .62),
                                ("This is to certify that", "Helvetica-Oblique", 12, .52),
                                (page.name, "Times-Roman", page.name_size, .43),
                                ("has fulfilled all requirements.", "Helvetica-Oblique", 12, .37),
                                (page.details, "Helvetica", 12, .32), ("Prof. Imogen Castellane, Registrar", "Helvetica", 10, .13),
                                (page.date, "Helvetica", 10, .1)]:
        pdf.setFont(font, size)
        pdf.drawCentredString(w / 2, h * y, text)


def reportlab(page, work, out):
    pdf = canvas.Canvas(str(out), pagesize=(page.width, page.height), invariant=1)
    draw_reportlab(pdf, page)
    pdf.showPage()
    pdf.save()


def reportlab_rotated(page, work, out):
    """A portrait sheet that viewers turn by 90 degrees."""
    # The library swaps the sides of a page that it rotates.
    pdf = canvas.Canvas(str(out), pagesize=(page.width, page.height), invariant=1)
    pdf.setPageRotation(90)
    pdf.translate(page.height, 0)
    pdf.rotate(90)
    draw_reportlab(pdf, page)
    pdf.showPage()
    pdf.save()


def reportlab_cropbox(page, work, out):
    """A sheet with bleed and crop marks; the visible part starts at 40, 60."""
    w, h = page.width, page.height
    pdf = canvas.Canvas(str(out), pagesize=(w + 80, h + 120), cropBox=(40, 60, 40 + w, 60 + h), invariant=1)
    for x in (40, 40 + w):
        pdf.line(x, 0, x, 30)
        pdf.line(x, h + 90, x, h + 120)
    for y in (60, 60 + h):
        pdf.line(0, y, 20, y)
        pdf.line(w + 60, y, w + 80, y)
    pdf.translate(40, 60)
    draw_reportlab(pdf, page)
    pdf.showPage()
    pdf.save()


def fpdf(page, work, out):
    run("go", "run", "./scripts/testdata.d/fpdf.go", out, page.title1, page.title2, page.name, page.details, page.date,
        cwd=HERE.parent.parent)


# Documents that another program has rewritten or added to

def qpdf_objstm_linear(page, work, out):
    chromium(page, work, work / "first.pdf")
    run("qpdf", "--deterministic-id", "--linearize", "--object-streams=generate", work / "first.pdf", out)


def qpdf_linear(page, work, out):
    rsvg(page, work, work / "first.pdf")
    run("qpdf", "--deterministic-id", "--linearize", "--object-streams=disable", work / "first.pdf", out)


def updated(page, work, out):
    """A document with an incremental update of its own: new document information."""
    reportlab(page, work, out)
    data = out.read_bytes()
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    trailer = data[data.rindex(b"trailer"):]
    number = int(trailer.split(b"/Size")[1].split()[0])
    root = trailer.split(b"/Root")[1].split()[0].decode()
    info = f"{number} 0 obj\n<< /Title (Reissued copy) /Producer (Ashvale records office) >>\nendobj\n".encode()
    xref = f"xref\n{number} 1\n{len(data):010} 00000 n \n".encode()
    end = (f"trailer\n<< /Size {number + 1} /Root {root} 0 R /Info {number} 0 R /Prev {start} >>\n"
           f"startxref\n{len(data) + len(info)}\n%%EOF\n").encode()
    out.write_bytes(data + info + xref + end)


# Scans

def tiff2pdf(page, work, out):
    Image.open(images.scan(page, work)).save(work / "scan.tiff", dpi=(100, 100))
    run("tiff2pdf", "-j", "-q", 70, "-o", out, "-e", "20260504090000", work / "scan.tiff")


def img2pdf_scan(page, work, out):
    Image.open(images.scan(page, work)).convert("L").save(work / "scan.jpg", quality=70, dpi=(100, 100))
    out.write_bytes(img2pdf.convert(str(work / "scan.jpg")))


def pillow(page, work, out):
    Image.open(images.scan(page, work)).save(out, resolution=100, quality=70, title=page.title)


MAKERS = {f.__name__: f for f in (
    writer, writer_pdfa1, writer_pdfa2, impress, chromium, wkhtmltopdf, weasyprint, weasyprint_transcript, rsvg, pdflatex,
    pdflatex_classic, xelatex, xelatex_transcript, pandoc, ghostscript, groff, enscript, reportlab, reportlab_rotated,
    reportlab_cropbox, fpdf, qpdf_objstm_linear, qpdf_linear, updated, tiff2pdf, pillow)}
MAKERS |= {"cairo": cairo_direct, "img2pdf": img2pdf_scan} | images.MAKERS
