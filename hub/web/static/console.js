// The console's one script. Every page works without it: it only saves clicks and waiting.
"use strict";

// Pieces of the page that changed arrive as a stream, each by the id of its outermost element.
const stream = document.body.dataset.stream;
const sign = document.querySelector("[data-live]");

function show(isLive) {
  if (!sign) return;
  sign.textContent = isLive ? sign.dataset.live : sign.dataset.lost;
  sign.className = isLive ? "is-live" : "is-lost";
}

// What somebody has begun to fill in is not taken away either.
function isBegun(piece) {
  return [...piece.querySelectorAll("input, select, textarea")].some((field) => {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    // A list of which the page chooses nothing begins with its first choice.
    if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
    return field.value !== field.defaultValue;
  });
}

function replace(pieces, isOwn = false) {
  for (const [id, html] of Object.entries(pieces)) {
    const old = document.getElementById(id);
    // Whoever stands in a piece with the keyboard is not thrown out of it; the next change brings it up to date.
    if (!old || old.contains(document.activeElement) || (!isOwn && isBegun(old))) continue;
    const parsed = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (!parsed || parsed.outerHTML === old.outerHTML) continue;
    parsed.hidden = old.hidden;
    old.replaceWith(document.importNode(parsed, true));
  }
}

if (stream && "EventSource" in window) {
  const source = new EventSource(stream);
  source.addEventListener("open", () => show(true));
  source.addEventListener("pieces", (event) => replace(JSON.parse(event.data)));
  // An answer that is whole: nothing more will come.
  source.addEventListener("done", () => source.close());
  source.addEventListener("over", () => {
    source.close();
    location.reload();
  });
  source.addEventListener("error", () => {
    show(false);
    // The hub was restarted or said no: the browser gave up, so look again as a reader would.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);
  });
  window.addEventListener("pagehide", () => source.close());
}

// The store was away: look from time to time, and show the page once it is there again. A reader is never interrupted.
for (const waiting of document.querySelectorAll("[data-retry-s]")) {
  setInterval(async () => {
    const answer = await fetch(location.href, { method: "GET" }).catch(() => null);
    if (answer && answer.ok) location.reload();
  }, Number(waiting.dataset.retryS) * 1000);
}

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
}

// Finding on the page while typing; Enter asks the hub, as it does without this script.
for (const input of document.querySelectorAll("input[data-filter]")) {
  input.addEventListener("input", () => {
    const sought = input.value.trim().toLowerCase();
    for (const tile of document.querySelectorAll(input.dataset.filter)) {
      const item = tile.closest("li") || tile;
      item.hidden = !tile.dataset.text.toLowerCase().includes(sought);
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector("li:not([hidden])");
    }
  });
}

// A draft is kept at the hub while it is typed, so that a reload or another desk goes on where it was. One letter at a
// time, the newest last: over a slow relay nothing older may arrive after something newer.
const DRAFT_PAUSE_MS = 700;
const DRAFT_AGAIN_MS = 5000;

function keepDraft(form) {
  const sign = document.getElementById(form.dataset.sign);
  let told = String(new URLSearchParams(new FormData(form)));
  let timer = 0;
  let isSending = false;

  function say(word) {
    if (sign) sign.textContent = sign.dataset[word];
  }

  async function keep() {
    clearTimeout(timer);
    const now = String(new URLSearchParams(new FormData(form)));
    if (isSending || now === told) return;
    isSending = true;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: now, headers, keepalive: true });
      if (!answer.ok) throw new Error(String(answer.status));
      told = now;
      const pieces = await answer.json();
      // Made for what was sent: not for what was typed while it was on its way.
      if (String(new URLSearchParams(new FormData(form))) === now) replace(pieces, true);
      say("kept");
    } catch {
      say("lost");
      timer = setTimeout(keep, DRAFT_AGAIN_MS);
    }
    isSending = false;
    if (told === now && String(new URLSearchParams(new FormData(form))) !== told) keep();
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, DRAFT_PAUSE_MS);
  });
  form.addEventListener("change", keep);
  window.addEventListener("pagehide", keep);
}

for (const form of document.querySelectorAll("form[data-draft]")) keepDraft(form);

// On a phone the ways scroll sideways: the one that was taken is brought into sight.
document.querySelector(".ways [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A form that is sent is not sent again by an impatient second press; coming back to the page wakes its button.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  });
}
