"use strict";

// The check of a certificate without a server. The index of certificates is loaded in parts, as
// scripts, because a page that is opened as a file may not fetch. What is not checked is said.
(() => {
  const result = document.getElementById("result");
  const most = 40 << 20; // bytes; no certificate is larger
  const parts = new Map();
  let site = null;
  let arrived = null;
  window.vecctlSite = (info) => { site = info; };
  window.vecctlPart = (all) => { arrived = all; };

  function load(path) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = path;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(path + " is missing from this site")); };
      document.head.append(script);
    });
  }

  const ready = load("certificates/site.js").then(() => {
    document.getElementById("about").textContent = `${site.certificates.toLocaleString("en")} certificates of ${site.institutions.map((i) => i.name).join(", ")}. ` +
      `The latest change that is known here is of ${site.latest.replace("T", " ").replace("Z", " UTC")}.`;
  });

  // find returns what the index has of a reference ID, or null. Parts are loaded one after another.
  let queue = Promise.resolve();
  function find(reference) {
    const part = reference.slice(-2);
    const turn = queue.then(async () => {
      if (!/^[0-9A-F]{2}$/.test(part)) return null;
      if (!parts.has(part)) {
        arrived = null;
        await load(`certificates/${part}.js`);
        parts.set(part, arrived);
      }
      return parts.get(part).find((c) => c.reference_id === reference) || null;
    });
    queue = turn.catch(() => {});
    return turn;
  }

  // Verdicts by the state of a certificate: the colour, and the words.
  const states = {
    genuine: ["genuine", "Genuine", "The institution issued this certificate."],
    revoked: ["bad", "Revoked", "The institution issued this certificate and has revoked it."],
    superseded: ["unsure", "Replaced", "The institution issued this certificate and has replaced it by a corrected one."],
    expired: ["unsure", "Ended", "The institution issued this certificate, and its last day of validity has passed."],
    withdrawn: ["bad", "Withdrawn", "The certificate has been withdrawn. Nothing else is known of it any more."],
  };
  // A site is older than the day on which it is read: what was genuine then may have ended.
  const ended = (entry) => entry.status === "genuine" && entry.expires_at && Date.now() > Date.parse(entry.expires_at);
  const stateOf = (entry) => (ended(entry) ? states.expired : states[entry.status]) || ["unsure", "Not issued", "The certificate is not issued."];

  // judge makes all checks of a file.
  async function judge(bytes) {
    const checks = [];
    const say = (state, text) => checks.push({ state, text });
    const file = new TextDecoder("latin1").decode(bytes);
    if (!file.slice(0, 1024).includes("%PDF-")) return { verdict: ["bad", "Not a certificate", "The file is not a PDF."], checks };
    const signature = lastSignature(bytes, file);
    if (!signature) return { verdict: ["bad", "Not a certificate", "The file has no signature."], checks };
    const covered = new Uint8Array(signature.gap + signature.end - signature.behind);
    covered.set(bytes.subarray(0, signature.gap));
    covered.set(bytes.subarray(signature.behind, signature.end), signature.gap);
    const digest = await sha256(covered);
    const entry = await find(signature.reference);
    const same = entry !== null && [entry.sha256].concat(entry.earlier || []).includes(hex(await sha256(bytes)));

    let broken = false;
    const no = (text) => { broken = true; say("no", text); };
    if (signature.end === bytes.length) say("yes", "The signature covers the whole file.");
    else no(`${bytes.length - signature.end} bytes were added behind the signature.`);
    let signed = null;
    try {
      signed = readCMS(signature.der);
    } catch {
      no("The signature cannot be read.");
    }
    if (signed) {
      await checkSignature(signed, digest, say, no);
      await checkLog(signed, signature, digest, entry, same, say, no);
    }
    if (same) say("yes", "The file is the one that was issued, byte for byte.");
    else if (entry && entry.sha256) no("The certificate with this reference ID was issued as another file.");
    else say("open", signature.reference ? `This site knows no certificate ${signature.reference}.` : "The signature names no certificate.");
    say("open", `Not checked: who vouches for the signer's certificate, time stamps, and what happened after ${site.latest.slice(0, 10)}.`);
    return { verdict: verdictOf(entry, same, broken), checks, entry: same ? entry : null };
  }

  function verdictOf(entry, same, broken) {
    if (broken) return ["bad", "Not valid", "The file is not as it was issued; see what was found below."];
    if (same) return stateOf(entry);
    return ["unsure", "Not known here", "Nothing in this site says that the file was issued. An intact signature alone does not: anyone can sign in any name."];
  }

  async function checkSignature(signed, digest, say, no) {
    if (!signed.digest) {
      say("open", "Not checked: the signature, which is of a kind that this page does not know.");
      return;
    }
    if (hex(signed.digest) !== hex(digest)) {
      no("The bytes are not those that were signed.");
      return;
    }
    let holds;
    try {
      holds = await verifySignature(signed);
    } catch {
      say("open", "The bytes are those that the signature names. Not checked: the signature itself, which is of a kind that this browser does not know.");
      return;
    }
    if (!holds) {
      no("The signature does not hold under the certificate in it.");
      return;
    }
    const fingerprint = hex(await sha256(signed.certificate));
    const signer = site.institutions.find((i) => i.certificate_sha256 === fingerprint);
    const earlier = signer ? null : site.institutions.flatMap((i) => i.earlier.map((k) => ({ name: i.name, ...k }))).find((k) => k.certificate_sha256 === fingerprint);
    if (earlier) {
      say("yes", `The signature holds, under a certificate with which ${earlier.name} signed until ${earlier.until.slice(0, 10)}.`);
      return;
    }
    say("yes", signer ? `The signature holds, under the certificate of ${signer.name}.` : "The signature holds, under the certificate in it.");
    if (!signer) say("open", "The certificate in it is not one with which the institutions here sign at present.");
  }

  async function checkLog(signed, signature, digest, entry, same, say, no) {
    if (!signed.proof) {
      if (signature.log || (same && entry.log)) no("The file carries no log proof although it should: it was taken out.");
      else say("open", "The file carries no log proof.");
      return;
    }
    if (!signature.log) {
      no("The file carries a log proof, and its signature names no log.");
      return;
    }
    const known = site.logs.find((l) => l.key === signature.log);
    let proof;
    try {
      proof = await checkProof(signed.proof, signature.log, digest);
    } catch (e) {
      if (e instanceof Unsupported) say("open", "Not checked: the log proof, since this browser does not know Ed25519.");
      else no("The log proof does not hold: " + e.message + ".");
      return;
    }
    const place = `entry ${proof.index} of the log ${proof.origin}, which had ${proof.size} entries then`;
    if (known) say("yes", `The file proves that it is ${place}. The log is one of ${known.institution}.`);
    else say("open", `The file proves that it is ${place}. This site does not have that log.`);
    if (same && entry.log && entry.log.index !== proof.index) no("The proof is of another place in the log than the one that was given to it.");
  }

  class Unsupported extends Error {}

  // checkProof checks a proof (c2sp.org/tlog-proof) under a log's public key.
  async function checkProof(text, key, digest) {
    const [head, ...rest] = text.split("\n\n");
    const checkpoint = rest.join("\n\n");
    const lines = head.split("\n");
    if (lines[0] !== "c2sp.org/tlog-proof@v1" || !/^extra \S+$/.test(lines[1] || "") || !/^index (0|[1-9]\d*)$/.test(lines[2] || "")) throw new Error("it cannot be read");
    const salt = base64(lines[1].slice(6));
    const index = Number(lines[2].slice(6));
    const hashes = lines.slice(3).map(base64);
    if (salt.length !== 32 || !Number.isSafeInteger(index) || hashes.some((h) => h.length !== 32)) throw new Error("it cannot be read");
    const { origin, size, root } = await openCheckpoint(checkpoint, key);
    const entry = await sha256(join(new TextEncoder().encode("vecctl/certificate/v1\n"), salt, digest));
    const computed = await rootOf(index, size, await sha256(join(Uint8Array.of(0), entry)), hashes);
    if (!computed || hex(computed) !== hex(root)) throw new Error("it is that of another document");
    return { index, origin, size };
  }

  // openCheckpoint checks a signed checkpoint (c2sp.org/tlog-checkpoint).
  async function openCheckpoint(note, key) {
    const [name, id, ...encoded] = key.split("+");
    const raw = base64(encoded.join("+"));
    if (raw.length !== 33 || raw[0] !== 1) throw new Error("the log's key cannot be read");
    const keyID = hex((await sha256(join(new TextEncoder().encode(name + "\n"), raw))).subarray(0, 4));
    const end = note.indexOf("\n\n");
    const text = note.slice(0, end + 1);
    const [origin, size, root] = text.split("\n");
    if (end < 0 || keyID !== id || origin !== name || !/^(0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) throw new Error("its checkpoint is not one of the log that the signature names");
    const marks = note.slice(end + 2).split("\n").filter((l) => l.startsWith(`\u2014 ${name} `)).map((l) => base64(l.slice(name.length + 3)));
    const mark = marks.find((m) => m.length === 68 && hex(m.subarray(0, 4)) === id);
    if (!mark) throw new Error("its checkpoint is not signed by the log that the signature names");
    let holds;
    try {
      const public_ = await crypto.subtle.importKey("raw", raw.subarray(1), { name: "Ed25519" }, false, ["verify"]);
      holds = await crypto.subtle.verify({ name: "Ed25519" }, public_, mark.subarray(4), new TextEncoder().encode(text));
    } catch {
      throw new Unsupported();
    }
    if (!holds) throw new Error("its checkpoint is not signed by the log that the signature names");
    return { origin, size: Number(size), root: base64(root) };
  }

  // rootOf computes the root from a leaf and its inclusion proof (RFC 9162, 2.1.3.2); null where
  // the proof has another length.
  async function rootOf(index, size, leaf, proof) {
    if (index >= size) return null;
    let fn = index;
    let sn = size - 1;
    let r = leaf;
    for (const p of proof) {
      if (sn === 0) return null;
      if (fn % 2 === 1 || fn === sn) {
        r = await sha256(join(Uint8Array.of(1), p, r));
        while (fn % 2 === 0 && fn !== 0) {
          fn /= 2;
          sn = Math.floor(sn / 2);
        }
      } else {
        r = await sha256(join(Uint8Array.of(1), r, p));
      }
      fn = Math.floor(fn / 2);
      sn = Math.floor(sn / 2);
    }
    return sn === 0 ? r : null;
  }

  // lastSignature finds the signature that covers most, with what its dictionary says. The
  // dictionary's rest lies behind the signature, where the signature covers it.
  function lastSignature(bytes, file) {
    let last = null;
    for (const m of file.matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)) {
      const [from, gap, behind, rest] = m.slice(1).map(Number);
      if (from !== 0 || gap >= behind || behind + rest > bytes.length || m.index > gap) continue;
      if (!last || behind + rest > last.end) last = { gap, behind, end: behind + rest };
    }
    if (!last) return null;
    const more = file.slice(last.behind, file.indexOf("endobj", last.behind));
    last.reference = pdfString(more, "/VECD_Reference").toUpperCase();
    last.log = pdfString(more, "/VECD_Log");
    const pairs = file.slice(last.gap + 1, last.behind - 1).match(/[0-9a-fA-F]{2}/g) || [];
    last.der = Uint8Array.from(pairs, (h) => parseInt(h, 16));
    return last;
  }

  // pdfString reads the string behind a name.
  function pdfString(text, name) {
    const at = text.indexOf(name);
    if (at < 0) return "";
    const rest = text.slice(at + name.length).trimStart();
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
    let out = "";
    for (let i = 2; i + 1 < raw.length; i += 2) out += String.fromCharCode((raw.charCodeAt(i) << 8) | raw.charCodeAt(i + 1));
    return out;
  }

  // readCMS reads a signature (RFC 5652): its signed attributes, certificate and log proof.
  function readCMS(der) {
    const body = (n) => der.subarray(n.start, n.end);
    const [, content] = children(der, node(der, 0));
    const data = children(der, children(der, content)[0]);
    const certificates = data.find((n) => n.tag === 0xa0);
    const signer = children(der, children(der, data[data.length - 1])[0]);
    const serial = hex(body(children(der, signer[1])[1]));
    const s = {};
    for (const c of certificates ? children(der, certificates) : []) {
      const fields = children(der, children(der, c)[0]).filter((n) => n.tag !== 0xa0);
      if (hex(body(fields[0])) === serial) {
        s.certificate = der.slice(c.at, c.end);
        s.key = der.slice(fields[5].at, fields[5].end);
      }
    }
    const attributes = signer.find((n) => n.tag === 0xa0);
    s.attributes = der.slice(attributes.at, attributes.end);
    s.attributes[0] = 0x31; // they are signed as a SET
    s.signature = body(signer[signer.indexOf(attributes) + 2]);
    s.digestKind = hex(body(children(der, signer[2])[0]));
    for (const a of children(der, attributes)) {
      const [kind, values] = children(der, a);
      if (hex(body(kind)) === "2a864886f70d010904" && s.digestKind === "608648016503040201") s.digest = body(children(der, values)[0]);
    }
    const unsigned = signer.find((n) => n.tag === 0xa1);
    for (const a of unsigned ? children(der, unsigned) : []) {
      const [kind, values] = children(der, a);
      if (hex(body(kind)) === "6981fa8a9fcbd3c4dab8bfa6dc9785d1f4c3e647") s.proof = new TextDecoder().decode(body(children(der, values)[0]));
    }
    return s;
  }

  // verifySignature verifies with SHA-256; it throws where the browser does not know the key.
  async function verifySignature(s) {
    const kind = hex(s.key);
    if (kind.includes("2a864886f70d010101")) {
      const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      return crypto.subtle.verify(rsa, await crypto.subtle.importKey("spki", s.key, rsa, false, ["verify"]), s.signature, s.attributes);
    }
    const curve = kind.includes("2a8648ce3d030107") ? ["P-256", 32] : ["P-384", 48];
    const ecdsa = { name: "ECDSA", namedCurve: curve[0], hash: "SHA-256" };
    const key = await crypto.subtle.importKey("spki", s.key, ecdsa, false, ["verify"]);
    return crypto.subtle.verify(ecdsa, key, plainSignature(s.signature, curve[1]), s.attributes);
  }

  // plainSignature writes the two numbers of an ECDSA signature at their full length.
  function plainSignature(der, size) {
    const out = new Uint8Array(2 * size);
    children(der, node(der, 0)).forEach((n, i) => {
      let number = der.subarray(n.start, n.end);
      while (number.length > size && number[0] === 0) number = number.subarray(1);
      out.set(number, (i + 1) * size - number.length);
    });
    return out;
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
    return { tag: der[at], at, start, end: start + length };
  }

  function children(der, parent) {
    const all = [];
    for (let at = parent.start; at < parent.end; at = all[all.length - 1].end) all.push(node(der, at));
    return all;
  }

  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  function base64(text) {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error("it cannot be read");
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  }
  function join(...all) {
    const out = new Uint8Array(all.reduce((n, a) => n + a.length, 0));
    let at = 0;
    for (const a of all) {
      out.set(a, at);
      at += a.length;
    }
    return out;
  }

  function element(kind, text, className) {
    const made = document.createElement(kind);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // show shows a verdict, what the index has of the certificate, and the checks.
  function show({ verdict, entry, checks }) {
    const [kind, title, text] = verdict;
    const section = element("section", "", "verdict " + kind);
    section.append(element("h2", title), element("p", text));
    if (entry && entry.revocation) section.append(element("p", `Revoked on ${entry.revocation.at.slice(0, 10)}: ${entry.revocation.reason}`));
    if (entry && entry.superseded_by) section.append(element("p", "Replaced by " + entry.superseded_by));
    const all = [section];
    if (entry) {
      const list = element("dl");
      const facts = [["Title", entry.certificate_title], ["Name", entry.full_name], ["Date of issue", entry.issue_date], ["Valid until", entry.expiry_date], ["Institution", entry.institution],
        ["Reference ID", entry.reference_id], ["Replaces", entry.supersedes], ["SHA-256 of the verified PDF", entry.sha256]];
      for (const [label, value] of facts) {
        if (!value) continue;
        const cell = element("dd", value);
        cell.dir = "auto";
        list.append(element("dt", label), cell);
      }
      const about = element("section");
      about.append(element("h2", "The certificate"), list);
      all.push(about);
    }
    if (checks && checks.length) {
      const list = element("ul", "", "checks");
      for (const c of checks) list.append(element("li", c.text, c.state));
      const found = element("section");
      found.append(element("h2", "What was checked"), list);
      all.push(found);
    }
    result.replaceChildren(...all);
    result.focus();
  }

  const fail = (e) => show({ verdict: ["unsure", "Not checked", e.message + "."] });

  async function checkFile(file) {
    result.replaceChildren(element("p", "Reading the file\u2026"));
    try {
      await ready;
      if (!crypto.subtle) throw new Error("This browser checks signatures only on pages that come over HTTPS or are opened as a file");
      if (file.size > most) throw new Error("The file is larger than any certificate");
      show(await judge(new Uint8Array(await file.arrayBuffer())));
    } catch (e) {
      fail(e);
    }
  }

  async function lookUp(asked) {
    const found = asked.toUpperCase().match(/VEC-IC-[0-9A-F]{17}/);
    try {
      await ready;
      const entry = found && (await find(found[0]));
      if (entry) show({ verdict: stateOf(entry), entry });
      else show({ verdict: ["bad", "Unknown", "This site knows no certificate with this reference ID."] });
    } catch (e) {
      fail(e);
    }
  }

  const input = document.getElementById("file");
  input.addEventListener("change", () => input.files.length && checkFile(input.files[0]));
  document.getElementById("ask").addEventListener("submit", (e) => {
    e.preventDefault();
    lookUp(document.getElementById("reference").value);
  });
  document.addEventListener("dragover", (e) => e.preventDefault());
  document.addEventListener("drop", (e) => {
    e.preventDefault();
    if (e.dataTransfer.files.length) checkFile(e.dataTransfer.files[0]);
  });
  // A link to a certificate: index.html#REFERENCE.
  const follow = () => location.hash.length > 1 && lookUp(decodeURIComponent(location.hash.slice(1)));
  window.addEventListener("hashchange", follow);
  follow();
})();
