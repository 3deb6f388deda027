"use strict";
const byId = id => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const rows = data.queries.length;
const columns = data.keys.length;
const layers = data.layers.map(layer => decoded(layer.weights)); // [heads, rows, columns]; 65535 stands for data.top
const colours = data.colours.match(/.{6}/g).map(hex => [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16)));
const shown = { layer: 0, head: 0, word: 0, key: -1 };
const MOST_RANKS = 12;
const MOST_LINES = 24;
let dark = false;

function decoded(base64) {
  const bytes = atob(base64);
  const weights = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < weights.length; i++) {
    weights[i] = bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8;
  }
  return weights;
}

function weight(layer, head, query, key) {
  return layers[layer][(head * rows + query) * columns + key] / 65535 * data.top;
}

/** The colour of a weight, by its square root; on a light ground more is darker. */
function colour(value) {
  const step = Math.round(255 * Math.sqrt(Math.min(1, value / data.top)));
  return colours[dark ? step : 255 - step];
}

function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

/** Black or white, whichever stands out from the colour. */
function inkOn([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#1d1a26" : "#ffffff";
}

function number(value) {
  return value >= 0.0005 ? value.toFixed(3) : "0";
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The parts become all that the parent has. */
function fill(parent, parts) {
  parent.replaceChildren();
  parts.forEach(part => parent.append(part));
}

/** A head as pixels, one a weight; of more than mostPixels in a row or column, one for the largest of several. */
function paintThumb(canvas, layer, head) {
  const down = Math.ceil(rows / data.mostPixels);
  const across = Math.ceil(columns / data.mostPixels);
  canvas.width = Math.ceil(columns / across);
  canvas.height = Math.ceil(rows / down);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const largest = new Float32Array(canvas.width * canvas.height);
  for (let query = 0; query < rows; query++) {
    for (let key = 0; key < columns; key++) {
      const pixel = Math.floor(query / down) * canvas.width + Math.floor(key / across);
      largest[pixel] = Math.max(largest[pixel], weight(layer, head, query, key));
    }
  }
  largest.forEach((value, pixel) => image.data.set([...colour(value), 255], 4 * pixel));
  context.putImageData(image, 0, 0);
}

function paintLegend() {
  const context = byId("scale").getContext("2d");
  for (let x = 0; x < 256; x++) {
    context.fillStyle = css(colour((x / 255) ** 2 * data.top));
    context.fillRect(x, 0, 1, 1);
  }
}

function buildLegend() {
  for (const part of [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1]) {
    const tick = element("span", "", String(+(part * data.top).toPrecision(3)));
    tick.style.left = 100 * Math.sqrt(part) + "%";
    byId("ticks").append(tick);
  }
}

/** The link to a head that the address shows, so that it can be shared and the back button closes it. */
function address(layer, head, word) {
  return `#layer=${layer}&head=${head}&word=${word}`;
}

/** A head to click on. */
function thumb(layer, at, head) {
  const made = element("button", "thumb");
  made.type = "button";
  made.style.setProperty("--shape", Math.min(3, Math.max(1 / 3, columns / rows)));
  made.append(document.createElement("canvas"), element("span", "", String(head)));
  const marked = data.mark && data.mark.layer === at && data.mark.head === head;
  made.classList.toggle("marked", Boolean(marked));
  made.setAttribute("aria-label", `${layer.name}, head ${head}${marked ? ", highlighted" : ""}: enlarge`);
  made.addEventListener("click", () => location.assign(address(at, head, shown.word)));
  return made;
}

function buildGrid() {
  const across = data.layers.reduce((most, layer) => Math.min(16, Math.max(most, layer.heads)), 1);
  data.layers.forEach((layer, at) => {
    const section = element("section", "layer");
    section.style.setProperty("--across", across);
    section.style.setProperty("--down", Math.ceil(layer.heads / across));
    section.append(element("h3", "", layer.name));
    for (let head = 0; head < layer.heads; head++) section.append(thumb(layer, at, head));
    byId("layers").append(section);
  });
}

function paintAll() {
  document.querySelectorAll(".layer").forEach((section, layer) => section.querySelectorAll("canvas")
    .forEach((canvas, head) => paintThumb(canvas, layer, head)));
  paintLegend();
  if (data.mark) paintMark();
  if (byId("stage").open) paintStage();
}

function shade(word, value) {
  const ground = colour(value);
  word.style.background = css(ground);
  word.style.color = inkOn(ground);
}

function paintMark() {
  const mark = data.mark;
  const words = data.keys.map((key, at) => {
    const word = element("span", "word", key);
    let sum = 0;
    for (let query = mark.queries[0]; query < mark.queries[1]; query++) {
      sum += weight(mark.layer, mark.head, query, at);
    }
    shade(word, sum / (mark.queries[1] - mark.queries[0]));
    word.classList.toggle("from", data.selfAttention && at >= mark.queries[0] && at < mark.queries[1]);
    return word;
  });
  fill(byId("mark-words"), words);
}

function buildMark() {
  const mark = data.mark;
  byId("mark").hidden = false;
  byId("mark").href = address(mark.layer, mark.head, mark.queries[0]);
  const name = `${data.layers[mark.layer].name}, head ${mark.head}`;
  byId("mark-text").append("Of all heads, ", element("strong", "", name),
    " looks most from ", element("strong", "", `“${mark.from}”`), " to ", element("strong", "", `“${mark.to}”`),
    `: ${number(mark.weight)} of the attention. Shaded: all that “${mark.from}” looks at there.`);
}

function buildStage() {
  data.queries.forEach((query, at) => {
    const word = element("button", "word", query);
    word.type = "button";
    word.addEventListener("focus", () => look(at, -1));
    for (const event of ["pointerenter", "click"]) {
      word.addEventListener(event, () => focusWord(at));
    }
    byId("queries").append(word);
  });
  for (const key of data.keys) {
    const word = element("span", "word", key);
    word.append(element("small"));
    byId("keys").append(word);
  }
  document.querySelectorAll("[data-step]").forEach(button => button.addEventListener("click", () =>
    step(button.dataset.step, Number(button.dataset.by))));
  byId("close").addEventListener("click", () => byId("stage").close());
  byId("stage").addEventListener("close", () => {
    // The event comes later than the closing; by then another head may have been opened.
    if (!byId("stage").open) history.replaceState(null, "", location.pathname + location.search);
  });
  byId("queries").addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    focusWord(Math.min(rows - 1, Math.max(0, shown.word + by)));
    document.activeElement.scrollIntoView({ block: "nearest" });
  });
  for (const event of ["pointermove", "click"]) {
    byId("matrix").addEventListener(event, pointed => {
      const cell = cellAt(pointed);
      if (cell) {
        focusWord(cell.query);
        look(cell.query, cell.key);
      }
    });
  }
  new ResizeObserver(() => { if (byId("stage").open) paintStage(); }).observe(byId("flow"));
}

