"""A manifest with every kind of bad row, a few good ones between, and their files."""

import csv
import pathlib
import shutil
import struct
import subprocess
import zlib

COLUMNS = "certificate_title,full_name,applicant_email,issue_date,details,file"
LONG_TITLE = ("Certificate of Attendance: " + "Principles and Practice of Record Keeping, " * 6)[:256]
# Cells, column of the complaint, complaint. An empty complaint is a good row.
# "{n}" stands for the row's number, so that all people differ, and all files of
# rows that are wrong in something else.
ROWS = [
    (["Diploma in Archiving", "Clara Nightingale-Osei", "p{n}@example.org", "2026-03-27", "", "good-1.pdf"], "", ""),
    (["Diploma in Archiving", "Dunstan Okafor", "dunstan.at.example.org", "2026-03-27", "", "sound-{n}.pdf"],
     "applicant_email", "not an e-mail address"),
    ([LONG_TITLE, "Ewa Lis", "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"],
     "certificate_title", "256 characters where 255 are allowed"),
    (["Diploma in Archiving", "Fergus Adair", "p{n}@example.org", "2026-02-30", "", "sound-{n}.pdf"],
     "issue_date", "a date that the calendar does not have"),
    (["Diploma in Archiving", "Grete Solberg", "p{n}@example.org", "2026-03-27", "", "text.pdf"],
     "file", "a text file, not a PDF"),
    (["Diploma in Archiving", "Hamid Rostami", "p{n}@example.org", "2026-03-27", "", "empty.pdf"], "file", "an empty file"),
    (["Diploma in Archiving", "Ida Mbeki", "p{n}@example.org", "2026-03-27", "", "truncated.pdf"],
     "file", "the PDF ends in the middle"),
    (["Diploma in Archiving", "Jonas Perrault", "p{n}@example.org", "2026-03-27", "", "password.pdf"],
     "file", "the PDF opens only with a password"),
    (["Diploma in Archiving", "Kemal Aydın", "p{n}@example.org", "2026-03-27", "", "huge.png"],
     "file", "50,000 x 50,000 pixels"),
    (["Diploma in Archiving", "Lorna Baptiste", "p{n}@example.org", "2026-03-27", "",
      "../spring-2026/documents/wulandari.pdf"], "file", "a path that leaves the folder"),
    (["Diploma in Food", " Water and Soil", "Milo Tanaka", "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"],
     "", "seven cells where the header has six: a comma without quotes"),
    (["Diploma in Archiving", "Nora\0Quist", "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"], "full_name", "a NUL byte"),
    (["Diploma in Archiving", "Amal Hadad", "p{n}@example.org", "2026-03-27", "", "amal-haddad.pdf"],
     "file", "no such file; amal-hadad.pdf is near, and no row names it"),
    (["Diploma in Archiving", "Oskar Lindqvist", "p{n}@example.org", "2026-03-27", "", "good-2.pdf"], "", ""),
    (["Diploma in Archiving", "Pilar Echeverria", "p{n}@example.org", "2026-03-27", "", "good-2.pdf"],
     "file", "the same file as row 14"),
    (["Diploma in Archiving", "Clara Nightingale-Osei", "P1@Example.org ", "2026-03-27", "", "sound-{n}.pdf"],
     "applicant_email", "the same person, title and date as row 1"),
    (["Diploma in Archiving", "", "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"], "full_name", "no name"),
    (["", "Quentin Amadou", "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"], "certificate_title", "no title"),
    (["Diploma in Archiving", "Rosalind Achebe", "", "2026-03-27", "", "sound-{n}.pdf"], "applicant_email", "no e-mail address"),
    (["Diploma in Archiving", "Stellan Moreau", "p{n}@example.org", "2026-03-27", "", ""], "file", "no file named"),
    (["Diploma in Archiving", "Tilda Vass", "p{n}@example.org", "2026-03-27", "x" * 1001, "sound-{n}.pdf"],
     "details", "1,001 characters where 1,000 are allowed"),
    (["Diploma in Archiving", "U" + "n" * 255, "p{n}@example.org", "2026-03-27", "", "sound-{n}.pdf"],
     "full_name", "256 characters where 255 are allowed"),
    (["Diploma in Archiving", "Vera Castellano", "p{n}@example.org", "27th of Sprember", "", "sound-{n}.pdf"],
     "issue_date", "not a date"),
    (["Diploma in Archiving", "=HYPERLINK(\"http://example.net/\";\"Wilma\")", "nobody@", "2026-03-27", "", "sound-{n}.pdf"],
     "applicant_email", "not an e-mail address; the name must not become a formula in rejected.csv"),
    (["Diploma in Archiving", "Xenia Holt", "p{n}@example.org", "2026-03-27", "", "/etc/hostname"],
     "file", "a path that leaves the folder"),
    (["Diploma in Archiving", "Yusuf Delacroix", "p{n}@example.org", "2026-03-27", "", "folder"], "file", "a folder, not a file"),
    (["Diploma in Archiving", "Zora Whitfield", "p{n}@example.org", "2026-03-27", "", "picture.pdf"],
     "file", "a PNG that is named .pdf"),
    (["Diploma in Archiving", "Anselm Bright", "p{n}@example.org", "2026-03-27", "", "drawing.gif"],
     "file", "a kind of file that is not accepted"),
    (["Diploma in Archiving", "Bettina Kowal", "p{n}@example.org", "2026-03-27", "", "truncated.png"],
     "file", "the PNG ends in the middle"),
    (["Diploma in Archiving", "Cosmo Ferreira", "p{n}@example.org\r\nBcc: everyone@example.net", "2026-03-27", "", "sound-{n}.pdf"],
     "applicant_email", "a line break in an e-mail address"),
    (["Diploma in Archiving", "Delia Hargreaves", "p{n}@example.org"], "", "three cells where the header has six"),
    (["Diploma in Archiving", "Clara Nightingale-Osei", "p1@example.org", "2026-03-28", "", "good-3.jpg"], "", ""),
    (["Diploma in Archiving", "Edda Lindgren", "p{n}@example.org", "", "", "good-4.png"], "", ""),
]


