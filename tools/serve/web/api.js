// Talks to the server.

let token = sessionStorage.getItem("ecg-token") || "";

export function useToken(text) {
  token = text;
  sessionStorage.setItem("ecg-token", text);
}

export class Trouble extends Error {
  constructor(title, detail, status) {
    super(detail || title);
    this.title = title;
    this.status = status;
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// What the server said instead of an answer: a problem (RFC 9457), or anything else.
async function trouble(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not JSON: a proxy's page
  }
  const title = String(problem.title || response.statusText || "The server did not answer");
  return new Trouble(title, String(problem.detail || ""), response.status);
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Trouble("The server cannot be reached", "Is it still running, and are you connected to it?", 0);
  }
}

// The answer about the picture in `blob`, as the API gives it. A busy server is asked again.
export async function predict(blob, heat) {
  const headers = { Accept: "application/json", "Content-Type": blob.type || "application/octet-stream" };
  if (token) headers.Authorization = `Bearer ${token}`;
  for (let tries = 1; ; tries++) {
    const response = await send(`/api/v1/predict${heat ? "?heatmap=1" : ""}`, { method: "POST", headers, body: blob });
    if (response.ok) return response.json();
    const busy = response.status === 429 || response.status === 503;
    if (!busy || tries === 4) throw await trouble(response);
    await pause(1000 * Math.min(10, Math.max(0.3, Number(response.headers.get("Retry-After")) || 1)));
  }
}

export async function fetchSample(slug) {
  const response = await send(`/samples/${encodeURIComponent(slug)}.png`);
  if (!response.ok) throw await trouble(response);
  return new File([await response.blob()], `${slug}.png`, { type: "image/png" });
}