function step(what, by) {
  const layer = what === "layer" ? (shown.layer + by + layers.length) % layers.length : shown.layer;
  const heads = data.layers[layer].heads;
  const head = what === "head" ? (shown.head + by + heads) % heads : Math.min(shown.head, heads - 1);
  history.replaceState(null, "", address(layer, head, shown.word));
  route();
}

/** One word is looked from at a time, however it was reached: it has the focus. */
function focusWord(word) {
  byId("queries").children[word].focus({ preventScroll: true });
}

/** A word is pointed at, in the sentence (key is -1) or in the heat map. */
function look(word, key) {
  if (word !== shown.word || key !== shown.key) {
    shown.word = word;
    shown.key = key;
    history.replaceState(null, "", address(shown.layer, shown.head, word));
    paintStage();
  }
}

function paintStage() {
  const weights = data.keys.map((_, key) => weight(shown.layer, shown.head, shown.word, key));
  const ranked = weights.map((value, key) => ({ value, key })).sort((a, b) => b.value - a.value || a.key - b.key);
  byId("head-name").textContent = `${data.layers[shown.layer].name}, head ${shown.head}`;
  [...byId("queries").children].forEach((word, at) => word.setAttribute("aria-pressed", at === shown.word));
  [...byId("keys").children].forEach((word, key) => {
    shade(word, weights[key]);
    word.lastChild.textContent = weights[key] >= 0.005 ? weights[key].toFixed(2).replace(/^0/, "") : "";
  });
  paintLines(ranked.slice(0, MOST_LINES));
  paintMatrix();
  paintRanks(ranked, shown.key >= 0 ? { value: weights[shown.key], key: shown.key } : ranked[0]);
}

