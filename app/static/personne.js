// The page of one face. Without this module a reload is the next face; with it the next one is already here.

import { followLook, onLook, withLook } from "./look.js";
import { isPlaying, pageTo, play, stop } from "./morph.js";
import { at, fetchFace, keep, parts, sentence, stage } from "./picture.js";
import { show, tell } from "./show.js";
import { begin, redo, step, undo } from "./steps.js";

const SETTLED_MS = 120; // a slider that rests so long asks for its picture
const SEEDS = 2 ** 32;
const picture = at("face");
let here = 0; // where we are in this tab's history, and the furthest that we have been
let furthest = 0;
let seen = 0; // the place in it of what is shown
let returning = false; // to there, since what was gone to cannot be had
let ahead = null; // the promise of the next face
let again = next; // what "Try again" tries
let turn = 0; // the last change asked for; a slower, earlier one is dropped

const photos = () => import("./photo.js"); // few begin with one

const fail = (error) => tell(sentence(error));

function preload() {
  const coming = (ahead = fetchFace(null));
  coming.catch(() => {
    if (ahead === coming) ahead = null; // asked for again when somebody wants it
  });
}

// failed: called when what was asked for last cannot be had.
async function change(fetching, shown, failed = () => {}) {
  const mine = ++turn;
  stage.setAttribute("aria-busy", "true");
  try {
    const face = await fetching();
    if (mine !== turn) return;
    show(face);
    shown(face);
    seen = here;
  } catch (error) {
    if (mine !== turn) return;
    again = () => change(fetching, shown);
    tell(sentence(error), { retry: true });
    failed();
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
  if (returning) return void (returning = false);
  wanted = null;
  const shown = ({ address }) => {
    followLook(address);
    fromNowOn();
    begin(address);
    if (state.to) playTo(state.to);
  };
  change(() => fetchFace(state.address), shown, () => goBackTo(seen));
}

// The address is that of what is shown, also where a step of the history leads to what cannot be had.
function goBackTo(place) {
  const way = here - place;
  if (!way) return;
  again = () => history.go(way);
  returning = true;
  history.go(-way);
}

if (picture) {
  const { address, to } = stage.dataset;
  here = furthest = seen = history.state?.here ?? 0;
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
