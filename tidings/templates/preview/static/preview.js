// Keeps the page at what the form and the files say. Without it, the button "Show" does.

const PAUSE = 150; // milliseconds after a key, before the page follows
const AGAIN = 1000; // milliseconds before asking a preview that does not answer

const live = document.getElementById("live");
let served = remembered(document);
let request = null;
let pause = null;
let watching = false;

document.documentElement.classList.add("alive");
fit();
addEventListener("resize", fit);
document.addEventListener("input", soon);
document.addEventListener("change", (event) => {
  // All that some tools which fill in forms say of a choice.
  if (event.target.matches("select, [type=radio]")) soon();
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh("Shown");
});
document.addEventListener("click", (event) => {
  if (event.target.matches('a[href="?"]')) {
    event.preventDefault();
    history.replaceState(null, "", location.pathname);
    document.getElementById("form").remove();
    refresh("Back to the examples");
  }
});
document.addEventListener("visibilitychange", watch);
watch();

function soon() {
  clearTimeout(pause);
  pause = setTimeout(() => refresh("Shown"), PAUSE);
}

/** Ask the server for the page with the values of the form, and take over what is different. */
async function refresh(said) {
  clearTimeout(pause);
  request?.abort();
  request = new AbortController();
  const asked = entered();
  if (asked) history.replaceState(null, "", "?" + asked);
  try {
    const response = await fetch(location.href, { signal: request.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.body.dataset.state) throw new Error(response.statusText);
    if (asked !== entered()) return true; // changed meanwhile: the page follows that soon
    const isBroken = page.querySelector("[data-part=broken]") !== null;
    take(page);
    tell(isBroken ? "Broken" : said);
    return true;
  } catch (error) {
    if (error.name === "AbortError") return true;
    tell("The preview does not answer. Is it still running?", true);
    return false;
  }
}

/** What the form holds now. */
function entered() {
  const form = document.getElementById("form");
  return form ? new URLSearchParams(new FormData(form)).toString() : "";
}

/** Put the parts of a page in the place of those that are different. */
function take(page) {
  const fresh = remembered(page);
  document.body.dataset.state = page.body.dataset.state;
  document.title = page.title;
  if (page.querySelector("[data-part=refused]") && document.querySelector(".medium")) {
    refuse(page);
  } else if ([...fresh.keys()].join() !== [...served.keys()].join() || isStale()) {
    const at = caret();
    document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
    restore(at);
    served = fresh;
  } else {
    for (const [name, html] of fresh) exchange(name, html, page);
    served = fresh;
  }
  fit();
}

function exchange(name, html, page) {
  const old = document.querySelector(`[data-part=${name}]`);
  const next = page.querySelector(`[data-part=${name}]`);
  if (name === "form" && old.dataset.shape === next.dataset.shape) {
    correct(page);
  } else if (html !== served.get(name)) {
    const at = caret();
    old.replaceWith(next);
    restore(at);
  }
}

/** Say what is wrong with a value while it is being typed; what was shown last stays, pale. */
function refuse(page) {
  const results = document.getElementById("results");
  results.classList.add("stale");
  results.querySelector("[data-part=refused]")?.remove();
  results.querySelector("[data-part=title]").after(page.querySelector("[data-part=refused]"));
  correct(page);
}

function isStale() {
  return document.querySelector(".results.stale") !== null;
}

/** Take over what is wrong with fields, and leave alone what is typed in them. */
function correct(page) {
  for (const field of page.querySelectorAll("[data-field]")) {
    const own = document.querySelector(`[data-field="${CSS.escape(field.dataset.field)}"]`);
    if (!own) continue;
    own.className = field.className;
    own.querySelector(".wrongness").textContent = field.querySelector(".wrongness").textContent;
    const control = own.querySelector("[aria-invalid]");
    control.setAttribute("aria-invalid", field.querySelector("[aria-invalid]").getAttribute("aria-invalid"));
  }
}

/** Each part's HTML as the server wrote it. */
function remembered(page) {
  return new Map([...page.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part.outerHTML]));
}

function caret() {
  const at = document.activeElement;
  const places = at && /text|url|textarea/.test(at.type ?? "") ? [at.selectionStart, at.selectionEnd] : null;
  return { id: at?.id, name: at?.name, value: at?.type === "radio" ? at.value : null, places };
}

function restore({ id, name, value, places }) {
  const at = value
    ? document.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`)
    : id && document.getElementById(id);
  if (!at || at === document.activeElement) return;
  at.focus({ preventScroll: true });
  if (places && at.setSelectionRange) at.setSelectionRange(...places);
}

/** Wait for saved files, for as long as somebody looks. */
async function watch() {
  if (watching || document.hidden) return;
  watching = true;
  while (!document.hidden) {
    try {
      const known = document.body.dataset.state;
      const response = await fetch("/changes?since=" + known);
      if (!response.ok) throw new Error(response.statusText);
      if ((await response.text()) !== known && !(await refresh("Saved: this is new"))) throw new Error();
    } catch {
      tell("The preview has ended. Start it again: tidings templates preview", true);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
  watching = false;
}

function tell(said, isTrouble = false) {
  const when = new Date().toLocaleTimeString();
  const text = isTrouble ? said : `${said}, ${when}`;
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("trouble", isTrouble);
}

/** Screens that are wider than the page are shown smaller. */
function fit() {
  for (const screen of document.querySelectorAll(".screen")) {
    const frame = screen.querySelector("iframe");
    const scale = Math.min(1, screen.clientWidth / frame.width);
    screen.style.setProperty("--scale", scale);
    screen.style.height = `${frame.height * scale}px`;
  }
}
