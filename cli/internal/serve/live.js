// Shows on the page what changes while the run goes on. Whatever comes from the run is set as text, never as markup; the
// page's policy sees to it that it cannot be.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const set = (at, text) => { if (at && at.textContent !== text) at.textContent = text; };
  const copy = (id) => $(id).content.firstElementChild.cloneNode(true);
  const most = 400; // lines of the log
  const title = document.title;
  let hash = null, said = { state: "", at: 0, failed: 0, asked: "" };

  // say tells who cannot see the page; a count is told now and then, what needs somebody at once.
  function say(now) {
    const failed = now.current.filter((c) => c.tone === "refuse").length;
    const asked = now.questions.map((q) => q.key).join(" ");
    const state = now.verdict.split(":")[0];
    let text = "";
    if (asked && asked !== said.asked) {
      text = "A person is asked: " + now.questions.map((q) => "step " + q.n + ", " + q.summary).join("; ");
    } else if (failed > said.failed || now.ended || state !== said.state || Date.now() - said.at > 20000) {
      text = now.verdict + (failed ? ", " + failed + " failed" : "") + (now.ended ? ". The run has ended." : "");
    }
    if (text) {
      set($("say"), text);
      said.at = Date.now();
    }
    said = { ...said, state, failed, asked };
  }

  function sum(tiles) {
    const list = $("sum");
    while (list.children.length > tiles.length) list.lastElementChild.remove();
    tiles.forEach((tile, i) => {
      let at = list.children[i];
      if (!at) {
        at = document.createElement("div");
        at.append(document.createElement("dt"), document.createElement("dd"));
        list.append(at);
      }
      at.className = tile.tone;
      set(at.children[0], tile.name);
      set(at.children[1], tile.value);
    });
  }

  function current(now) {
    const list = $("current");
    while (list.children.length > now.current.length) list.lastElementChild.remove();
    now.current.forEach((c, i) => {
      let at = list.children[i];
      if (!at) list.append(at = copy("current-line"));
      at.className = c.tone;
      set(at.querySelector("strong"), c.state);
      const link = at.querySelector("a");
      link.setAttribute("href", "#step-" + c.n);
      set(link, "step " + c.n);
      set(at.querySelector("code"), c.id);
      set(at.querySelector(".why"), c.text ? ": " + c.text : "");
    });
    $("more").hidden = !now.more;
    set($("more").querySelector("span"), String(now.more));
    $("idle").hidden = now.current.length > 0;
  }

  function list(at, tag, lines, fill) {
    at.replaceChildren(...lines.map((line) => {
      const one = document.createElement(tag);
      fill(one, line);
      return one;
    }));
  }

  function question(q) {
    const at = copy("question");
    at.dataset.key = q.key;
    const put = (where, text, whole = true) => {
      const part = at.querySelector("." + where);
      part.hidden = !text;
      set(part.querySelector(whole ? "span,strong,pre" : "pre"), text);
    };
    const link = at.querySelector("a.to");
    link.setAttribute("href", "#step-" + q.n);
    set(link, "Step " + q.n);
    set(at.querySelector(".summary"), q.summary);
    set(at.querySelector(".id"), q.id);
    for (const [name, text] of [["missing", q.missing], ["attest", q.attest]]) {
      at.querySelector("." + name).hidden = !text;
      set(at.querySelector("." + name + " span"), text);
    }
    put("where", q.where);
    put("commands", q.commands, false);
    put("script", q.script, false);
    at.querySelector(".final").hidden = !q.final;
    list(at.querySelector(".do"), "li", q.do, (one, text) => set(one, text));
    list(at.querySelector(".values"), "div", q.values, (one, v) => {
      const name = document.createElement("dt"), value = document.createElement("dd");
      const code = document.createElement("code");
      set(name, v.name);
      set(code, v.value);
      value.append(code);
      one.append(name, value);
    });
    const form = at.querySelector("form");
    if (form) {
      form.elements.step.value = q.n;
      form.elements.attempt.value = q.attempt;
      form.elements.word.disabled = !q.typed;
      form.querySelector(".word").hidden = !q.typed;
    }
    return at;
  }

  // questions leaves those alone that are still asked: somebody may be typing.
  function questions(now) {
    const at = $("questions"), have = new Map();
    for (const one of [...at.children]) {
      if (now.questions.some((q) => q.key === one.dataset.key)) have.set(one.dataset.key, one);
      else one.remove();
    }
    now.questions.forEach((q, i) => {
      const one = have.get(q.key) || question(q);
      if (at.children[i] !== one) at.insertBefore(one, at.children[i] || null);
    });
    $("asked").hidden = now.questions.length === 0;
    document.title = (now.questions.length ? "Asked: " : "") + title;
  }

  function step(s) {
    const at = $("step-" + s.n);
    if (!at) return;
    at.className = "step " + s.tone;
    const chip = at.querySelector("summary .state");
    if (chip) {
      chip.className = "chip state " + s.tone;
      set(chip, s.state);
    }
    let took = at.querySelector("summary .took");
    if (s.took && !took) {
      took = document.createElement("span");
      took.className = "chip took";
      at.querySelector("summary .tags").append(took);
    }
    if (took) s.took ? set(took, s.took) : took.remove();
    let why = at.querySelector("dl>.why");
    if (s.why && !why) {
      why = document.createElement("div");
      why.className = "why";
      why.append(document.createElement("dt"), document.createElement("dd"));
      at.querySelector("dl").prepend(why);
    }
    if (!why) return;
    if (!s.why) {
      why.remove();
      return;
    }
    set(why.children[0], s.state);
    set(why.children[1], s.why);
  }

  let lines = null; // the ids of those that are shown

  function log(now) {
    const at = $("log"), rolls = $("rolls");
    if (!lines) { // all of it has come
      at.replaceChildren();
      lines = new Set();
    }
    const end = rolls.scrollTop + rolls.clientHeight >= rolls.scrollHeight - 8;
    for (const line of now.log) {
      if (lines.has(line.id)) continue;
      lines.add(line.id);
      const one = copy("log-line");
      set(one.querySelector("time"), line.time);
      set(one.querySelector("b"), line.event);
      set(one.querySelector("code"), line.key);
      set(one.querySelector("span"), line.text);
      at.append(one);
    }
    while (at.children.length > most) at.firstElementChild.remove();
    if (end) rolls.scrollTop = rolls.scrollHeight;
    $("earlier").hidden = !now.earlier;
    set($("earlier").querySelector("span"), String(now.earlier));
  }

  function show(now) {
    if (hash === null) hash = $("link").dataset.plan;
    if (now.hash !== hash) { // the files were mended: the page is another one
      location.reload();
      return;
    }
    const verdict = $("verdict");
    verdict.className = "verdict " + now.tone;
    set(verdict, now.verdict);
    set($("link"), now.ended ? "As of " + now.at + ". The run has ended, and this page with it."
      : "Live, as of " + now.at + ".");
    sum(now.sum);
    questions(now);
    current(now);
    now.steps.forEach(step);
    log(now);
    say(now);
  }

  $("rolls").scrollTop = $("rolls").scrollHeight;
  if ($("link").dataset.ended) return;

  // follow takes what is sent. A browser tries again by itself, but not after an answer that is none, such as that too
  // many look at the run.
  function follow() {
    const source = new EventSource("events");
    source.addEventListener("open", () => { lines = null; });
    source.addEventListener("now", (event) => show(JSON.parse(event.data)));
    source.addEventListener("end", () => source.close());
    source.addEventListener("error", () => {
      const text =
        "The connection is lost. What is shown is as it was before; the page goes on when the run can be reached " +
        "again.";
      set($("link"), text);
      set($("say"), text);
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 10000);
    });
  }

  follow();
})();
