// The form of attributes, class and movement, and the mix with another face: what they ask, as an address, and back.

import { at } from "./picture.js";

const form = at("look"); // where the model has any
const FIELDS = ["class", "rotate", "translate_x", "translate_y"];
const sliders = [...(form?.querySelectorAll("[data-attribute]") ?? [])];
const locks = [...(form?.querySelectorAll("[data-lock]") ?? [])];

const isNumber = (field) => field.type === "range";

const shows = (slider, given) => {
  if (given === null || slider.disabled) return false;
  const twin = slider.cloneNode();
  twin.value = given;
  return twin.value === slider.value;
};

// An address with what the forms ask; what is as it would be unasked is left out.
export function withLook(address) {
  const url = new URL(address, location);
  const fields = form ? [...FIELDS.map((name) => form.elements[name]), ...sliders].filter(Boolean) : [];
  for (const field of fields) {
    if (isNumber(field) && shows(field, url.searchParams.get(field.name))) continue; // to more digits than it has
    const asked = !field.disabled && field.value !== "" && !(isNumber(field) && Number(field.value) === 0);
    if (asked) url.searchParams.set(field.name, field.value);
    else url.searchParams.delete(field.name);
  }
  const kept = locks.filter(isLocked).map((lock) => lock.dataset.lock);
  const moved = sliders.some((slider) => url.searchParams.has(slider.name));
  set(url, "keep", moved ? kept.join(",") : "");
  set(url, "mix", at("mix")?.value ?? "");
  if (sliders.length) url.searchParams.delete("directions"); // those of now are meant
  return url.pathname + url.search;
}

function set(url, name, value) {
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
}

// The other way: the forms as an address of the history has it.
export function followLook(address) {
  const { searchParams } = new URL(address, location);
  for (const name of FIELDS) {
    const field = form?.elements[name];
    if (field) field.value = searchParams.get(name) ?? (isNumber(field) ? 0 : "");
  }
  for (const slider of sliders) slider.value = searchParams.get(slider.name) ?? 0;
  if (sliders.some((slider) => searchParams.has(slider.name))) {
    const kept = (searchParams.get("keep") ?? "").split(",");
    for (const lock of locks) turnLock(lock, kept.includes(lock.dataset.lock));
  }
  showMix(searchParams.get("mix") ?? "");
  tellSliders();
}

function tellSliders() {
  for (const slider of form?.querySelectorAll('[type="range"]') ?? []) {
    const value = Number(slider.value);
    const share = "attribute" in slider.dataset ? `${value}` : `${Math.round(value * 100)} %`;
    slider.setAttribute("aria-valuetext", slider.name === "rotate" ? `${value}°` : share);
  }
}

const isLocked = (lock) => lock.getAttribute("aria-pressed") === "true";

function turnLock(lock, locked) {
  const slider = form.elements.namedItem(lock.dataset.lock);
  lock.setAttribute("aria-pressed", String(locked));
  slider.disabled = locked;
  if (locked) slider.value = 0; // moved and kept at once is neither
  form.elements.keep.value = locks.filter(isLocked).map((one) => one.dataset.lock).join(",");
}

function showMix(text) {
  if (!at("mix")) return;
  at("mix").value = text;
  const one = text.match(/^(\d+):([\d-]+)$/);
  at("mix-seed").value = one ? one[1] : "";
  at("mix-seed").placeholder = text && !one ? text : "none";
  if (!one) return;
  const layers = at("mix-layers");
  if (![...layers.options].some((option) => option.value === one[2])) {
    layers.add(new Option(`layers ${one[2]}`, one[2]));
  }
  layers.value = one[2];
}

function onMix() {
  const seed = at("mix-seed").value.trim(); // a seed that was copied may bring blanks along
  at("mix").value = seed && at("mix-seed").checkValidity() ? `${seed}:${at("mix-layers").value}` : "";
}

function reset() {
  for (const name of FIELDS) if (form?.elements[name]) form.elements[name].value = isNumber(form.elements[name]) ? 0 : "";
  for (const lock of locks) turnLock(lock, false);
  for (const slider of sliders) slider.value = 0;
  showMix("");
  tellSliders();
}

function level() {
  for (const name of FIELDS) if (form?.elements[name]?.type === "range") form.elements[name].value = 0;
}

// moved: while a slider is being moved; settled: whatever was changed stays so for now.
export function onLook(moved, settled) {
  const changed = () => {
    tellSliders();
    if (!form || form.checkValidity()) moved();
  };
  const stop = (event) => {
    event.preventDefault();
    changed();
    settled();
  };
  tellSliders();
  showMix(at("mix")?.value ?? "");
  form?.addEventListener("input", changed);
  form?.addEventListener("change", settled);
  form?.addEventListener("submit", stop);
  for (const lock of locks) {
    lock.addEventListener("click", () => {
      turnLock(lock, !isLocked(lock));
      changed();
      settled();
    });
  }
  at("mixing")?.addEventListener("input", () => {
    onMix();
    changed();
  });
  at("mixing")?.addEventListener("change", settled);
  at("mixing")?.addEventListener("submit", stop);
  at("level")?.addEventListener("click", (event) => {
    level();
    stop(event);
  });
  at("reset").addEventListener("click", (event) => {
    reset();
    stop(event);
  });
}
