"use strict";

// The check of a file. Its SHA-256, made here in the browser, is compared with that of the
// document as it was issued, or the vault is asked for it. The file stays here.
(() => {
  const box = document.querySelector("[data-pages]");
  if (!box) return;
  const input = box.querySelector("input[type=file]");
  const output = box.querySelector("output");
  const main = document.querySelector("main");
  const issued = box.dataset.sha256; // on the page of a certificate
  const mine = box.dataset.reference;
  box.hidden = false;

  const most = 40 << 20; // bytes; no certificate is larger
  const title = document.title;
  const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang; // days before months
  const pageHeading = main.querySelector("h1");
  const text = (name, values) => {
    const found = document.querySelector(`[data-text="${name}"]`);
    return found.textContent.replace(/\{(\w+)\}/g, (all, key) => (values && key in values ? values[key] : all));
  };

  let turn = 0;
  const check = async (files) => {
    const now = ++turn;
    clear();
    if (files.length === 0) return;
    if (files.length > 1) {
      show({ kind: "superseded", name: "file.one" });
      return;
    }
    output.textContent = text("file.reading");
    let verdict;
    try {
      verdict = await judge(files[0]);
    } catch {
      verdict = { kind: "superseded", name: "file.unreadable" };
    }
    if (now !== turn) return;
    show(verdict);
    print(files[0], verdict);
  };

  input.addEventListener("change", () => check(input.files));

  // A file may be dropped anywhere.
  const carriesFiles = (e) => Array.from(e.dataTransfer.types).includes("Files");
  document.addEventListener("dragover", (e) => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (e) => {
    if (!e.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (e) => {
    document.body.classList.remove("dropping");
    if (!carriesFiles(e)) return;
    e.preventDefault();
    input.value = "";
    check(e.dataTransfer.files);
  });

  // judge finds the verdict on a file: its kind (which colours it), the name of its texts,
  // and what they say.
  async function judge(file) {
    if (file.size === 0) return { kind: "unknown", name: "file.empty" };
    if (file.size > most) return { kind: "unknown", name: "file.large" };
    const bytes = new Uint8Array(await file.arrayBuffer());
    const sum = await sha256(bytes);
    if (issued) {
      return Object.assign(sum === issued ? { same: true } : await compare(bytes, sum), { sum });
    }
    return Object.assign(await ask(bytes, sum), { sum });
  }

  // compare says what a file is that is not the latest one of the certificate that this page is
  // about. The certificate may have had other files, such as one before a time stamp was added.
  async function compare(bytes, sum) {
    const known = await lookUp("by-hash/" + sum);
    if (!known) return { kind: "superseded", name: "file.failed" };
    if (known.status !== "unknown" && known.reference_id === mine) return { same: true };
    const found = await examine(bytes);
    if (!found.isPDF) return { kind: "unknown", name: "file.not_pdf" };
    if (found.prefixes.some((p) => p.sum === issued)) {
      const at = found.prefixes.find((p) => p.sum === issued);
      return { kind: "revoked", name: "file.added", values: { reference: mine, bytes: bytes.length - at.end } };
    }
    const names = found.reference;
    if (names === mine) return { kind: "revoked", name: "file.altered", values: { reference: mine } };
    if (names) return { kind: "unknown", name: "file.another", values: { reference: mine, other: names }, link: names };
    return { kind: "unknown", name: "file.other", values: { reference: mine } };
  }

  // ask asks the vault for a file, by its SHA-256 alone.
  async function ask(bytes, sum) {
    const known = await lookUp("by-hash/" + sum);
    if (!known) return { kind: "superseded", name: "file.failed" };
    if (known.status !== "unknown") return { kind: known.status, name: "verdict." + known.status, answer: known, link: known.reference_id };
    const found = await examine(bytes);
    if (!found.isPDF) return { kind: "unknown", name: "file.not_pdf" };
    for (const p of found.prefixes) {
      const part = p.end < bytes.length && (await lookUp("by-hash/" + p.sum));
      if (part && part.status !== "unknown") {
        return { kind: "revoked", name: "file.added", values: { reference: part.reference_id, bytes: bytes.length - p.end }, link: part.reference_id };
      }
    }
    if (/^VEC-IC-[0-9A-F]{17}$/.test(found.reference)) {
      const named = await lookUp(found.reference);
      if (named && named.status !== "unknown") {
        return { kind: "revoked", name: "file.altered", values: { reference: named.reference_id }, link: named.reference_id };
      }
    }
    return { kind: "unknown", name: "file.unknown", more: describe(found, bytes.length) };
  }

  async function lookUp(path) {
    try {
      const answer = await fetch(box.dataset.pages + path, { headers: { Accept: "application/json" }, credentials: "omit" });
      return answer.ok || answer.status === 404 ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // describe says what could be found in a file that is not known, and what that is worth.
  function describe(found, size) {
    const s = found.signature;
    if (!s) return [text("file.unsigned")];
    const lines = [s.by ? text("file.signed", { name: s.by }) : text("file.signed.nameless")];
    if (found.reference) lines.push(text("file.names", { other: found.reference, host: found.host || "?" }));
    if (s.matches !== undefined) lines.push(text(s.matches ? "file.intact" : "file.broken"));
    if (s.end < size) lines.push(text("file.after", { bytes: size - s.end }));
    lines.push(text("file.proves_nothing"));
    return lines;
  }

  function clear() {
    output.textContent = "";
    output.className = "";
    document.querySelectorAll(".file-verdict, .file-printed").forEach((e) => e.remove());
    document.body.classList.remove("mismatched");
    document.title = title;
    const lower = main.querySelector("h2.lowered");
    if (lower) lower.replaceWith(pageHeading);
  }

  // show puts the verdict above everything else. What the page says besides is about the
  // reference ID and not about the file.
  function show(verdict) {
    output.textContent = "";
    if (verdict.same) {
      output.className = "same";
      output.textContent = box.dataset.same;
      const line = element("p", box.dataset.same, "file-verdict");
      main.querySelector(".verdict").append(line);
      line.scrollIntoView({ block: "center" });
      return;
    }
    const section = element("section", "", "verdict file-verdict " + verdict.kind);
    const marks = { genuine: "\u2713", superseded: "\u21bb", processing: "\u2026", expired: "\u231b\ufe0e" };
    const mark = element("p", verdict.answer ? marks[verdict.kind] || "\u2715" : verdict.kind === "superseded" ? "!" : "\u2715", "mark");
    mark.setAttribute("aria-hidden", "true");
    const heading = element("h1", text(verdict.name, verdict.values));
    section.append(mark, heading, element("p", text(verdict.name + ".text", verdict.values)));
    (verdict.more || []).forEach((line) => section.append(element("p", line)));
    if (verdict.link) {
      const link = element("a", text("file.see", { reference: verdict.link }));
      link.href = box.dataset.pages + encodeURIComponent(verdict.link) + location.search;
      const line = element("p", "");
      line.append(link);
      section.append(line);
    }
    if (!verdict.answer || verdict.kind !== "genuine") document.body.classList.add("mismatched");
    const lower = element("h2", pageHeading.textContent, "lowered");
    pageHeading.replaceWith(lower);
    if (issued) lower.before(element("p", text("file.about", { reference: mine }), "file-verdict soft"));
    main.prepend(section);
    if (verdict.answer) section.after(facts(verdict.answer));
    document.title = title.replace(/^.*?(?= \u2013 )/, () => heading.textContent);
    section.tabIndex = -1;
    section.setAttribute("role", "alert");
    section.focus();
    section.scrollIntoView();
  }

  // facts lists what the vault says of a certificate.
  function facts(answer) {
    const section = element("section", "", "file-verdict");
    const list = element("dl", "");
    const add = (name, value) => {
      if (!value) return;
      const cell = element("dd", value);
      cell.dir = "auto";
      list.append(element("dt", text(name)), cell);
    };
    add("fact.title", answer.certificate_title);
    add("fact.name", answer.full_name);
    add("fact.date", answer.issue_date && new Date(answer.issue_date + "T12:00:00Z").toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC" }));
    add("fact.expiry-date", answer.expiry_date && new Date(answer.expiry_date + "T12:00:00Z").toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC" }));
    add("fact.issuer", answer.institution);
    add("fact.reference", answer.reference_id);
    add("fact.reason", answer.revocation && answer.revocation.reason);
    add("fact.successor", answer.superseded_by);
    section.append(element("h2", text("facts")), list);
    return section;
  }

  // print adds the file to what is on paper.
  function print(file, verdict) {
    const at = new Date().toLocaleString(locale, { dateStyle: "long", timeStyle: "long" });
    const outcome = verdict.same ? box.dataset.same : text(verdict.name, verdict.values);
    const section = element("section", "", "print file-printed");
    section.append(element("h2", text("file.printed")), element("p", file.name + ": " + outcome), element("p", at));
    if (verdict.sum) section.append(element("p", "SHA-256: " + verdict.sum));
    main.append(section);
  }

  function element(kind, content, className) {
    const made = document.createElement(kind);
    made.textContent = content;
    if (className) made.className = className;
    return made;
  }

  // examine looks into a PDF: whether it is one, what its last signature says of itself, which
  // certificate it names, and the SHA-256 of its beginnings up to the end of each signature.
  async function examine(bytes) {
    const file = new TextDecoder("latin1").decode(bytes);
    const found = { isPDF: file.slice(0, 1024).includes("%PDF-"), prefixes: [], reference: "", host: "" };
    if (!found.isPDF) return found;
    const ranges = [];
    for (const m of file.matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)) {
      const [from, gap, behind, rest] = m.slice(1).map(Number);
      if (from === 0 && gap < behind && behind + rest <= bytes.length) ranges.push({ gap, behind, end: behind + rest });
    }
    ranges.sort((a, b) => b.end - a.end);
    found.reference = pdfString(file, "/VECD_Reference").toUpperCase();
    try {
      found.host = new URL(pdfString(file, "/VECD_URL")).host;
    } catch { /* it names none */ }
    for (const r of ranges.slice(0, 10)) {
      found.prefixes.push({ end: r.end, sum: await sha256(bytes.subarray(0, r.end)) });
    }
    if (ranges.length) found.signature = await readSignature(bytes, file, ranges[0]);
    return found;
  }

  // pdfString reads the string behind the last place of a name.
  function pdfString(file, name) {
    const at = file.lastIndexOf(name);
    if (at < 0) return "";
    const rest = file.slice(at + name.length, at + name.length + 4000).trimStart();
    let raw = "";
    if (rest[0] === "<") {
      raw = (rest.slice(1, rest.indexOf(">")).match(/[0-9a-fA-F]{2}/g) || []).map((h) => String.fromCharCode(parseInt(h, 16))).join("");
    } else if (rest[0] === "(") {
      for (let i = 1; i < rest.length && rest[i] !== ")"; i++) {
        if (rest[i] === "\\") i++;
        raw += rest[i];
      }
    }
    if (!raw.startsWith("\u00fe\u00ff")) return raw;
    const units = [];
    for (let i = 2; i + 1 < raw.length; i += 2) units.push((raw.charCodeAt(i) << 8) | raw.charCodeAt(i + 1));
    return String.fromCharCode(...units);
  }

  // readSignature says who a signature says it is by, and whether the digest in it is that of
  // the bytes that it covers. It judges nothing else.
  async function readSignature(bytes, file, range) {
    const s = { end: range.end, by: "" };
    try {
      const pairs = file.slice(range.gap + 1, range.behind - 1).match(/[0-9a-fA-F]{2}/g);
      const der = Uint8Array.from(pairs, (h) => parseInt(h, 16));
      const [, signed] = children(der, node(der, 0)); // ContentInfo: type, content
      const parts = children(der, children(der, signed)[0]);
      const certificates = parts.find((n) => n.tag === 0xa0);
      const signer = children(der, children(der, parts[parts.length - 1])[0]);
      const serial = der.subarray(...span(children(der, signer[1])[1])).join();
      for (const c of certificates ? children(der, certificates) : []) {
        const fields = children(der, children(der, c)[0]).filter((n) => n.tag !== 0xa0);
        if (der.subarray(...span(fields[0])).join() === serial) s.by = commonName(der, fields[4]);
      }
      const attributes = signer.find((n) => n.tag === 0xa0);
      const digest = children(der, attributes).find((n) => der.subarray(...span(children(der, n)[0])).join() === "42,134,72,134,247,13,1,9,4");
      const want = hex(der.subarray(...span(children(der, children(der, digest)[1])[0])));
      if (want.length !== 64) return s; // another kind of digest
      const covered = new Uint8Array(range.gap + range.end - range.behind);
      covered.set(bytes.subarray(0, range.gap));
      covered.set(bytes.subarray(range.behind, range.end), range.gap);
      s.matches = (await sha256(covered)) === want;
    } catch { /* what cannot be read is not said */ }
    return s;
  }

  // node reads the DER element at a place (ITU-T X.690).
  function node(der, at) {
    let length = der[at + 1];
    let start = at + 2;
    if (length > 127) {
      let n = length & 127;
      if (n === 0 || n > 4) throw new RangeError("DER");
      for (length = 0; n > 0; n--) length = length * 256 + der[start++];
    }
    if (!(start + length <= der.length)) throw new RangeError("DER");
    return { tag: der[at], start, end: start + length };
  }

  function children(der, parent) {
    const all = [];
    for (let at = parent.start; at < parent.end; at = all[all.length - 1].end) all.push(node(der, at));
    return all;
  }

  function span(n) {
    return [n.start, n.end];
  }

  // commonName reads the common name out of a distinguished name.
  function commonName(der, name) {
    for (const set of children(der, name)) {
      for (const pair of children(der, set)) {
        const [kind, value] = children(der, pair);
        if (der.subarray(...span(kind)).join() === "85,4,3") {
          return new TextDecoder(value.tag === 0x1e ? "utf-16be" : "utf-8").decode(der.subarray(...span(value)));
        }
      }
    }
    return "";
  }

  // Browsers lend their own SHA-256 to secure pages only; elsewhere ours does it.
  async function sha256(bytes) {
    if (globalThis.crypto && crypto.subtle) {
      return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
    }
    return hex(digest(bytes));
  }

  function hex(bytes) {
    return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  }

  // digest is SHA-256 as in FIPS 180-4. Its constants are the first 32 bits of the
  // fractional parts of the roots of the first primes.
  function digest(bytes) {
    const primes = [];
    for (let n = 2; primes.length < 64; n++) {
      if (primes.every((p) => n % p)) primes.push(n);
    }
    const fraction = (x) => Math.floor((x - Math.floor(x)) * 4294967296) | 0;
    const k = primes.map((p) => fraction(Math.cbrt(p)));
    const h = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));

    const length = Math.ceil((bytes.length + 9) / 64) * 64;
    const end = new Uint8Array(length - Math.floor(bytes.length / 64) * 64);
    const whole = bytes.length - (bytes.length % 64);
    end.set(bytes.subarray(whole));
    end[bytes.length - whole] = 0x80;
    const tail = new DataView(end.buffer);
    tail.setUint32(end.length - 8, Math.floor(bytes.length / 536870912));
    tail.setUint32(end.length - 4, (bytes.length * 8) >>> 0);

    const w = new Int32Array(64);
    const turnRight = (x, n) => (x >>> n) | (x << (32 - n));
    const block = (view, at) => {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        w[i] = (w[i - 16] + w[i - 7] + (turnRight(x, 7) ^ turnRight(x, 18) ^ (x >>> 3)) +
          (turnRight(y, 17) ^ turnRight(y, 19) ^ (y >>> 10))) | 0;
      }
      let [a, b, c, d, e, f, g, i] = h;
      for (let j = 0; j < 64; j++) {
        const one = (i + (turnRight(e, 6) ^ turnRight(e, 11) ^ turnRight(e, 25)) + ((e & f) ^ (~e & g)) + k[j] + w[j]) | 0;
        const two = ((turnRight(a, 2) ^ turnRight(a, 13) ^ turnRight(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        i = g; g = f; f = e; e = (d + one) | 0;
        d = c; c = b; b = a; a = (one + two) | 0;
      }
      [a, b, c, d, e, f, g, i].forEach((x, n) => { h[n] = (h[n] + x) | 0; });
    };
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 0; at < whole; at += 64) block(view, at);
    for (let at = 0; at < end.length; at += 64) block(tail, at);
    const out = new DataView(new ArrayBuffer(32));
    h.forEach((x, n) => out.setInt32(4 * n, x));
    return new Uint8Array(out.buffer);
  }

  // Tests of the page ask for our own digest by this.
  box.digest = (bytes) => hex(digest(bytes));
})();

// A file that is too large is not sent in vain.
document.querySelectorAll("input[data-most]").forEach((input) => {
  input.addEventListener("change", () => {
    const file = input.files[0];
    input.setCustomValidity(file && file.size > Number(input.dataset.most) ? input.dataset.large : "");
    input.reportValidity();
  });
});

// The buttons that copy the text of a field beside them.
document.querySelectorAll("button[data-copy]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    const said = document.getElementById(button.dataset.copy + "-said");
    field.focus();
    field.select();
    let done = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      done = document.execCommand("copy"); // pages without TLS have nothing better
    }
    if (done) said.textContent = button.dataset.done; // else the text is marked, to be copied by hand
  });
});
