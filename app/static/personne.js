// The page of one face. Without this module a reload is the next face; with it the next one is already here.

const KEPT = 32; // pictures held in memory, so that going back needs no network

const at = (id) => document.getElementById(id);
const stage = at("stage");
const look = at("look"); // class and movement, where the model has any
const LOOK = ["class", "rotate", "translate_x", "translate_y"];
const SETTLED_MS = 120; // a slider that rests so long asks for its picture
const picture = at("face");
const pictures = new Map(); // permanent address => blob URL, oldest first
let here = 0; // where we are in this tab's history, and the furthest that we have been
let furthest = 0;
let ahead = null; // the promise of the next face
let turn = 0; // the last change asked for; a slower, earlier one is dropped

function say(sentence, { retry = false } = {}) {
  at("said").textContent = sentence;
  at("retry").hidden = !retry;
}

function keep(address, url) {
  pictures.set(address, url);
  while (pictures.size > KEPT) {
    const [oldest, itsUrl] = pictures.entries().next().value;
    pictures.delete(oldest);
    if (itsUrl !== picture.src) URL.revokeObjectURL(itsUrl);
  }
}

async function fetchFace(address) {
  const known = pictures.get(address);
  if (known) return { address, url: known };
  const reply = await fetch(address ?? stage.dataset.next, { headers: { Accept: "image/jpeg" } });
  if (!reply.ok) {
    const problem = await reply.json().catch(() => ({}));
    throw new Error(problem.detail ?? "The service did not answer as expected.");
  }
  const permanent = reply.headers.get("Content-Location");
  const url = URL.createObjectURL(await reply.blob());
  const decoded = new Image();
  decoded.src = url;
  await decoded.decode();
  keep(permanent, url);
  return { address: permanent, url };
}

function preload() {
  ahead = fetchFace(null);
  ahead.catch(() => {}); // told when somebody asks for it
}

function parts(address) {
  const { pathname, searchParams } = new URL(address, location);
  const seed = pathname.match(/(\d+)\.\w+$/)[1];
  searchParams.delete("size");
  return { seed, page: `/?seed=${seed}&${searchParams}` };
}

function show({ address, url }) {
  const { seed, page } = parts(address);
  const another = seed !== at("seed").textContent; // else the same one, turned
  stage.dataset.address = address;
  picture.src = url;
  picture.alt = `Portrait of a person who does not exist, seed ${seed}`;
  for (const field of document.querySelectorAll('input[name="seed"]')) field.value = seed;
  if (another && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    picture.animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 220, easing: "ease-out" });
  }
  at("seed").textContent = seed;
  at("seed").href = page;
  at("save").href = address;
  at("save").download = `personne-${seed}.jpg`;
  document.title = `Nobody ${seed} – personne`;
  say(`Nobody ${seed}`);
  at("said").classList.add("only-heard");
}

function tell(sentence, options) {
  at("said").classList.remove("only-heard");
  say(sentence, options);
}

async function change(promise, shown) {
  const mine = ++turn;
  stage.setAttribute("aria-busy", "true");
  try {
    const face = await promise;
    if (mine !== turn) return;
    show(face);
    shown(face);
  } catch (error) {
    if (mine !== turn) return;
    tell(error instanceof TypeError ? "The service cannot be reached." : error.message, { retry: true });
  } finally {
    if (mine === turn) stage.removeAttribute("aria-busy");
  }
}

let waiting = false; // one next at a time: a key held down must not empty the pool

async function next() {
  if (waiting) return;
  waiting = true;
  const coming = ahead ?? fetchFace(null);
  ahead = null;
  await change(coming, (face) => {
    furthest = here += 1;
    history.pushState({ here, address: face.address }, "", parts(face.address).page);
    preload();
  });
  waiting = false;
}

function forth() {
  if (here < furthest) history.forward();
  else next();
}

function back() {
  if (here > 0) history.back();
  else tell("This is the first face.");
}

// An address with what the form asks; what is as it would be unasked is left out.
function withLook(address) {
  const url = new URL(address, location);
  for (const name of LOOK) {
    const field = look.elements[name];
    const asked = field && field.value !== "" && !(field.type === "range" && Number(field.value) === 0);
    if (asked) url.searchParams.set(name, field.value);
    else url.searchParams.delete(name);
  }
  return url.pathname + url.search;
}

// The other way: the form, and the faces to come, as an address of the history has it.
function followLook(address) {
  const { searchParams } = new URL(address, location);
  for (const name of LOOK) {
    const field = look.elements[name];
    if (field) field.value = searchParams.get(name) ?? (field.type === "range" ? 0 : "");
  }
  tellSliders();
  const coming = withLook(stage.dataset.next);
  if (coming !== stage.dataset.next) ahead = null;
  stage.dataset.next = coming;
}

function tellSliders() {
  for (const slider of look.querySelectorAll('[type="range"]')) {
    const value = Number(slider.value);
    slider.setAttribute("aria-valuetext", slider.name === "rotate" ? `${value}°` : `${Math.round(value * 100)} %`);
  }
}

let settling = 0;

function onLook() {
  tellSliders();
  clearTimeout(settling);
  if (!look.checkValidity()) return;
  settling = setTimeout(() => {
    stage.dataset.next = withLook(stage.dataset.next);
    ahead = null; // it looks as asked before
    change(fetchFace(withLook(stage.dataset.address)), ({ address }) => {
      history.replaceState({ here, address }, "", parts(address).page);
    });
  }, SETTLED_MS);
}

function level() {
  for (const slider of look.querySelectorAll('[type="range"]')) slider.value = 0;
  onLook();
}

async function copyLink() {
  const link = new URL(at("seed").href, location).href;
  try {
    await navigator.clipboard.writeText(link);
    tell("Link copied.");
  } catch {
    tell(link); // no clipboard on a page without https: there it is, to be copied by hand
  }
}

const KEYS = {
  " ": next,
  ArrowRight: forth,
  ArrowLeft: back,
  s: () => at("save").click(),
  c: copyLink,
  "?": () => at("keys").showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || at("keys").open) return;
  if (event.target.closest("input, select")) return; // arrows and letters are theirs
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || (event.key === " " && event.target instanceof HTMLButtonElement)) return;
  event.preventDefault();
  action();
}

function onNextClick(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is a new face too
  event.preventDefault();
  next();
}

function onHistory({ state }) {
  if (!state) return;
  here = state.here;
  furthest = Math.max(furthest, here);
  change(fetchFace(state.address), ({ address }) => {
    if (look) followLook(address);
  });
}

if (picture) {
  here = furthest = history.state?.here ?? 0;
  history.replaceState({ here, address: stage.dataset.address }, "");
  pictures.set(stage.dataset.address, picture.src);
  document.addEventListener("keydown", onKey);
  addEventListener("popstate", onHistory);
  at("frame").addEventListener("click", onNextClick);
  at("next").addEventListener("click", onNextClick);
  at("copy").addEventListener("click", copyLink);
  at("help").addEventListener("click", KEYS["?"]);
  at("retry").addEventListener("click", next);
  if (look) {
    tellSliders();
    look.addEventListener("input", onLook);
    look.addEventListener("submit", (event) => {
      event.preventDefault();
      onLook();
    });
    at("level")?.addEventListener("click", level);
  }
  preload();
}
