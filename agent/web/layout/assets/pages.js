"use strict";

// The check of a file: its SHA-256, made here in the browser, is compared with
// that of the document as it was issued. Nothing is sent.
(() => {
  const box = document.querySelector("[data-sha256]");
  if (!box) return;
  const input = box.querySelector("input[type=file]");
  const result = box.querySelector("output");
  box.hidden = false;

  const say = (word) => {
    result.className = word;
    result.textContent = box.getAttribute("data-" + word);
  };

  let turn = 0;
  input.addEventListener("change", async () => {
    const mine = ++turn;
    const file = input.files[0];
    if (!file) {
      result.textContent = "";
      return;
    }
    say("reading");
    try {
      const sum = await sha256(await file.arrayBuffer());
      if (mine === turn) say(sum === box.dataset.sha256 ? "same" : "other");
    } catch {
      if (mine === turn) say("unreadable");
    }
  });

  // Browsers lend their own SHA-256 to secure pages only; elsewhere ours does it.
  async function sha256(buffer) {
    if (globalThis.crypto && crypto.subtle) {
      return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", buffer)));
    }
    return hex(digest(new Uint8Array(buffer)));
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
