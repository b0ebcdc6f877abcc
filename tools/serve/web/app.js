// The page: takes pictures in, one way or another, and shows what the server says about each.

import * as api from "./api.js";
import { answered, el, failed, spoken, waiting } from "./card.js";
import { percent } from "./numbers.js";
import * as visit from "./visit.js";

const MOST_AT_ONCE = 2;
const $ = (id) => document.getElementById(id);
const app = $("app");
const limits = {
  bytes: Number(app.dataset.mostBytes) || Infinity,
  size: app.dataset.mostSize,
  pictures: Number(app.dataset.mostPictures) || 64,
};
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let number = 0;
let running = 0;
const queue = [];
let refused = [];

// ---- Answers ----

function tell(text) {
  $("say").textContent = text;
}

function showResults() {
  $("answers").hidden = false;
  app.classList.add("has-answers");
}

const words = { ok: "answered", uncertain: "uncertain", not_ecg: "no heartbeat picture" };

function row(entry) {
  const a = entry.answer;
  const at = new Date(entry.time);
  const thumb = entry.thumb ? el("img", { src: entry.thumb, alt: "" }) : el("span", { class: "none" });
  return el("tr", {},
    el("th", { scope: "row" }, el("a", { href: `#${entry.id}` }, thumb, el("bdi", {}, entry.name))),
    el("td", {}, a.status === "not_ecg" ? "none" : el("bdi", {}, a.class)),
    el("td", { class: "num" }, a.status === "not_ecg" ? "" : percent(a.probability)),
    el("td", {}, words[a.status]),
    el("td", {}, el("time", { datetime: entry.time }, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }))));
}

function showVisit() {
  $("rows").replaceChildren(...visit.all().map(row).reverse());
  $("visit").hidden = visit.all().length === 0;
}

// A small copy for the history; "" where the browser cannot make one.
async function small(blob) {
  try {
    const picture = await createImageBitmap(blob);
    const scale = Math.min(1, 320 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.85);
  } catch {
    return "";
  }
}

async function heatOf(file) {
  const answer = await api.predict(file, true);
  if (!answer.heatmap) throw new Error(answer.heatmap_error || "this model gives none");
  return answer.heatmap;
}

async function read(job) {
  const { file, name } = job;
  const start = performance.now();
  try {
    if (file.size > limits.bytes) throw new api.Trouble("The picture is too large", `This server takes up to ${limits.size}.`, 413);
    const answer = await api.predict(file, false);
    const ms = performance.now() - start;
    const entry = { id: job.id, name, time: new Date().toISOString(), model: app.dataset.sha256, ms, answer, thumb: await small(file) };
    entry.url = URL.createObjectURL(file);
    put(job, answered(entry, () => heatOf(file)));
    visit.add(entry);
    showVisit();
    tell(spoken(entry));
  } catch (error) {
    if (error.status === 401) askToken(job);
    put(job, failed(name, error, () => again(job)));
    tell(`${name}: no answer. ${error.message}`);
  }
}

function put(job, card) {
  job.card.replaceWith(card);
  job.card = card;
}

function again(job) {
  put(job, waiting(job.name));
  queue.push(job);
  work();
}

function work() {
  while (running < MOST_AT_ONCE && queue.length) {
    running++;
    $("cards").setAttribute("aria-busy", "true");
    read(queue.shift()).finally(() => {
      running--;
      if (!running && !queue.length) $("cards").removeAttribute("aria-busy");
      work();
    });
  }
}

// Takes pictures in; `what` names those that have no name of their own.
function take(files, what) {
  const list = [...files].slice(0, limits.pictures);
  if (!list.length) {
    tell("There was no picture in that.");
    return;
  }
  const jobs = list.map((file) => {
    const name = (what || file.name || "picture").normalize();
    return { id: `answer-${++number}`, file, name, card: waiting(name) };
  });
  showResults();
  $("cards").prepend(...jobs.map((job) => job.card));
  if (files.length > list.length) tell(`Only the first ${limits.pictures} of ${files.length} pictures are read.`);
  else tell(jobs.length === 1 ? `Reading ${jobs[0].name}` : `Reading ${jobs.length} pictures`);
  queue.push(...jobs);
  work();
  $("answers").scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "nearest" });
  if ($("answers").getBoundingClientRect().top > innerHeight - 160)
    $("answers").scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
}

// ---- Token ----

function askToken(job) {
  refused.push(job);
  $("key").hidden = false;
  $("token").focus();
  $("token").select();
}

$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  api.useToken($("token").value);
  $("key").hidden = true;
  const jobs = refused;
  refused = [];
  jobs.forEach(again);
});

// ---- Ways in ----

for (const id of ["file", "camera"])
  $(id).addEventListener("change", (event) => {
    if (event.target.files.length) take(event.target.files);
    event.target.value = "";
  });
$("form").addEventListener("submit", (event) => event.preventDefault());

$("samples").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    take([await api.fetchSample(button.value)], `sample: ${button.textContent.trim()}`);
  } catch (error) {
    tell(`The sample cannot be had: ${error.message}`);
  }
  button.removeAttribute("aria-busy");
});

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files || [])];
  if (!files.length) return;
  event.preventDefault();
  take(files, files.length === 1 && /^image\.\w+$/.test(files[0].name) ? "pasted picture" : undefined);
});

let inside = 0;
const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
const over = (on) => {
  inside = on ? inside : 0;
  $("over").hidden = !on;
};
document.addEventListener("dragenter", (event) => {
  if (!holdsFiles(event)) return;
  inside++;
  over(true);
});
document.addEventListener("dragleave", (event) => {
  if (holdsFiles(event) && --inside <= 0) over(false);
});
document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
});
document.addEventListener("drop", (event) => {
  over(false);
  if (!holdsFiles(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});

// ---- The visit ----

const stamp = () => new Date().toISOString().slice(0, 19).replaceAll(":", "-");
$("save-csv").addEventListener("click", () => visit.save(visit.csv(visit.all()), `heartbeats-${stamp()}.csv`, "text/csv"));
$("save-json").addEventListener("click", () => visit.save(visit.json(visit.all()), `heartbeats-${stamp()}.json`, "application/json"));
$("forget").addEventListener("click", () => {
  visit.forget();
  $("cards").replaceChildren();
  $("answers").hidden = true;
  app.classList.remove("has-answers");
  showVisit();
  tell("Forgotten.");
  $("file").focus();
});

document.documentElement.dataset.ready = "yes";
for (const entry of visit.recall()) {
  number = Math.max(number, Number(entry.id.slice(7)) || 0);
  entry.url = entry.thumb;
  showResults();
  $("cards").prepend(answered(entry, null));
}
showVisit();
