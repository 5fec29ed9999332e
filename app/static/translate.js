// The page of styles. Without this module a style's button sends the photo; with it, so do choosing, dropping, pasting.

import * as hole from "./hole.js";
import { erase, follow } from "./job.js";
import { answer, at, sentence } from "./picture.js";
import { upright } from "./upright.js";

const form = at("form");
const studio = at("studio");
const MIB = 2 ** 20;
let photo = null; // the file in hand, and its width and height once known
let longest = 0;
let turn = 0; // the last translation asked for; an earlier one is dropped, and cancelled
let job = studio.dataset.job ?? null;

const pressed = () => form.querySelector('[aria-pressed="true"]');
const chosen = () => pressed().dataset.style;
const wantsMask = () => "mask" in pressed().dataset;

function say(sentence) {
  at("said").textContent = sentence;
}

function working(sentence, share = null) {
  at("working").hidden = sentence === null;
  at("told").textContent = sentence ?? "";
  if (share === null) at("progress").removeAttribute("value");
  else at("progress").value = share;
}

function divide(percent) {
  at("divide").value = percent;
  at("divide").setAttribute("aria-valuetext", `${Math.round(at("divide").value)} % photo`);
  at("pair").style.setProperty("--divide", `${at("divide").value}%`);
}

function picture(id, url) {
  const image = at(id);
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.hidden = url === null;
  if (url === null) image.removeAttribute("src");
  else image.src = url;
}

async function take(file) {
  if (file.size > studio.dataset.mostMib * MIB) {
    say(`The photo has ${(file.size / MIB).toFixed(1)} MiB; ${studio.dataset.mostMib} MiB is the most.`);
    return;
  }
  drop();
  photo = file;
  longest = 0;
  at("compare").hidden = false;
  at("pair").classList.remove("both");
  at("divide").hidden = at("done").hidden = true;
  picture("after", null);
  const seen = await upright(file);
  if (photo !== file) return; // another one is there by now
  picture("before", URL.createObjectURL(seen));
  await at("before").decode().then(
    () => (longest = Math.max(at("before").naturalWidth, at("before").naturalHeight)),
    () => {}, // the service says what is wrong with it
  );
  if (longest) hole.begin(at("before").naturalWidth, at("before").naturalHeight);
  start();
}

// A style that fills waits until somebody has said where; any other sets to work.
function start() {
  const scale = Number(pressed().dataset.scale);
  at("before").style.width = scale > 1 ? `${scale * at("before").naturalWidth}px` : "";
  if (at("marking")) at("marking").hidden = !wantsMask();
  hole.show(wantsMask() && longest > 0);
  if (!wantsMask()) {
    if (photo) translate();
    return;
  }
  drop();
  working(null);
  picture("after", null);
  at("pair").classList.remove("both");
  at("divide").hidden = at("done").hidden = true;
  say(photo ? "Paint over what is to be filled." : "Choose a photo first.");
}

async function body() {
  if (!wantsMask()) return photo;
  const form = new FormData();
  form.append("photo", photo);
  const mask = await hole.mask();
  if (mask) form.append("mask", mask, "mask.png");
  return form;
}

function drop() {
  turn += 1;
  if (job) fetch(job, { method: "DELETE" }).catch(() => {});
  job = null;
}

function address() {
  const query = new URLSearchParams({ style: chosen() });
  if (at("strength").value !== "1") query.set("strength", at("strength").value);
  const size = Number(at("brush").value);
  if (size && size < longest) query.set("size", size);
  return `/v1/translations?${query}`;
}

async function translate() {
  if (!photo) {
    say("Choose a photo first.");
    at("photo").focus();
    return;
  }
  drop();
  const mine = turn;
  say("");
  at("done").hidden = true;
  working("Sending the photo");
  try {
    const reply = await answer(
      await fetch(address(), { method: "POST", body: await body(), headers: { Prefer: "respond-async" } }),
    );
    const begun = await reply.json();
    if (mine !== turn) {
      fetch(begun.address, { method: "DELETE" }).catch(() => {});
      return;
    }
    job = begun.address;
    history.replaceState(null, "", `/translate?${new URLSearchParams({ style: chosen(), job: begun.id })}`);
    await paint(mine, begun);
  } catch (error) {
    if (mine === turn) fail(error);
  }
}

