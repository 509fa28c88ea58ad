"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const fields = data.fields || [["kind", "passed or rejected"], ["style", "style"], ["category", "category"], ["tools", "tool"],
  ["stage", "failed at"], ["reason", "reason"], ["wording", "wording"], ["writer", "writer"], ["split", "part"]];
const chosen = {};
let search = "", shown = 0, found = [];
const PAGE = 50;

function valuesOf(row, field) {
  const value = row[field];
  return Array.isArray(value) ? value : value ? [value] : [];
}

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function buildFilters() {
  const form = document.getElementById("filters");
  const text = element("label", "search");
  const input = element("input");
  input.type = "search";
  input.addEventListener("input", () => { search = input.value.toLowerCase(); apply(); });
  text.append(input);
  form.append(text);
  for (const [field, title] of fields) {
    const counts = new Map();
    for (const row of data.rows) for (const v of valuesOf(row, field)) counts.set(v, (counts.get(v) || 0) + 1);
    if (counts.size < 2 && field !== "kind") continue;
    const label = element("label", title), select = element("select");
    select.append(new Option("all", ""));
    for (const [value, n] of [...counts].sort((a, b) => b[1] - a[1])) select.append(new Option(`${value} (${n})`, value));
    select.addEventListener("change", () => { chosen[field] = select.value; apply(); });
    label.append(select);
    form.append(label);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}

function matches(row) {
  for (const [field, value] of Object.entries(chosen)) if (value && !valuesOf(row, field).includes(value)) return false;
  if (!search) return true;
  return [row.id, row.detail || "", ...row.steps.map((s) => s.text + "\n" + (s.end || ""))].join("\n").toLowerCase().includes(search);
}

async function unpacked(place) {
  const text = atob(document.getElementById("packed" + place).textContent);
  const stream = new Blob([Uint8Array.from(text, (c) => c.charCodeAt(0))]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("deflate"))).text();
}

function restOf(step) {
  const made = element("details", undefined, "rest"), said = element("span");
  made.append(element("summary", ` … ${step.characters.toLocaleString("en")} characters more … `), said);
  made.addEventListener("toggle", async () => {
    if (!made.open) { said.textContent = ""; return; }
    try { said.textContent = await unpacked(step.rest); }
    catch (error) { said.textContent = `(this browser cannot unpack them: ${error}; the whole text is in samples.jsonl)`; }
  });
  return made;
}

function article(row) {
  const good = row.good === undefined ? row.kind === "passed" : row.good;
  const made = element("article", undefined, (good ? "row good" : "row bad") + (data.fields ? " answers" : ""));
  for (const step of row.steps) {
    const line = element("p", undefined, "step");
    const said = element("span", undefined, step.who === "call" ? "call" : "");
    if (step.mark) said.append(element("b", step.mark, step.mark), " ");
    said.append(step.text);
    if (step.rest !== undefined) said.append(restOf(step), step.end);
    if (step.image) {
      const image = element("img");
      image.src = step.image;
      image.alt = step.text;
      image.loading = "lazy";
      said.append(image);
    }
    if (step.note) said.append(element("span", step.mark ? ` (${step.note})` : ` … (${step.note})`, "meta"));
    line.append(element("span", step.who, "who"), said);
    made.append(line);
  }
  if (row.reason) {
    const why = element("p", undefined, "why");
    why.append(element("b", `${row.stage}: ${row.reason}. `), row.detail);
    made.append(why);
  }
  if (row.evidence && row.evidence.length) {
    const from = element("details");
    from.append(element("summary", "where the arguments come from"));
    for (const one of row.evidence) from.append(element("p", one, "meta"));
    made.append(from);
  }
  const about = [row.task, row.style, row.wording, row.writer, row.split, row.id];
  if (row.offered && row.offered.length) about.push(`${row.offered.length} on offer`);
  made.append(element("p", about.filter(Boolean).join(" · "), "meta"));
  return made;
}

function more() {
  const list = document.getElementById("rows");
  for (const row of found.slice(shown, shown + PAGE)) list.append(article(row));
  shown = Math.min(found.length, shown + PAGE);
  document.getElementById("more").hidden = shown >= found.length;
}

function apply() {
  found = data.rows.filter(matches);
  shown = 0;
  document.getElementById("rows").replaceChildren();
  const all = Object.values(data.all).reduce((sum, n) => sum + n, 0);
  const which = data.left_out ? `drawn evenly from each task with seed ${data.seed}`
    : `drawn evenly from all of them with seed ${data.seed}`;
  const out = Object.entries(data.left_out || {}).map(([task, n]) => `${n} of ${task}`).join(", ");
  const cut = data.rows.length < all
    ? ` The page holds ${data.rows.length} of ${all} rows, ${which}${out && "; left out are " + out}.` : "";
  const folded = search && data.rows.some((row) => row.steps.some((s) => s.rest !== undefined));
  const reach = folded ? " A search looks at what stands open of long texts." : "";
  document.getElementById("count").textContent = `${found.length} of ${data.rows.length} rows.${cut}${reach}`;
  more();
}

document.getElementById("more").addEventListener("click", more);
buildFilters();
apply();
