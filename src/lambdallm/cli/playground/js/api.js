// The server's protocol: JSON by fetch, a run as server-sent events in the answer to a POST. Knows nothing of the page.

const ROOT = new URL("api/", document.baseURI);

/** The server refused, or could not be reached. */
export class ServerError extends Error {}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, ROOT), { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("lambdallm dev can't be reached. Is it still running?");
  }
  if (!response.ok) throw new ServerError(await refusal(response));
  return response;
}

async function refusal(response) {
  const text = (await response.text()).trim();
  try {
    const said = JSON.parse(text);
    const message = said.errorMessage ?? said.error?.errorMessage ?? said.error ?? said.message;
    if (typeof message === "string") return message;
  } catch { /* it is not JSON */ }
  return text.slice(0, 500) || `The server answered ${response.status}.`;
}

const post = (path, body, signal) => ask(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
});

export const getProject = async () => (await ask("project")).json();
export const getRuns = async () => (await (await ask("runs")).json()).runs;
export const getRun = async (id) => (await ask(`runs/${encodeURIComponent(id)}`)).json();
export const stopRun = (id) => post("stop", { run: id });

/** Start a run; yields [event, data] as they arrive. */
export async function* startRun(body, signal) {
  const response = await post("run", body, signal);
  yield* serverSentEvents(response.body);
}

/** The events of a `text/event-stream` body, each as [name, data], data being JSON. */
export async function* serverSentEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsedBlock(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsedBlock(block) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  return data.length ? [name, JSON.parse(data.join("\n"))] : null;
}

/** Hear of reloaded code, of runs from elsewhere and of log lines, for as long as the page is open. */
export function watch({ onProject, onRun, onLog, onOpen, onLost }) {
  const source = new EventSource(new URL("watch", ROOT));
  source.addEventListener("open", onOpen);
  source.addEventListener("error", onLost);
  source.addEventListener("project", onProject);
  source.addEventListener("run", (event) => onRun(JSON.parse(event.data)));
  source.addEventListener("log", (event) => onLog(JSON.parse(event.data)));
  return source;
}
