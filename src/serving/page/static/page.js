"use strict";
// No framework: a form, an answer, and counts that are asked for while the page is looked at.
const $ = (id) => document.getElementById(id);
const FEW = 200; // rows below which a PSI is large by chance
let key = "";

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function tidy(number) {
  return String(Number(number.toPrecision(6)));
}

function headers(more = {}) {
  return key ? { ...more, "X-API-Key": key } : more;
}

function bars(pairs, label, most) {
  const [width, left, row] = [430, 150, 24];
  const longest = most || Math.max(...pairs.map(([, value]) => Math.abs(value)), 1e-9);
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const add = (name, text, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    made.textContent = text;
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    drawing.append(made);
  };
  drawing.setAttribute("role", "img");
  drawing.setAttribute("viewBox", `0 0 ${width} ${pairs.length * row}`);
  drawing.setAttribute("width", width);
  add("title", label, {});
  pairs.forEach(([name, value, kind = ""], place) => {
    const length = Math.max((Math.abs(value) / longest) * 210, 1);
    const short = name.length > 20 ? name.slice(0, 19) + "…" : name;
    add("text", short, { x: left - 10, y: place * row + 16, class: "end" });
    add("rect", "", { x: left, y: place * row + 4, width: length, height: 15, rx: 2, class: "bar " + kind });
    add("text", Math.abs(value) < 100 ? value.toFixed(3) : tidy(value), { x: left + length + 8, y: place * row + 16, class: "value" });
  });
  return drawing;
}

function values(form) {
  const row = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.value === "") row[field.name] = null;
    else if (field.dataset.type === "boolean") row[field.name] = field.value === "true";
    else if (field.dataset.type === "float" || field.dataset.type === "integer") row[field.name] = Number(field.value);
    else row[field.name] = field.value;
  }
  return row;
}

function showCalls(row) {
  const url = new URL("predict", location.href).href;
  const body = JSON.stringify(row);
  const needsKey = document.body.dataset.needsKey;
  const quoted = body.replaceAll("'", "'\\''");
  const calls = {
    curl: `curl ${url} -H 'Content-Type: application/json'${needsKey ? ' -H "X-API-Key: $API_KEY"' : ""} \\\n  -d '${quoted}'`,
    Python: `import json, os, urllib.request\n\nrow = json.loads(${JSON.stringify(body)})\n` +
      `request = urllib.request.Request(\n    ${JSON.stringify(url)},\n    json.dumps(row).encode(),\n` +
      `    {"Content-Type": "application/json"${needsKey ? ', "X-API-Key": os.environ["API_KEY"]' : ""}},\n)\n` +
      "print(json.load(urllib.request.urlopen(request)))",
    JavaScript: `const answer = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n` +
      `  headers: { "Content-Type": "application/json"${needsKey ? ', "X-API-Key": apiKey' : ""} },\n` +
      `  body: JSON.stringify(${body}),\n});\nconsole.log(await answer.json());`,
  };
  $("code").replaceChildren();
  for (const [language, text] of Object.entries(calls)) {
    const copy = element("button", "Copy", { type: "button", class: "copy", "aria-label": `Copy the ${language} call` });
    copy.addEventListener("click", () => navigator.clipboard?.writeText(text).then(() => { copy.textContent = "Copied"; }));
    const head = element("p", language + " ");
    head.append(copy);
    $("code").append(head, element("pre", text, { tabindex: "0", role: "region", "aria-label": language }));
  }
  $("calls").hidden = false;
}