function paintLines(links) {
  const box = byId("flow").getBoundingClientRect();
  const from = byId("queries").children[shown.word].getBoundingClientRect();
  const paths = links.filter(link => link.value > 0.01 * data.top).map(link => {
    const to = byId("keys").children[link.key].getBoundingClientRect();
    const [x1, y1] = [from.left + from.width / 2 - box.left, from.bottom - box.top];
    const [x2, y2] = [to.left + to.width / 2 - box.left, to.top - box.top];
    const bend = (y2 - y1) / 2;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`);
    path.setAttribute("stroke-width", 1 + 9 * link.value / data.top);
    path.setAttribute("stroke-opacity", 0.2 + 0.65 * Math.sqrt(link.value / data.top));
    return path;
  });
  fill(byId("lines"), paths);
}

function paintRanks(ranked, named) {
  const item = link => {
    const line = element("li");
    const bar = element("i");
    bar.style.width = 100 * link.value / data.top + "%";
    bar.style.background = css(colour(link.value));
    line.append(element("b", "", data.keys[link.key]), bar, element("span", "", number(link.value)));
    return line;
  };
  fill(byId("ranks"), ranked.slice(0, MOST_RANKS).map(item));
  byId("readout").replaceChildren(element("strong", "", `“${data.queries[shown.word]}”`),
    ` (${shown.word}) looks at `, element("strong", "", `“${data.keys[named.key]}”`),
    ` (${named.key}) with ${number(named.value)} of its attention`);
}

/** Where the cells of the large heat map are; words stand beside it where they are large enough to read. */
function matrixLayout() {
  const room = Math.min(byId("stage").clientWidth - 48, 620);
  const readable = Math.max(rows, columns) <= 48;
  const margin = readable ? 84 : 4;
  const cell = Math.min(30, Math.max(1, (room - margin) / Math.max(rows, columns)));
  return { cell, margin, readable, width: margin + columns * cell + 4, height: margin + rows * cell + 4 };
}

function cellAt(pointed) {
  const box = byId("matrix").getBoundingClientRect();
  const { cell, margin, width, height } = matrixLayout();
  const key = Math.floor(((pointed.clientX - box.left) * width / box.width - margin) / cell);
  const query = Math.floor(((pointed.clientY - box.top) * height / box.height - margin) / cell);
  return key >= 0 && key < columns && query >= 0 && query < rows ? { query, key } : null;
}

function paintMatrix() {
  const { cell, margin, readable, width, height } = matrixLayout();
  const canvas = byId("matrix");
  const density = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.width = width + "px";
  const context = canvas.getContext("2d");
  context.scale(density, density);
  for (let query = 0; query < rows; query++) {
    for (let key = 0; key < columns; key++) {
      context.fillStyle = css(colour(weight(shown.layer, shown.head, query, key)));
      context.fillRect(margin + key * cell, margin + query * cell, cell + 0.5, cell + 0.5);
    }
  }
  const style = getComputedStyle(document.documentElement);
  context.strokeStyle = style.getPropertyValue("--accent");
  context.lineWidth = 2;
  context.strokeRect(margin, margin + shown.word * cell, columns * cell, cell);
  if (shown.key >= 0) context.strokeRect(margin + shown.key * cell, margin, cell, rows * cell);
  if (readable) paintLabels(context, style, cell, margin);
}

function paintLabels(context, style, cell, margin) {
  const fitted = text => text.length > 11 ? text.slice(0, 10) + "…" : text;
  const write = (text, bold) => {
    context.font = `${bold ? "650 " : ""}${Math.min(13, cell - 1)}px ${style.getPropertyValue("--font")}`;
    context.fillStyle = style.getPropertyValue(bold ? "--accent" : "--ink");
    context.fillText(fitted(text), 0, 0, margin - 8);
  };
  context.textBaseline = "middle";
  data.queries.forEach((query, at) => {
    context.save();
    context.translate(margin - 6, margin + (at + 0.5) * cell);
    context.textAlign = "right";
    write(query, at === shown.word);
    context.restore();
  });
  data.keys.forEach((key, at) => {
    context.save();
    context.translate(margin + (at + 0.5) * cell, margin - 6);
    context.rotate(-Math.PI / 2);
    context.textAlign = "left";
    write(key, at === shown.key);
    context.restore();
  });
}

/** Opens what the address names, with what it lacks or exceeds put right; closes where it names nothing. */
function route() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const stage = byId("stage");
  if (!wanted.has("layer")) {
    if (stage.open) stage.close();
    return;
  }
  const within = (name, count) => Math.min(count - 1, Math.max(0, Math.floor(Number(wanted.get(name)) || 0)));
  shown.layer = within("layer", layers.length);
  shown.head = within("head", data.layers[shown.layer].heads);
  shown.word = within("word", rows);
  shown.key = -1;
  if (!stage.open) {
    stage.showModal();
    focusWord(shown.word);
  }
  paintStage();
}

function setTheme(isDark) {
  dark = isDark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  byId("theme").textContent = dark ? "Light" : "Dark";
  paintAll();
}

byId("title").classList.toggle("long", data.title.length > 140);
byId("subtitle").textContent = data.subtitle;
if (data.mark) shown.word = data.mark.queries[0];
buildLegend();
buildGrid();
buildStage();
if (data.mark) buildMark();
byId("theme").addEventListener("click", () => setTheme(!dark));
const preference = matchMedia("(prefers-color-scheme: dark)");
preference.addEventListener("change", () => setTheme(preference.matches));
setTheme(preference.matches);
addEventListener("hashchange", route);
route();
