// What was answered in this visit: kept in this tab only, and saved as a file on request.

import { digits } from "./numbers.js";

const PLACE = "ecg-visit";
const MOST = 100;

let entries = [];

export function all() {
  return entries;
}

export function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE) || "[]");
    entries = Array.isArray(kept) ? kept : [];
  } catch {
    entries = [];
  }
  return entries;
}

// Where the browser gives too little room, the oldest pictures go first, then the oldest answers.
function store() {
  for (let bare = 0; ; bare++) {
    const lines = entries.map(({ url, ...rest }, i) => (i < bare ? { ...rest, thumb: "" } : rest));
    try {
      sessionStorage.setItem(PLACE, JSON.stringify(lines));
      return;
    } catch {
      if (bare >= entries.length) {
        sessionStorage.removeItem(PLACE);
        return;
      }
    }
  }
}

export function add(entry) {
  entries.push(entry);
  if (entries.length > MOST) entries.splice(0, entries.length - MOST);
  store();
}

export function forget() {
  entries = [];
  sessionStorage.removeItem(PLACE);
}

// A field of CSV. What a spreadsheet would take for a formula gets an apostrophe before it.
export function field(value) {
  if (typeof value === "number") return digits(value);
  const text = String(value ?? "");
  const safe = /^[\s]*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n;']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(list) {
  const classes = [...new Set(list.flatMap((e) => Object.keys(e.answer.probabilities)))];
  const head = ["time", "image", "class", "probability", "status", "reasons", "ms", "sha256", "model"];
  const lines = [[...head, ...classes.map((name) => `p:${name}`)]];
  for (const { name, time, model, answer: a } of list)
    lines.push([time, name, a.class, a.probability, a.status, (a.reasons || []).join("; "), a.ms, a.sha256, model,
      ...classes.map((c) => a.probabilities[c] ?? "")]);
  return lines.map((line) => line.map(field).join(",") + "\r\n").join("");
}

export function json(list) {
  return JSON.stringify(list.map(({ name, time, model, answer }) => ({ time, model, ...answer, image: name })), null, 2) + "\n";
}

export function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
