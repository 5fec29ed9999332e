// The page of one face. Without this module a reload is the next face; with it the next one is already here.

import { followLook, onLook, withLook } from "./look.js";
import { isPlaying, pageTo, play, stop } from "./morph.js";
import { at, fetchFace, isSpare, keep, latentOf, parts, sentence, stage } from "./picture.js";
import { begin, redo, step, undo } from "./steps.js";

const SETTLED_MS = 120; // a slider that rests so long asks for its picture
const SEEDS = 2 ** 32;
const picture = at("face");
let here = 0; // where we are in this tab's history, and the furthest that we have been
let furthest = 0;
let ahead = null; // the promise of the next face
let again = next; // what "Try again" tries
let turn = 0; // the last change asked for; a slower, earlier one is dropped

function say(sentence, { retry = false } = {}) {
  at("said").textContent = sentence;
  at("retry").hidden = !retry;
}

function tell(sentence, options) {
  at("said").classList.remove("only-heard");
  say(sentence, options);
}

const photos = () => import("./photo.js"); // few begin with one

const fail = (error) => tell(sentence(error));

function preload() {
  const coming = (ahead = fetchFace(null));
  coming.catch(() => {
    if (ahead === coming) ahead = null; // asked for again when somebody wants it
  });
}

function show({ address, url }) {
  const { seed, page } = parts(address);
  const ofPhoto = Boolean(latentOf(address));
  const another = seed !== at("seed").textContent; // else the same one, turned
  stage.dataset.address = address;
  picture.src = url;
  stop();
  picture.alt = ofPhoto
    ? "What the model draws of a face in a photo"
    : `Portrait of a person who does not exist, seed ${seed}`;
  at("spare").hidden = !isSpare(address);
  if (another) at("neighbours")?.replaceChildren();
  for (const field of document.querySelectorAll('input[name="seed"]')) field.value = seed;
  if (another && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    picture.animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 220, easing: "ease-out" });
  }
  at("who").textContent = ofPhoto ? "From a photo" : "Nobody";
  at("real").textContent = ofPhoto
    ? "As the model draws who is in the photo. It is forgotten within the hour."
    : "This person does not exist.";
  at("seed").textContent = seed;
  at("seed").href = page;
  at("save").href = ofPhoto ? url : address;
  at("save").download = `personne-${seed || "photo"}.jpg`;
  at("morph").hidden = at("relatives").hidden = ofPhoto;
  if (at("forget")) at("forget").hidden = !ofPhoto;
  const who = ofPhoto ? "From a photo" : `Nobody ${seed}`;
  document.title = `${who} – personne`;
  say(who);
  at("said").classList.add("only-heard");
}

async function change(fetching, shown) {
  const mine = ++turn;
  stage.setAttribute("aria-busy", "true");
  try {
    const face = await fetching();
    if (mine !== turn) return;
    show(face);
    shown(face);
  } catch (error) {
    if (mine !== turn) return;
    again = () => change(fetching, shown);
    tell(sentence(error), { retry: true });
  } finally {
    if (mine === turn) stage.removeAttribute("aria-busy");
  }
}

const put = (address) => history.replaceState({ here, address }, "", parts(address).page);

function push({ address }) {
  furthest = here += 1;
  history.pushState({ here, address }, "", parts(address).page);
  begin(address);
}

let waiting = false; // one next at a time: a key held down must not empty the pool

async function next() {
  if (waiting) return;
  waiting = true;
  wanted = null;
  const coming = () => {
    const face = ahead ?? fetchFace(null);
    ahead = null;
    return face;
  };
  await change(coming, (face) => {
    push(face);
    if (!settling) followLook(face.address); // of a neighbour or a photo before it nothing stays
    preload();
  });
  waiting = false;
}

const forth = () => (here < furthest ? history.forward() : next());

function back() {
  if (here > 0) history.back();
  else tell("This is the first face.");
}

let settling = 0;
let moving = false; // a slider is being moved: what is shown meanwhile is no step to be undone
let wanted = null; // the last look asked for; those before it that have not been begun are left out
let asking = false; // one request at a time

async function ask(address) {
  wanted = address;
  if (asking) return;
  asking = true;
  while (wanted !== null) {
    const now = wanted;
    wanted = null;
    await change(() => fetchFace(now), (face) => {
      put(face.address);
      if (!moving && wanted === null) step(face.address);
    });
  }
  asking = false;
}

