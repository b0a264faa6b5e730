"""What stands on a certificate, and the templates that lay it out."""

import datetime
import html
import pathlib
import re

HERE = pathlib.Path(__file__).parent
SIZES = {"A4": (595, 842), "Letter": (612, 792)}  # in points
MM = 25.4 / 72
# Dark and pale colour of a document, one pair for each kind of award.
COLOURS = {
    "Bachelor": ("#1d3a6e", "#f4f6fb"),
    "Diploma": ("#7a1f2b", "#fdf6f2"),
    "Certificate": ("#1f5c3a", "#f3f9f3"),
    "Academic": ("#333344", "#eeeef4"),
    "Doctor": ("#5b2a6b", "#f8f3fa"),
    "Trade": ("#7a4a10", "#fbf5ea"),
    "Short": ("#8a6a00", "#fffbe8"),
}
COURSES = """Foundations I; Foundations II; Academic Writing; Statistics for Practice; Workshop Safety;
Materials and Methods; Measurement; Applied Ethics; Project Planning; Field Placement; Colloquium;
Elective: Local History; Data Handling; Quality and Audit; Reading Course; Capstone""".split(";")


class Page:
    """One row of the batch as numbers and texts that templates can use."""

    def __init__(self, row):
        self.row = row
        self.paper, self.landscape = row["paper"][:-1], row["paper"].endswith("L")
        self.width, self.height = SIZES[self.paper][:: -1 if self.landscape else 1]
        self.title, self.name, self.details = row["certificate_title"], row["full_name"], row["details"]
        self.date = f"{datetime.date.fromisoformat(row['issue_date']):%-d %B %Y}"
        self.dark, self.pale = next((c for k, c in COLOURS.items() if self.title.startswith(k)), ("#333344", "#eeeef4"))
        self.title1, self.title2 = split_title(self.title)
        self.name_size = min(34, int(self.width * 1.55 / max(len(self.name), 12)))

    def values(self):
        """The values of every template but the courses."""
        w, h = self.width, self.height
        fraction = lambda f: round(h * f, 1)
        return {
            "title": self.title, "title1": self.title1, "title2": self.title2, "name": self.name,
            "details": self.details.replace("\n", ". "), "date": self.date, "dark": self.dark, "pale": self.pale,
            "dark_hex": self.dark[1:].upper(), "pale_hex": self.pale[1:].upper(),
            "dark_rgb": ps_colour(self.dark), "pale_rgb": ps_colour(self.pale),
            "width": w, "height": h, "cx": w / 2, "inner_w": w - 48, "inner_h": h - 48,
            "inner2_w": w - 66, "inner2_h": h - 66, "text_w": w - 120,
            "width_mm": round(w * MM, 1), "height_mm": round(h * MM, 1),
            "css_size": f"{self.paper} {'landscape' if self.landscape else 'portrait'}",
            "papersize": f"{self.paper.lower()}paper{',landscape' if self.landscape else ''}",
            "gap": "1cm" if self.landscape else "2.5cm", "opacity": 1,
            "title_size": min(34, int(w * 1.5 / len(self.title1))), "name_size": self.name_size,
            "y_head": fraction(.16), "y_sub": fraction(.195), "y_title": fraction(.32), "y_title2": fraction(.37),
            "y_certify": fraction(.46), "y_name": fraction(.545), "y_line": fraction(.57), "y_text": fraction(.62),
            "y_details": fraction(.665), "y_seal": h - 95, "y_sign": h - 85, "line1": w * .2, "line2": w * .8,
        }

    def terms(self, count=4):
        """The courses of a transcript: terms of (code, course, credits, grade)."""
        for term in range(1, count + 1):
            seed = len(self.name) * 7 + term
            yield term, [(f"AU{term}{i:02}", course.strip(), 3 + (seed + i) % 4, "ABBACAB"[(seed * i) % 7])
                         for i, course in enumerate(COURSES, 1)]


def split_title(title):
    """Breaks a long title where people would."""
    for sep in (": ", " in ", " of "):
        if sep in title:
            first, second = title.split(sep, 1)
            return first, second if sep == ": " else sep.strip() + " " + second
    return title, ""


def ps_colour(colour):
    return " ".join(f"{int(colour[i:i + 2], 16) / 255:.3f}" for i in (1, 3, 5))


def fill(template, escape, values):
    """The template's text with each @key@ replaced by its escaped value."""
    text = (HERE / "templates" / template).read_text(encoding="utf-8")
    raw = {"preamble", "terms", "gap"}
    return re.sub(r"@(\w+)@", lambda m: str(values[m[1]]) if m[1] in raw else escape(str(values[m[1]])), text)


def escape_xml(text):
    return html.escape(text, quote=True)


def escape_tex(text):
    return re.sub(r"([&%$#_{}])", r"\\\1", text)


def escape_ps(text):
    return re.sub(r"([()\\])", r"\\\1", text)


def html_terms(page):
    out = []
    for term, rows in page.terms():
        cells = "".join(f"<tr><td>{a}<td>{b}<td>{c}<td>{d}</tr>" for a, b, c, d in rows)
        out.append(f"<h2>Semester {term}</h2><table><tr><th>Code<th>Course<th>Credits<th>Grade</tr>{cells}</table>")
    return "".join(out)


def tex_terms(page):
    out = []
    for term, rows in page.terms(6):
        cells = "".join(f"{a} & {b} & {c} & {d} \\\\\n" for a, b, c, d in rows)
        out.append(f"\\subsection*{{Semester {term}}}\n\\begin{{longtable}}{{lp{{80mm}}rl}}\n{cells}\\end{{longtable}}\n")
    return "".join(out)


def groff_terms(page):
    out = []
    for term, rows in page.terms(6):
        cells = "".join(f"{a}\t{b}\t{c}\t{d}\n" for a, b, c, d in rows)
        out.append(f".SH\nTerm {term}\n.TS\nbox tab(\t);\nl l n l.\n{cells}.TE\n")
    return "".join(out)


def plain_transcript(page):
    lines = ["ASHVALE UNIVERSITY OF APPLIED SCIENCES", "", f"{page.title}: {page.name}", f"Issued {page.date}", ""]
    for term, rows in page.terms(5):
        lines += [f"Semester {term}", "-" * 62]
        lines += [f"{a:8}{b:40}{c:6}{d:>6}" for a, b, c, d in rows] + [""]
    return "\n".join(lines + ["Prof. Imogen Castellane, Registrar", ""])