def build(folder, documents):
    """Writes the folder; the good files are copies of other batch's documents with a byte's difference."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table, expected = [COLUMNS.split(",")], [["row", "verdict", "column", "reason"]]
    for n, (cells, column, reason) in enumerate(ROWS, 1):
        table.append([c.replace("{n}", str(n)) for c in cells])
        expected.append([n, "refused" if reason else "good", column, reason])
    write_csv(folder / "manifest.csv", table)
    write_csv(folder / "expected.csv", expected)
    (folder / "headers-only.csv").write_text(COLUMNS + "\n")
    files(folder, documents)


def write_csv(path, table):
    # Written by hand: the rows above are meant to be wrong, and csv.writer would
    # complain of some. Quotes go where a reader needs them, except in row 11.
    quote = lambda c: '"' + c.replace('"', '""') + '"' if any(x in c for x in '",\r\n') else c
    lines = [",".join(quote(str(c)) for c in cells) for cells in table]
    path.write_bytes(("\n".join(lines) + "\n").encode())


def files(folder, documents):
    pdf = (documents / "wulandari.pdf").read_bytes()
    (folder / "good-1.pdf").write_bytes(pdf)
    shutil.copy(documents / "bjarni-hallgrimsson.pdf", folder / "good-2.pdf")
    shutil.copy(documents / "brzek-grey.jpeg", folder / "good-3.jpg")
    shutil.copy(documents / "osullivan-keane.png", folder / "good-4.png")
    shutil.copy(documents / "pritchard.PDF", folder / "amal-hadad.pdf")
    for n, (cells, _, _) in enumerate(ROWS, 1):
        if "sound-{n}.pdf" in cells:
            shutil.copy(documents / "bjarni-hallgrimsson.pdf", folder / f"sound-{n}.pdf")
    (folder / "text.pdf").write_text("Dear registrar,\n\nplease find the certificate attached.\n")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "truncated.pdf").write_bytes(pdf[:len(pdf) * 2 // 5])
    subprocess.run(["qpdf", "--encrypt", "opensesame", "owner", "256", "--", documents / "wulandari.pdf",
                    folder / "password.pdf"], check=True)
    (folder / "huge.png").write_bytes(white_png(50000, 50000))
    (folder / "picture.pdf").write_bytes(white_png(40, 30))
    (folder / "truncated.png").write_bytes((folder / "good-4.png").read_bytes()[:5000])
    (folder / "drawing.gif").write_bytes(b"GIF89a\1\0\1\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")
    (folder / "folder").mkdir()
    (folder / "folder" / "keep.txt").write_text("A manifest row names this folder where a file is wanted.\n")


def white_png(width, height):
    """A white picture of one bit a pixel, deflated row by row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    deflate = zlib.compressobj(9)
    row = b"\0" + b"\xff" * ((width + 7) // 8)
    data = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
