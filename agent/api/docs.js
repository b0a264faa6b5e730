"use strict";
// Draws the API's description. Everything is put in as text, never as markup.

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== ""));
  return element;
};

// inline is a text in which `backquotes` mark code.
const inline = (text) => (text || "").split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
const prose = (text, attributes = {}) => make("p", attributes, ...inline(text));

// The languages of the samples, and which one is shown. Each choice counts for the whole page.
const languages = { curl: "curl", php: "PHP", node: "Node", python: "Python" };
const base = new URL(".", location.href).href.replace(/\/$/, "");
const show = (chosen) => {
  for (const tab of document.querySelectorAll(".samples button[data-language]")) {
    tab.setAttribute("aria-pressed", String(tab.dataset.language === chosen));
  }
  for (const sample of document.querySelectorAll(".samples pre")) sample.hidden = sample.dataset.language !== chosen;
};

// samples shows a call in each language.
const samplesOf = (texts) => {
  const box = make("div", { class: "samples" });
  const bar = make("div", { class: "bar", role: "group", "aria-label": "Language of the samples" });
  for (const [name, label] of Object.entries(languages)) {
    const tab = make("button", { type: "button", "data-language": name }, label);
    tab.addEventListener("click", () => {
      const before = tab.getBoundingClientRect().top;
      show(name);
      scrollBy(0, tab.getBoundingClientRect().top - before); // samples above may have grown
    });
    bar.append(tab);
  }
  const copy = make("button", { type: "button", class: "copy" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(box.querySelector("pre:not([hidden])").textContent);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select and copy it by hand";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  });
  if (navigator.clipboard) bar.append(copy);
  box.append(bar, ...Object.keys(languages).map((name) => make("pre", { "data-language": name, tabindex: "0" }, (texts[name] || "").replaceAll("BASE_URL", base))));
  return box;
};

const resolver = (spec) => function resolve(thing) {
  if (!thing || !thing.$ref) return thing || {};
  return resolve(thing.$ref.slice(2).split("/").reduce((at, key) => at[key], spec));
};

const draw = ([spec, samples]) => {
  const resolve = resolver(spec);

  const typeOf = (schema) => {
    const s = resolve(schema);
    if (s.oneOf) return s.oneOf.map(typeOf).join(" or ");
    if (s.enum) return s.enum.join(" | ");
    if (s.const) return s.const;
    if (s.type === "array") return "array of " + typeOf(s.items);
    const type = Array.isArray(s.type) ? s.type.join(" or ") : s.type || "any";
    return s.format ? `${type} (${s.format})` : type;
  };

  const table = (heads, rows) => make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, ...[cell].flat()))))));

  const fields = (schema) => {
    const s = resolve(schema);
    const required = s.required || [];
    return table(["Field", "Type", ""], Object.entries(s.properties || {}).map(([name, field]) => [
      make("code", {}, name), typeOf(field),
      inline([required.includes(name) ? "Required." : "", resolve(field).description || ""].filter(Boolean).join(" ")),
    ]));
  };

  // sample is an example of a schema, as far as it goes.
  const sample = (schema, depth = 0) => {
    const s = resolve(schema);
    if (s.oneOf) return sample(s.oneOf[0], depth);
    if (s.const !== undefined) return s.const;
    if (s.enum) return s.enum[0];
    if (s.examples) return s.examples[0];
    const type = Array.isArray(s.type) ? s.type[0] : s.type;
    if (type === "object") {
      return Object.fromEntries(Object.entries(s.properties || {}).map(([name, field]) => [name, sample(field, depth + 1)]));
    }
    if (type === "array") return depth > 6 ? [] : [sample(s.items, depth + 1)];
    if (type === "integer" || type === "number") return 1;
    if (type === "boolean") return true;
    if (type === "null") return null;
    return s.format || "text";
  };

  const body = (content) => Object.entries(content || {}).flatMap(([media, { schema, example }]) => {
    if (media !== "application/json") return [make("p", { class: "quiet" }, media)];
    return [make("pre", {}, JSON.stringify(example === undefined ? sample(schema) : example, null, 2))];
  });

  const operation = (path, method, op) => {
    const parameters = (op.parameters || []).map(resolve);
    const media = Object.keys(op.requestBody?.content || {});
    const request = op.requestBody?.content?.[media[0]]?.schema;
    const codes = Object.entries(op.responses);
    return make("section", { id: op.operationId },
      make("h2", {}, op.summary),
      make("p", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path)),
      prose(op.description),
      ...(samples[op.operationId] ? [samplesOf(samples[op.operationId])] : []),
      ...(parameters.length ? [make("h3", {}, "Parameters"), table(["Name", "In", "Type", ""], parameters.map((p) =>
        [make("code", {}, p.name), p.in, typeOf(p.schema), inline(p.description)]))] : []),
      ...(request ? [make("h3", {}, "Body"), make("p", { class: "quiet" }, media.join(", ")),
        prose(op.requestBody.description || ""), fields(request)] : []),
      make("h3", {}, "Answers"),
      table(["Status", ""], codes.map(([code, answer]) => [make("code", {}, code), resolve(answer).description || ""])),
      ...codes.filter(([code]) => code.startsWith("2")).flatMap(([, answer]) => body(resolve(answer).content)));
  };

  const calls = Object.entries(spec.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => method !== "head").map(([method, op]) => [path, method, op]));
  document.title = spec.info.title + " API";
  document.getElementById("contents").append(...calls.map(([, method, op]) =>
    make("a", { href: "#" + op.operationId }, make("span", { class: "method" }, method.toUpperCase()), op.summary)));
  document.getElementById("reference").replaceChildren(
    make("h1", {}, spec.info.title), prose(spec.info.summary), prose(spec.info.description),
    make("p", {}, "In the samples, ", make("code", {}, "YOUR_API_TOKEN"), " stands for a token, ", make("code", {}, "certificate.pdf"), " for a file of yours, and IDs for those of your vault."),
    make("p", {}, make("a", { href: "openapi.json" }, "openapi.json"), ", the description for programs · ",
      make("a", { href: "docs/collection.json", download: "certificate-vault.postman_collection.json" }, "Collection for Postman and Bruno"),
      ", which asks for the token once, as the variable ", make("code", {}, "token"), "."),
    ...calls.map((call) => operation(...call)));
  show("curl");
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

Promise.all(["openapi.json", "docs/samples.json"].map((file) => fetch(file).then((answer) => answer.json())))
  .then(draw)
  .catch((error) => {
    document.getElementById("reference").replaceChildren(prose("The description could not be drawn: " + error.message));
  });
