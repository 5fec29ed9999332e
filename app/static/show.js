// A face is shown, and all that the page says of it with it.

import { stop } from "./morph.js";
import { at, isSpare, latentOf, parts, stage } from "./picture.js";

const picture = at("face");

export function say(sentence, { retry = false } = {}) {
  at("said").textContent = sentence;
  at("retry").hidden = !retry;
}

export function tell(sentence, options) {
  at("said").classList.remove("only-heard");
  say(sentence, options);
}

export function show({ address, url }) {
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