function fail(error) {
  working(null);
  say(sentence(error));
}

async function paint(mine, begun) {
  const done = await follow(begun, () => mine === turn, ({ state, position, progress }) => {
    const before = position ? `, ${position} before it` : "";
    working(state === "waiting" ? `Waiting for its turn${before}` : "Painting", progress);
  });
  if (done && mine === turn) await show(mine, done.result);
}

// A page that was opened with a job that is not done yet.
async function goOn(mine) {
  try {
    await paint(mine, await (await answer(await fetch(job, { cache: "no-store" }))).json());
  } catch (error) {
    if (mine === turn) fail(error);
  }
}

async function show(mine, result) {
  const blob = await (await answer(await fetch(result))).blob();
  if (mine !== turn) return;
  picture("after", URL.createObjectURL(blob));
  await at("after").decode();
  if (mine !== turn) return;
  const both = at("before").naturalWidth > 0;
  hole.show(false);
  at("compare").hidden = at("done").hidden = false;
  at("pair").classList.toggle("both", both);
  at("divide").hidden = !both;
  divide(50);
  at("save").href = at("after").src;
  at("save").download = `${chosen()}.${blob.type.split("/")[1].replace("jpeg", "jpg")}`;
  working(null);
  say("Painted.");
}

function choose(event) {
  event.preventDefault();
  for (const style of form.querySelectorAll(".style")) {
    style.setAttribute("aria-pressed", String(style === event.currentTarget));
  }
  if (!photo && !wantsMask()) translate(); // it asks for one
  start();
}

async function forget() {
  turn += 1;
  working(null);
  try {
    if (job) await erase(job);
  } catch (error) {
    return fail(error);
  }
  job = photo = null;
  form.reset();
  hole.show(false);
  picture("before", null);
  picture("after", null);
  at("compare").hidden = at("done").hidden = true;
  history.replaceState(null, "", `/translate?style=${chosen()}`);
  say("Erased.");
}

function cancel() {
  drop();
  working(null);
  say("Cancelled.");
}

// A finger or a mouse anywhere on the pair moves the edge; the range beneath it is there for the keyboard.
function dragging(event) {
  if (!at("pair").classList.contains("both") || !(event.buttons & 1)) return;
  const { left, width } = at("pair").getBoundingClientRect();
  divide((100 * (event.clientX - left)) / width);
  if (event.type === "pointerdown") {
    at("pair").setPointerCapture(event.pointerId);
    at("divide").focus({ preventScroll: true });
    event.preventDefault();
  }
}

function taken(files) {
  const file = [...(files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) take(file);
  return Boolean(file);
}

if (form) {
  at("photo").addEventListener("change", () => taken(at("photo").files));
  for (const style of form.querySelectorAll(".style")) style.addEventListener("click", choose);
  for (const id of ["strength", "brush"]) at(id).addEventListener("change", () => photo && !wantsMask() && translate());
  at("fill")?.addEventListener("click", translate);
  if (at("marking")) at("marking").hidden = !wantsMask();
  at("divide").addEventListener("input", () => divide(at("divide").value));
  for (const kind of ["pointerdown", "pointermove"]) at("pair").addEventListener(kind, dragging);
  at("cancel").addEventListener("click", cancel);
  at("erase").addEventListener("click", forget);
  document.addEventListener("paste", (event) => {
    if (taken(event.clipboardData?.files)) event.preventDefault();
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
  document.addEventListener("dragleave", () => at("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").classList.remove("over");
    if (!taken(event.dataTransfer.files)) say("That was no picture.");
  });
  if (job && at("save").hasAttribute("href") === false && !at("said").textContent) goOn(turn);
  if (!job) taken(at("photo").files); // chosen while this module was still on its way
}
