// A run as something to pass on: a curl command, a test in Python, JSON. Pure: text in, text out.

import { answerOf, shortName } from "./format.js";

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

/** The shell command that does the same: an HTTP request for a function URL's event, else Lambda's Invoke or a run. */
export function asCurl(run, project, origin) {
  const target = project?.functions?.find((one) => one.id === run.id);
  if (run.kind === "function" && run.event?.requestContext?.http) return httpCurl(run.event, target?.url ?? `${origin}/`);
  if (run.kind === "function") {
    const name = encodeURIComponent(target?.name ?? shortName(run.id));
    return `curl ${quoted(`${origin}/2015-03-31/functions/${name}/invocations`)} \\\n  -d ${quoted(JSON.stringify(run.event))}`;
  }
  const body = Object.fromEntries(["kind", "id", "inputs", "model", "template", "system", "temperature", "max_tokens"]
    .filter((name) => run[name] !== null && run[name] !== undefined).map((name) => [name, run[name]]));
  return `curl -N ${quoted(`${origin}/_playground/api/run`)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`;
}

const OWN_HEADERS = /^(host|content-length|connection|accept-encoding|user-agent|x-forwarded-.*|x-amzn-.*|cookie)$/i;

function httpCurl(event, url) {
  const query = event.rawQueryString ? `?${event.rawQueryString}` : "";
  const address = url.replace(/\/$/, "") + (event.rawPath ?? "/") + query;
  const headers = Object.entries(event.headers ?? {}).filter(([name]) => !OWN_HEADERS.test(name)).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  if (event.cookies?.length) headers.push(`-H ${quoted(`cookie: ${event.cookies.join("; ")}`)}`);
  const method = event.requestContext.http.method ?? "GET";
  const request = [`curl -N -X ${method} ${quoted(address)}`, ...headers];
  if (event.body && event.isBase64Encoded) return `base64 -d <<< ${quoted(event.body)} | ${[...request, "--data-binary @-"].join(" \\\n  ")}`;
  return [...request, ...(event.body ? [`--data-raw ${quoted(event.body)}`] : [])].join(" \\\n  ");
}

/** JSON as a Python literal, indented like black would. */
export function asPython(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value) ? value.map((item) => asPython(item, deeper))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${asPython(item, deeper)}`);
  const line = `${open}${items.join(", ")}${close}`;
  if (line.length + indent.length < 90 && !line.includes("\n")) return line;
  return `${open}\n${items.map((item) => `${deeper}${item},\n`).join("")}${indent}${close}`;
}

/** A pytest module that gives the same input, lets the model say what it said, and expects the same answer. */
export function asTest(run) {
  const [module, name] = [run.id.split(".").slice(0, -1).join("."), shortName(run.id)];
  const answers = (run.calls ?? []).filter((call) => call.answer).map((call) => (call.answer.parts ?? []).filter((part) => part.type === "text").map((part) => part.text).join(""));
  const called = run.kind === "function" ? name : "ask";
  const lines = [
    `"""${run.id} answers as it did in the playground; the model's part is played back."""`, "",
    ...(needsJson(run) ? ["import json", ""] : []),
    `from ${module} import ${name}`, "",
    ...(run.kind === "function" ? [] : ["from lambdallm import handler"]),
    "from lambdallm.testing import MockLambdaContext, mock_model", "",
    `EVENT = ${asPython(run.kind === "function" ? run.event : run.inputs)}`, `ANSWERS = ${asPython(answers.length ? answers : ["unused"])}`, "", "",
    ...(run.kind === "function" ? [] : ["@handler", "def ask(event, context):", `    return ${invocation(run, name)}`, "", ""]),
    `def test_${name}():`, "    with mock_model(ANSWERS):", `        answer = ${called}(EVENT, MockLambdaContext())`, ...expectations(run), ""];
  return lines.join("\n");
}

const isHttp = (run) => run.kind === "function" && Boolean(run.event?.requestContext?.http);
const needsJson = (run) => isHttp(run) && typeof run.result !== "string" && run.result !== null; // a function has no other answer

function invocation(run, name) {
  return run.kind === "prompt" ? `${name}.invoke(context, **event)` : `${name}.run(context, **event).output`;
}

function expectations(run) {
  const status = isHttp(run) && run.status ? [`    assert answer["statusCode"] == ${run.status}`] : [];
  const body = needsJson(run) ? 'json.loads(answer["body"])' : isHttp(run) ? 'answer["body"]' : "answer";
  return [...status, `    assert ${body} == ${asPython(answerOf(run), "    ")}`];
}