async function predict(event) {
  event.preventDefault();
  const form = event.target;
  const row = values(form);
  for (const field of form.elements) {
    field.removeAttribute("aria-invalid");
    field.parentElement.querySelector(".wrong")?.remove();
  }
  const ask = (path) => fetch(path, {
    method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(row),
  });
  let response;
  try {
    response = await ask("predict?explain=true");
    if (response.status === 409) response = await ask("predict"); // this model cannot say why
  } catch {
    $("answer").replaceChildren(element("p", "The server cannot be reached.", { class: "wrong" }));
    return;
  }
  showCalls(row);
  const answer = await response.json();
  if (!response.ok) {
    for (const one of answer.errors || []) {
      const field = one.field && form.elements[one.field];
      if (!field) continue;
      field.setAttribute("aria-invalid", "true");
      field.parentElement.append(element("span", one.detail, { class: "wrong hint" }));
    }
    const wait = response.headers.get("Retry-After");
    $("answer").replaceChildren(element("p", answer.detail + (wait ? ` Wait ${wait} seconds.` : ""), { class: "wrong" }));
    return;
  }
  const shown = [element("h3", typeof answer.prediction === "number" ? tidy(answer.prediction) : answer.prediction)];
  if (answer.interval) {
    const { lower, upper, coverage } = answer.interval;
    shown.push(element("p", `${tidy(lower)} to ${tidy(upper)} in ${Math.round(coverage * 100)} % of such cases`, { class: "muted" }));
  }
  for (const warning of answer.warnings || []) shown.push(element("p", warning.detail || warning, { class: "muted" }));
  const pairs = Object.entries(answer.probabilities || {}).sort((one, other) => other[1] - one[1]).slice(0, 10);
  if (pairs.length) shown.push(bars(pairs, "Probability of each class", 1));
  if (answer.explanation) {
    const why = Object.entries(answer.explanation.contributions)
      .map(([name, parts]) => [name, typeof parts === "number" ? parts : parts[answer.prediction]])
      .sort((one, other) => Math.abs(other[1]) - Math.abs(one[1])).slice(0, 10)
      .map(([name, value]) => [name, value, value < 0 ? "minus" : ""]);
    shown.push(element("h4", `Why ${shown[0].textContent}`));
    shown.push(element("p", `Contribution of each column (${answer.explanation.method})`, { class: "muted" }));
    shown.push(bars(why, "Contribution of each column"));
  }
  $("answer").replaceChildren(...shown);
}

function tile(name, value) {
  const made = element("div", name, { class: "tile" });
  made.prepend(element("b", value));
  return made;
}

function showDrift(columns) {
  const shown = columns.filter((one) => one.psi !== null).sort((one, other) => other.psi - one.psi).slice(0, 15);
  if (!shown.length) {
    $("drift").replaceChildren(element("p", "No rows were answered yet.", { class: "muted" }));
    return;
  }
  const open = new Set([...$("drift").querySelectorAll("details[open]")].map((one) => one.dataset.name));
  const parts = shown.map((one) => {
    const made = element("details", "", { "data-name": one.name });
    made.open = open.has(one.name);
    made.append(element("summary", `${one.name}: ${one.rows < FEW ? "too few rows" : one.psi.toFixed(3)}, ${one.rows} ${one.rows === 1 ? "row" : "rows"}`));
    const pairs = one.bins.flatMap((bin) => [[bin.name.replace(/^\d+ /, ""), bin.served], ["training", bin.training, "second"]]);
    made.append(bars(pairs, `Served and training rows of ${one.name} by bin`));
    return made;
  });
  $("drift").replaceChildren(element("p", `Under 0.1 is stable, over 0.25 has drifted; it takes ${FEW} rows to tell.`, { class: "muted" }), ...parts);
}

async function refresh() {
  if (document.hidden) return;
  let response;
  try {
    response = await fetch("page/live", { headers: headers() });
  } catch {
    $("since").textContent = "The server cannot be reached.";
    return;
  }
  if (!response.ok) return;
  const now = await response.json();
  const minutes = now.seconds < 120 ? `${Math.round(now.seconds)} seconds` : `${Math.round(now.seconds / 60)} minutes`;
  $("now").hidden = false;
  $("since").textContent = `Counted by this server process since it started, ${minutes} ago.`;
  $("tiles").replaceChildren(
    tile("requests", now.requests), tile("4xx and 5xx", now.errors), tile("5xx", now.failures),
    tile("median", now.p50_ms === null ? "–" : `${now.p50_ms} ms`), tile("p99", now.p99_ms === null ? "–" : `${now.p99_ms} ms`),
    tile("readiness", now.ready ? "ready" : "not ready"),
  );
  $("source").textContent = now.source || "";
  $("mix").replaceChildren(bars(now.predictions.slice(0, 13).flatMap((one) =>
    [[one.name, one.served], ["training", one.training, "second"]]), "Share of each class, served and in training", 1));
  showDrift(now.columns);
}

async function showModel() {
  if (!$("model-parts").children.length) {
    const response = await fetch("page/model", { headers: headers() });
    if (response.status === 401 || response.status === 403) {
      $("key").hidden = false;
      if (key) $("key-problem").textContent = "This key is not valid.";
      $("api-key").focus();
      return;
    }
    $("empty").hidden = response.ok;
    if (!response.ok) {
      setTimeout(showModel, 5000);
      return;
    }
    $("model-parts").innerHTML = await response.text(); // made by our server, which escapes every text
  }
  $("key").hidden = true;
  $("form").addEventListener("submit", predict);
  document.title = $("model").textContent + " · mlops-core";
  refresh();
  setInterval(refresh, 5000);
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("api-key").value;
  $("api-key").value = "";
  $("key-problem").textContent = "";
  showModel();
});
showModel();
