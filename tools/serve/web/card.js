// One picture and what is said about it.

import { digits, duration, percent } from "./numbers.js";

const MOST_BARS = 12;
const SVG = "http://www.w3.org/2000/svg";

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// What the page says about a class: its page and one sentence.
function known(name) {
  for (const item of document.querySelectorAll("#kinds [data-class]"))
    if (item.dataset.class === name)
      return { href: item.querySelector("a").getAttribute("href"), brief: item.querySelector("p").textContent };
  return { href: "/classes", brief: "" };
}

function bar(p) {
  const svg = document.createElementNS(SVG, "svg");
  const rect = document.createElementNS(SVG, "rect");
  svg.setAttribute("viewBox", "0 0 100 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  rect.setAttribute("width", String(100 * p));
  rect.setAttribute("height", "1");
  svg.append(rect);
  return svg;
}

function table(caption, rows, best) {
  const head = el("tr", {}, el("th", { scope: "col" }, "Class"), el("td"), el("th", { scope: "col" }, "Probability"));
  const body = el("tbody");
  for (const [name, p] of rows)
    body.append(
      el("tr", { class: name === best ? "best" : undefined },
        el("th", { scope: "row" }, el("a", { href: known(name).href }, el("bdi", {}, name))),
        el("td", { class: "bar" }, bar(p)),
        el("td", { class: "num" }, el("data", { value: digits(p) }, percent(p)))));
  return el("table", { class: "bars" }, el("caption", {}, caption), el("thead", { class: "unseen" }, head), body);
}

function bars(answer) {
  const rows = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  const first = table("How likely each class is", rows.slice(0, MOST_BARS), answer.class);
  if (rows.length <= MOST_BARS) return first;
  const rest = el("details", {}, el("summary", {}, `${rows.length - MOST_BARS} more`),
    table("The others", rows.slice(MOST_BARS), answer.class));
  return el("div", {}, first, rest);
}

function fact(name, ...value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
}

function facts(entry) {
  const a = entry.answer;
  const model = document.getElementById("app").dataset;
  const took = entry.ms ? `${duration(a.ms)} on the server, ${duration(entry.ms)} in all` : duration(a.ms);
  const list = el("dl", { class: "facts" },
    a.status === "not_ecg" ? null : fact("Probability", el("span", { class: "exact" }, digits(a.probability))),
    a.width ? fact("Picture", `${a.width}\u202f×\u202f${a.height}`) : null,
    fact("Time", took),
    a.sha256 ? fact("SHA-256", el("code", { title: a.sha256 }, `${a.sha256.slice(0, 16)}…`)) : null,
    fact("Model", el("a", { href: "/about", title: model.sha256 }, el("bdi", {}, model.model))));
  if (a.kept !== undefined) list.append(fact("Kept", a.kept === true ? "yes" : `no${a.kept_error ? `: ${a.kept_error}` : ""}`));
  return list;
}

function reasons(answer) {
  if (!answer.reasons?.length) return null;
  return el("ul", { class: "reasons" }, ...answer.reasons.map((text) => el("li", {}, text)));
}

function classLine(answer, before) {
  return el("h3", { tabindex: "-1" }, before || null, el("bdi", { class: "class" }, answer.class), " ",
    el("span", { class: "share" }, percent(answer.probability)));
}

function say(entry) {
  const a = entry.answer;
  const { href, brief } = known(a.class);
  const more = el("a", { href }, "About ", el("bdi", {}, a.class));
  if (a.status === "not_ecg")
    return [
      el("p", { class: "chip" }, "No answer"),
      el("h3", { tabindex: "-1" }, "Not a heartbeat picture"),
      el("p", { class: "brief" }, "It does not look like the pictures that this model was made from, so its answer would mean nothing."),
      reasons(a),
      el("details", {}, el("summary", {}, "What the network would have said"), bars(a)),
    ];
  if (a.status === "uncertain")
    return [
      el("p", { class: "chip" }, "Uncertain"),
      classLine(a, "Perhaps "),
      el("p", { class: "brief" }, "The model is not sure enough to answer. Ask somebody who can read an ECG. ", more),
      reasons(a),
      bars(a),
    ];
  return [el("p", { class: "chip" }, "Answer"), classLine(a), el("p", { class: "brief" }, brief, " ", more), bars(a)];
}

// The picture, and a button that lays the heat over it. `heat` fetches it, once; null: it cannot be had.
function shot(entry, heat) {
  const img = el("img", { src: entry.url, alt: `Your picture ${entry.name}` });
  const plain = entry.url;
  const figure = el("figure", { class: "shot" }, img, el("figcaption", {}, el("bdi", {}, entry.name)));
  if (!heat) return figure;
  const button = el("button", { type: "button", class: "button quiet heat", "aria-pressed": "false" }, "Heatmap");
  const note = el("p", { class: "small", hidden: true });
  let hot = null;
  button.addEventListener("click", async () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    note.hidden = true;
    if (on && !hot) {
      button.setAttribute("aria-busy", "true");
      try {
        hot = await heat();
      } catch (error) {
        note.textContent = `No heatmap: ${error.message}`;
        note.hidden = false;
      }
      button.removeAttribute("aria-busy");
      if (!hot) return;
    }
    button.setAttribute("aria-pressed", String(on));
    img.src = on ? hot : plain;
    img.alt = on ? `${entry.name} with its heatmap: coloured is what speaks for the answer` : `Your picture ${entry.name}`;
    note.textContent = "Colour: what speaks for the answer, from yellow to purple.";
    note.hidden = !on;
  });
  figure.append(button, note);
  return figure;
}

export function waiting(name) {
  return el("article", { class: "card waiting", "aria-label": name },
    el("div", { class: "say" }, el("p", { class: "chip" }, "Reading"), el("h3", {}, el("bdi", {}, name)), el("div", { class: "pulse" })));
}

export function answered(entry, heat) {
  const kind = entry.answer.status === "not_ecg" ? "not-ecg" : entry.answer.status;
  return el("article", { class: `card ${kind}`, id: entry.id, "aria-label": entry.name },
    el("div", { class: "shots" }, shot(entry, heat)),
    el("div", { class: "say" }, ...say(entry).filter(Boolean), facts(entry)));
}

export function failed(name, error, again) {
  const button = el("button", { type: "button", class: "button quiet" }, "Try again");
  button.addEventListener("click", again);
  return el("article", { class: "card failed", "aria-label": name },
    el("div", { class: "say" }, el("p", { class: "chip" }, "No answer"), el("h3", {}, el("bdi", {}, name)),
      el("p", { class: "brief" }, error.title && error.title !== error.message ? `${error.title}. ` : "", error.message),
      el("p", {}, button)));
}

// One sentence for those who listen.
export function spoken(entry) {
  const a = entry.answer;
  if (a.status === "not_ecg") return `${entry.name}: not a heartbeat picture.`;
  return `${entry.name}: ${a.status === "uncertain" ? "uncertain, perhaps " : ""}${a.class}, ${percent(a.probability)}.`;
}
