#!/usr/bin/env python3
"""Makes the trial of a new user: a table of 2,000 rows in three languages with 30 faults
of mixed kinds, and its documents. The same call always gives the same bytes.

    trial.py DIR            the table with its faults
    trial.py DIR corrected  the same after a registrar has corrected what was complained about
"""
import random, sys, pathlib

first = {"de": ["Anna", "Jürgen", "Käthe", "Lukas", "Sören", "Marie"], "fr": ["Zoé", "Chloé", "Loïc", "Hélène", "Jean", "Noël"], "es": ["Íñigo", "María", "José", "Lucía", "Begoña", "Ángel"]}
last = {"de": ["Müller", "Schäfer", "Weiß", "Krüger", "Vogel", "Jäger"], "fr": ["Lefèvre", "Dupont", "Gauthier", "Béranger", "Martin", "Garçon"], "es": ["Núñez", "García", "Peña", "Ibáñez", "Gómez", "Muñoz"]}
title = {"de": "Bachelor of Arts", "fr": "Licence de lettres", "es": "Grado en Historia"}
letters = "abcdefghijklmnopqrstuvwxyz"


def code(i):
    return letters[i // 676 % 26] + letters[i // 26 % 26] + letters[i % 26]


def page(name, low=""):
    def text(s):
        return s.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    content = b"BT /F1 24 Tf 100 600 Td (Certificate) Tj 0 -60 Td (" + text(name) + b") Tj ET " + low.encode()
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
               b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content),
               b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    out, at = b"%PDF-1.4\n", []
    for n, o in enumerate(objects, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, o)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % n for n in at)
    return out + b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


at = [37 + 61 * k for k in range(30)]  # the rows with faults, from 0
signature = "BT /F1 10 Tf 500 50 Td (Registrar) Tj ET"


def spoil(rows, docs):
    for k, i in enumerate(at):
        row = rows[i]
        name = row[1] + " " + row[2]
        match k % 15:
            case 0: row[3] = row[3].replace("@", " at ")            # no address
            case 1: row[3] = row[3].replace("example.org", "gmial.com")  # a misspelt domain: a warning
            case 2: row[4] = "31.06.2026"                            # no such day
            case 3: (docs / row[5]).unlink()                         # no document
            case 4: (docs / row[5]).write_bytes(page(name, signature))  # the code would cover the signature
            case 5: (docs / row[5]).write_bytes(page(name)[:300])    # cut off
            case 6: row[1] = row[1].encode().decode("cp1252", "replace") if any(ord(c) > 127 for c in row[1]) else "JosÃ©"  # mojibake: a warning
            case 7: row[3] = rows[i - 1][3]; row[0] = rows[i - 1][0]; row[4] = rows[i - 1][4]  # another person's address
            case 8: row[0] = ""                                      # no title
            case 9: row[2], row[1] = "", "N/A"                       # no name
            case 10: row[4] = "Juni"                                 # half a date
            case 11: (docs / row[5]).write_bytes(page(rows[i - 3][1] + " " + rows[i - 3][2]))  # another person's document
            case 12: row[3] = "mailto:" + row[3]                     # taken, with a note
            case 13: row[5] = "..\\documents\\" + row[5]              # a path of Windows
            case 14: (docs / row[5]).write_bytes(b"")                # nothing in it


def main(folder, corrected=False):
    rng = random.Random(17)
    root = pathlib.Path(folder)
    docs = root / "documents"
    docs.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(2000):
        lang = ["de", "fr", "es"][i * 3 // 2000]
        given, family = rng.choice(first[lang]), rng.choice(last[lang]) + "-" + code(i).capitalize()
        rows.append([title[lang], given, family, f"student{i}@example.org", f"{1 + i % 28}.06.2026", f"{i:05}.pdf", str(20260000 + i)])
        (docs / f"{i:05}.pdf").write_bytes(page(given + " " + family))
    if corrected:
        for i in at[4::15]:
            (docs / rows[i][5]).write_bytes(page(rows[i][1] + " " + rows[i][2], signature))
    else:
        spoil(rows, docs)
    lines = ["Titel;Vorname;Nachname;E-Mail;Ausstellungsdatum;Datei;Matrikel-Nr."]
    lines += [";".join(r) for r in rows]
    (root / "liste.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] == ["corrected"])
