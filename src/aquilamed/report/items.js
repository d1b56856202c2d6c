(function () {
  "use strict";
  const HEIGHT = 76, SPARE = 6, LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const STATES = [["", "all · 全部"], ["right", "right · 对"], ["wrong", "wrong · 错"], ["unparsed", "unparsed · 未解析"], ["partly", "partly · 部分"]];
  const SIGNS = { right: "✓", wrong: "✗", unparsed: "?", partly: "½", none: "·" };
  const at = (id) => document.getElementById(id);
  const blocks = Array.from(document.querySelectorAll("script.block"));
  const head = JSON.parse(document.querySelector("script.head").textContent);
  const simple = new Map(Array.from(head.fold[0]).map((char, k) => [char, Array.from(head.fold[1])[k]]));
  const UNJUDGED = new Set(["bits", "grades"]);   // on scales of their own: neither right nor wrong
  const items = [], folded = [];
  let shown = [], chosen = -1, wanted = [], timer = 0;

  function node(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  /* Width, case, script and runs of blanks make no difference to a search. Every character stays one, so places are kept for marking. */
  function fold(text) {
    let made = "";
    for (let k = 0; k < text.length; k++) {
      const code = text.charCodeAt(k);
      if (code >= 0xFF01 && code <= 0xFF5E) made += String.fromCharCode(code - 0xFEE0).toLowerCase();
      else if (code === 0x3000 || code === 9 || code === 10 || code === 13 || code === 0xA0) made += " ";
      else if (code < 128) made += text[k].toLowerCase();
      else { const lower = text[k].toLowerCase(); made += simple.get(text[k]) || (lower.length === 1 ? lower : text[k]); }
    }
    return made;
  }

  const replies = (item) => item.a.map((answer) => answer[5]).flatMap((raw) => Object.values(raw)).filter((value) => typeof value === "string");
  const preview = (item) => item.q || (item.p.length ? item.p[0][1].trim() : "") || item.i;
  const searched = (item) => fold([preview(item), item.c || "", ...(item.o || []), ...replies(item), item.s].join("\n"));

  /* What an answer came to: right, wrong, partly, unparsed; none where it is not that kind of answer or there is none. */
  function state(item, reading, stage) {
    const answer = item.a.find((one) => one[0] === reading && one[1] === stage);
    if (!answer || UNJUDGED.has(head.readings[answer[0]])) return "none";
    if (answer[2] === null) return "unparsed";
    return answer[3] === 1 ? "right" : answer[3] === 0 ? "wrong" : "partly";
  }
  const readingOf = (item) => { const asked = at("reading").value; return asked === "" ? item.a[0][0] : Number(asked); };
  function apart(item) {
    if (head.stages.length > 1) {
      const said = item.a.filter((one) => one[0] === readingOf(item));
      return new Set(said.map((one) => String(one[2]))).size > 1 && !UNJUDGED.has(head.readings[readingOf(item)]);
    }
    return new Set(item.a.map((one) => String(one[2]))).size > 1;
  }

  function fits(k) {
    const item = items[k], task = at("task").value, lang = at("lang").value, kind = at("state").value, stage = Number(at("stage").value);
    if (task && item.t !== task || lang && item.l !== lang) return false;
    const reading = readingOf(item);
    if (at("reading").value !== "" && !item.a.some((one) => one[0] === reading)) return false;
    if (kind && state(item, reading, stage) !== kind) return false;
    if (at("apart").checked && !apart(item)) return false;
    return wanted.every((word) => folded[k].includes(word) || word.length >= 8 && item.i.startsWith(word));
  }

  function sift(keep) {
    const before = keep && chosen >= 0 ? shown[chosen] : -1;
    wanted = fold(at("search").value).split(" ").filter(Boolean);
    shown = [];
    for (let k = 0; k < items.length; k++) if (fits(k)) shown.push(k);
    chosen = before < 0 ? -1 : shown.indexOf(before);
    if (!keep) at("list").scrollTop = 0;
    at("rows").style.height = shown.length * HEIGHT + "px";
    tell();
    draw();
    if (chosen < 0 && shown.length) choose(0, false); else if (!shown.length) open(-1);
  }
  function tell() {
    const all = items.length < head.n ? `${items.length.toLocaleString("en")} of ${head.n.toLocaleString("en")} read · 读取中` : `${head.n.toLocaleString("en")}`;
    at("count").textContent = `${shown.length.toLocaleString("en")} of ${all} items · 题`;
  }

  function draw() {
    const list = at("list"), rows = at("rows");
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE), last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    const made = [];
    for (let place = first; place < last; place++) made.push(row(place));
    if (!shown.length) made.push(node("p", { class: "empty" }, items.length < head.n ? "Reading… · 读取中" : "No item fits. · 没有符合条件的题目"));
    rows.replaceChildren(...made);
    if (chosen >= 0 && chosen >= first && chosen < last) list.setAttribute("aria-activedescendant", "row-" + chosen); else list.removeAttribute("aria-activedescendant");
  }
  function row(place) {
    const item = items[shown[place]], reading = readingOf(item);
    const signs = head.stages.map((stage, k) => sign(state(item, reading, k), stage));
    const made = node("div", { class: "row", role: "option", id: "row-" + place, "aria-selected": String(place === chosen), "aria-setsize": shown.length, "aria-posinset": place + 1 },
      node("div", { class: "head" }, node("span", { class: "lang" }, item.l), node("span", { class: "where" }, item.s && item.s !== item.t ? `${item.t} · ${item.s}` : item.t), node("span", {}, ...signs)),
      node("div", { class: "text", lang: tongue(item) }, ...marked(preview(item).slice(0, 300))));
    made.style.top = place * HEIGHT + "px";
    made.addEventListener("click", () => { choose(place, true); });
    return made;
  }
  const tongue = (item) => item.l === "zh" || item.l === "mixed" ? "zh-Hans" : item.l === "en" ? "en" : null;
  const sign = (kind, stage) => node("span", { class: "sign " + kind, title: `${stage}: ${kind}`, role: "img", "aria-label": `${stage}: ${kind}` }, SIGNS[kind] + " ");

  /* The text with the words that were searched for marked. */
  function marked(text) {
    if (!wanted.length) return [text];
    const plain = fold(text), parts = [];
    let from = 0;
    while (from < text.length) {
      const next = wanted.map((word) => [plain.indexOf(word, from), word.length]).filter((hit) => hit[0] >= 0).sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
      if (!next) break;
      parts.push(text.slice(from, next[0]), node("mark", {}, text.slice(next[0], next[0] + next[1])));
      from = next[0] + next[1];
    }
    return [...parts, text.slice(from)];
  }

  function choose(place, opening) {
    if (place < 0 || place >= shown.length) return;
    chosen = place;
    const list = at("list"), top = place * HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
    draw();
    open(shown[place]);
    if (opening) { document.body.classList.add("opened"); at("item").focus({ preventScroll: false }); if (narrow()) window.scrollTo(0, 0); }
  }
  const narrow = () => window.matchMedia("(max-width: 820px)").matches;
  function close() {
    document.body.classList.remove("opened");
    draw();
    at("list").focus();
  }

  function open(k) {
    const place = at("item");
    if (k < 0) return place.replaceChildren();
    const item = items[k];
    const back = node("button", { type: "button", id: "back" }, "← list · 返回列表");
    back.addEventListener("click", close);
    const facts = [["Task · 任务", item.t], ["Language · 语言", item.l], ["Subject · 科目", item.s], ["Id", item.i]].filter((fact) => fact[1]);
    const parts = [back, node("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [node("dt", {}, name), node("dd", {}, value)]))];
    parts.push(node("h2", { lang: tongue(item) }, ...marked(item.q || preview(item).slice(-600))));
    if (item.c) parts.push(node("p", { class: "context", lang: tongue(item) }, ...marked(item.c)));
    if (item.o) parts.push(options(item));
    for (const reading of [...new Set(item.a.map((one) => one[0]))]) parts.push(...read(item, reading));
    item.p.forEach((prompt, number) => parts.push(prompted(item, prompt, number)));
    place.replaceChildren(...parts);
    place.scrollTop = 0;
  }
  function options(item) {
    const lines = item.o.map((option, k) => {
      const right = (item.k || []).includes(k);
      return node("li", { class: right ? "key" : null }, node("span", { class: "letter" }, LETTERS[k]), ...marked(option), right ? node("small", {}, "right · 正确") : "");
    });
    return node("ul", { class: "options", lang: tongue(item) }, ...lines);
  }
  function read(item, reading) {
    const answers = item.a.filter((one) => one[0] === reading), parts = [node("h3", {}, head.readings[reading])];
    const kind = (one) => !Array.isArray(one[5].logp) ? "said" : Array.isArray(one[5].logp[0]) ? "turned" : "listed";
    const lists = answers.filter((one) => kind(one) === "listed");
    if (lists.length) parts.push(node("div", { class: "scroll" }, logps(item, lists)));
    for (const one of answers.filter((one) => kind(one) === "turned")) parts.push(node("p", { class: "who" }, ...verdict(item, one), ` → ${one[2] === null ? "unparsed · 未解析" : one[2]}`), node("div", { class: "scroll" }, turned(one[5])));
    for (const one of answers.filter((one) => kind(one) === "said")) parts.push(...said(item, one));
    return parts;
  }
  function verdict(item, one) {
    const kind = state(item, one[0], one[1]), name = head.stages[one[1]];
    return [sign(kind, name), node("b", {}, name)];
  }
  /* Log-probabilities of the options, a line for each stage; what the reading chose is set off. */
  function logps(item, answers) {
    const width = Math.max(...answers.map((one) => one[5].logp.length));
    const heads = node("tr", {}, node("th", {}, "log-prob, nats"), ...Array.from({ length: width }, (_, k) => node("th", { class: "number" }, LETTERS[k])), node("th", {}, "chosen · 选"));
    const rows = answers.map((one) => node("tr", {}, node("th", { scope: "row" }, ...verdict(item, one)),
      ...one[5].logp.map((value, k) => node("td", { class: "number" + (one[2] && one[2].includes(LETTERS[k]) ? " picked" : "") }, value.toFixed(2).replace("-", "−"))),
      node("td", { class: "said" }, one[2] === null ? "unparsed · 未解析" : one[2])));
    return node("table", { class: "read" }, node("thead", {}, heads), node("tbody", {}, ...rows, ...beside(answers, width)));
  }
  /* The options in several orders: a line for each order, a column for each option; what was chosen in that order is set off. */
  function turned(raw) {
    const n = raw.logp[0].length;
    const heads = node("tr", {}, node("th", {}, "shown as A, B, … · 顺序"), ...Array.from({ length: n }, (_, k) => node("th", { class: "number" }, LETTERS[k])));
    const rows = raw.logp.map((values, k) => {
      const best = values.indexOf(Math.max(...values)), of = raw.orders[k];
      return node("tr", {}, node("th", { scope: "row" }, of.map((option) => LETTERS[option]).join(" ")),
        ...Array.from({ length: n }, (_, option) => node("td", { class: "number" + (of[best] === option ? " picked" : "") }, values[of.indexOf(option)].toFixed(2).replace("-", "−"))));
    });
    return node("table", { class: "read" }, node("thead", {}, heads), node("tbody", {}, ...rows));
  }
  /* What was measured beside the log-probabilities, such as the bytes of each option: once where it is the same for all stages. */
  function beside(answers, width) {
    const keys = [...new Set(answers.flatMap((one) => Object.keys(one[5])))].filter((key) => key !== "logp" && key !== "answers");
    const line = (name, value) => node("tr", { class: "beside" }, node("th", { scope: "row" }, name),
      ...(Array.isArray(value) && value.length === width ? [...value.map((one) => node("td", { class: "number" }, written([one]))), node("td", {})] : [node("td", { colspan: width + 1, class: "said" }, written(value))]));
    return keys.flatMap((key) => {
      const there = answers.filter((one) => key in one[5]);
      const same = there.length === answers.length && new Set(there.map((one) => JSON.stringify(one[5][key]))).size === 1;
      return same ? [line(key, there[0][5][key])] : there.map((one) => line(`${head.stages[one[1]]}: ${key}`, one[5][key]));
    });
  }
  const written = (value) => Array.isArray(value) && value.every((one) => typeof one === "number") ? value.map((one) => String(Math.round(one * 100) / 100).replace("-", "−")).join("  ") : typeof value === "string" ? value : JSON.stringify(value, null, 1);
  const long = (value) => value !== null && typeof value === "object" || typeof value === "string" && value.length > 40;
  /* A reply in words, and whatever else was measured of it. */
  function said(item, one) {
    const raw = one[5], parsed = one[2] === null ? "unparsed · 未解析" : `→ ${one[2]}`;
    const figures = Object.entries(raw).filter(([key, value]) => key !== "text" && key !== "n_options" && !long(value)).map(([key, value]) => `${key} ${typeof value === "number" ? written([value]) : value}`).join(" · ");
    const parts = [node("p", { class: "who" }, ...verdict(item, one), " ", node("span", {}, parsed), " ", node("small", {}, `score ${one[3] === null ? "–" : Math.round(one[3] * 1000) / 1000}${figures ? " · " + figures : ""}`))];
    if ("text" in raw) parts.push(node("div", { class: "reply", lang: tongue(item) }, ...(raw.text.trim() ? marked(raw.text) : [node("span", { class: "none" }, "(empty · 空)")])));
    for (const [key, value] of Object.entries(raw)) {
      if (key === "text" || key === "answers" || !long(value)) continue;
      parts.push(node("details", {}, node("summary", {}, key), node("pre", {}, ...marked(written(value)))));
    }
    return parts;
  }
  function prompted(item, prompt, number) {
    const stages = [...new Set(item.a.filter((one) => one[4] === number).map((one) => head.stages[one[1]]))];
    const name = item.p.length > 1 ? `Prompt · 提示 (${stages.join(", ")})` : "Prompt as the model saw it · 模型看到的提示";
    return node("details", { open: !item.q }, node("summary", {}, name), node("pre", { lang: tongue(item) }, ...marked(head.prefixes[prompt[0]] + prompt[1])));
  }

  function fill(id, pairs) { at(id).replaceChildren(...pairs.map(([value, text]) => node("option", { value: value }, text))); }
  function frame() {
    fill("task", [["", "all · 全部"], ...head.tasks.map((task) => [task, task])]);
    fill("reading", [["", "first of each item · 每题首项"], ...head.readings.map((reading, k) => [k, reading])]);
    fill("stage", head.stages.map((stage, k) => [k, stage]));
    fill("state", STATES);
    fill("lang", [["", "all · 全部"]]);
    at("stage").value = String(head.stages.length - 1);
    if (head.stages.length < 2) { at("stage").parentNode.hidden = true; at("apart-word").textContent = "readings disagree · 读法不一致"; }
    for (const id of ["task", "lang", "reading", "stage", "state", "apart"]) at(id).addEventListener("change", () => { sift(false); note(); });
    at("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { sift(false); note(); }, 120); });
    at("tools").addEventListener("submit", (event) => { event.preventDefault(); at("list").focus(); });
    at("list").addEventListener("scroll", () => requestAnimationFrame(draw));
    at("list").addEventListener("keydown", keyed);
    window.addEventListener("resize", draw);
    document.addEventListener("keydown", (event) => {
      const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
      if (event.key === "/" && !typing) { event.preventDefault(); close(); at("search").focus(); }
      if (event.key === "Escape" && !typing) close();
    });
  }
  function keyed(event) {
    const page = Math.max(1, Math.floor(at("list").clientHeight / HEIGHT) - 1);
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: Math.min(chosen + page, shown.length - 1), PageUp: Math.max(chosen - page, 0), Home: 0, End: shown.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); choose(to, false); }
    if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); choose(chosen, true); }
  }

  /* The filters stand in the address, so that a view can be kept and shared: items.html#q=发热&state=wrong */
  const KEPT = { q: "search", task: "task", lang: "lang", reading: "reading", stage: "stage", state: "state" };
  function note() {
    const parts = new URLSearchParams();
    for (const [key, id] of Object.entries(KEPT)) if (at(id).value && !(id === "stage" && head.stages.length < 2)) parts.set(key, at(id).value);
    if (at("apart").checked) parts.set("apart", "1");
    try { history.replaceState(null, "", "#" + parts); } catch (error) { /* some browsers refuse this on a local file; the filters work without */ }
  }
  function recall() {
    const parts = new URLSearchParams(location.hash.slice(1));
    for (const [key, id] of Object.entries(KEPT)) if (parts.has(key)) at(id).value = parts.get(key);
    at("apart").checked = parts.get("apart") === "1";
    return parts.get("id") || "";
  }

  /* One block at a time, so that the page answers while it reads. */
  function load(asked) {
    const block = blocks.shift();
    if (block) {
      for (const item of JSON.parse(block.textContent)) { items.push(item); folded.push(searched(item)); }
      block.remove();
    }
    const langs = [...new Set(items.map((item) => item.l))].sort();
    if (at("lang").options.length < langs.length + 1) { const was = at("lang").value; fill("lang", [["", "all · 全部"], ...langs.map((lang) => [lang, lang])]); at("lang").value = was; }
    if (blocks.length) { if (items.length <= 400) sift(true); else tell(); setTimeout(() => load(asked), 0); return; }
    recall();
    sift(true);
    const place = asked ? shown.findIndex((k) => items[k].i.startsWith(asked)) : -1;
    if (place >= 0) choose(place, true);
  }
  frame();
  load(recall());
})();