function fromNowOn() {
  const coming = withLook(stage.dataset.next);
  if (coming !== stage.dataset.next) ahead = null; // it looks as asked before
  stage.dataset.next = coming;
}

function moved() {
  moving = true;
  clearTimeout(settling);
  settling = setTimeout(() => {
    settling = 0;
    fromNowOn();
    ask(withLook(stage.dataset.address));
  }, SETTLED_MS);
}

function settled() {
  moving = false;
  if (!settling && !asking) step(stage.dataset.address);
}

function goTo(address) {
  if (address === null) return;
  wanted = null;
  followLook(address);
  fromNowOn();
  change(() => fetchFace(address), (face) => put(face.address));
}

function open(address) {
  wanted = null;
  followLook(address);
  return change(() => fetchFace(address), push);
}

async function playTo(seed) {
  try {
    if (await play(seed, tell)) {
      history.replaceState({ here, address: stage.dataset.address, to: seed }, "", pageTo(seed));
      tell(`It turns into ${seed} and back.`);
    }
  } catch (error) {
    stop();
    fail(error);
  }
}

function onMorph(event) {
  event.preventDefault();
  if (isPlaying()) {
    stop();
    change(() => fetchFace(stage.dataset.address), (face) => put(face.address));
  } else playTo(at("to").value.trim() || String(Math.floor(Math.random() * SEEDS)));
}

async function onStart(event) {
  event.preventDefault();
  const [file] = at("photo").files;
  if (!file) return tell("Choose a photo first.");
  if (!at("consent").checked) return tell("Ask whoever is in the photo, and say so here.");
  try {
    await (await photos()).find(file, tell, open);
  } catch (error) {
    fail(error);
  }
}

const onForget = () => photos().then(({ forget }) => forget()).then(next).then(() => tell("Forgotten."), fail);

function onDrop(event) {
  event.preventDefault();
  const { files } = event.dataTransfer; // now: after the event they are gone
  if (!files.length) return;
  tell("Reading what the picture says of itself.");
  photos().then(({ dropped }) => dropped(files, tell)).catch(fail);
}

const onNear = () => import("./near.js").then(({ showNeighbours }) => showNeighbours(open)).catch(fail);

async function copyLink() {
  const { searchParams: asked } = new URL(location);
  const isOfOne = asked.has("seed") || asked.has("latent");
  const link = isOfOne ? location.href : new URL(at("seed").href, location).href;
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
  e: () => (at("edit").open = !at("edit").open),
  "?": () => at("keys").showModal(),
};

function onKey(event) {
  if (at("keys").open) return;
  if (event.target.closest('[type="text"], [type="number"]')) return;
  if ((event.ctrlKey || event.metaKey) && "zy".includes(event.key.toLowerCase())) {
    event.preventDefault();
    return goTo(event.shiftKey || event.key === "y" ? redo() : undo());
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, select")) return; // arrows and letters are theirs
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || (event.key === " " && event.target.closest("button, summary"))) return;
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
  wanted = null;
  change(() => fetchFace(state.address), ({ address }) => {
    followLook(address);
    fromNowOn();
    begin(address);
    if (state.to) playTo(state.to);
  });
}

if (picture) {
  const { address, to } = stage.dataset;
  here = furthest = history.state?.here ?? 0;
  history.replaceState({ here, address, to }, "");
  keep(address, picture.src, !at("spare").hidden);
  begin(address);
  onLook(moved, settled);
  document.addEventListener("keydown", onKey);
  addEventListener("popstate", onHistory);
  for (const id of ["frame", "next"]) at(id).addEventListener("click", onNextClick);
  at("copy").addEventListener("click", copyLink);
  at("help").addEventListener("click", KEYS["?"]);
  at("retry").addEventListener("click", () => again());
  at("undo").addEventListener("click", () => goTo(undo()));
  at("redo").addEventListener("click", () => goTo(redo()));
  at("edit").addEventListener("toggle", () => stage.classList.toggle("choosing", at("edit").open || Boolean(at("model"))));
  at("morph").addEventListener("submit", onMorph);
  at("near").addEventListener("click", onNear);
  at("start")?.addEventListener("submit", onStart);
  at("forget")?.addEventListener("click", onForget);
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", onDrop);
  if (to) playTo(to);
  preload();
}
