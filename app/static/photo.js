// From a photo to its face in the model's words; and a picture that the service made, dropped, is itself again.

import { choice, drawCrop, drawWhole } from "./faces.js";
import { erase, follow } from "./job.js";
import { answer, at, forgetPictures, latentOf, sentence, stage } from "./picture.js";

let turn = 0;

at("photo")?.addEventListener("change", stop); // another one is meant now

// A dropped picture says in its recipe where its page is, if it was made here; else it may be started from.
export async function dropped(files, tell) {
  const reply = await answer(await fetch("/v1/verify", { method: "POST", body: files[0] }));
  const { recipe } = await reply.json();
  if (recipe?.page) location.assign(recipe.page);
  else if (!at("start")) tell("That picture tells of no face that can be drawn here.");
  else {
    at("edit").open = true;
    at("photo").files = files;
    stop();
    const why = recipe ? "What it was made of is not kept" : "It was not made here";
    tell(`${why}. If whoever is in it agrees, it can be started from.`);
    at("consent").focus();
  }
}

// Looks for the face in a photo, and opens its page as the model draws it; nothing when somebody asked for something
// else meanwhile. face: which of several; without it, they are asked for where there are.
export async function find(file, tell, open, face = null) {
  const mine = ++turn;
  const wanted = () => mine === turn;
  progress(0);
  try {
    if (face === null) await showWhole(file);
    else await showCrop(file, face.crop);
    tell("Sending the photo.");
    const headers = { Prefer: "respond-async" };
    const asked = `/v1/inversions?model=${stage.dataset.model}${face ? `&face=${face.number}` : ""}`;
    const begun = await answer(await fetch(asked, { method: "POST", body: file, headers }));
    const done = await follow(await begun.json(), wanted, (state) => {
      if (!wanted()) return;
      tell(state.state === "waiting" ? "Waiting for its turn." : "Looking for the face, and for how to draw it.");
      progress(state.progress ?? null);
    });
    if (!done) return;
    const found = await (await answer(await fetch(`/v1/inversions/${done.id}`))).json();
    if (!wanted()) return;
    await showCrop(file, found.crop);
    await open(`/?latent=${found.id}&model=${found.model}`);
  } catch (error) {
    if (!wanted()) return;
    if (!error.cause?.type?.endsWith("/several-faces")) throw error;
    await ask(file, error.cause.faces, tell, open);
  } finally {
    if (wanted()) at("found").hidden = true;
  }
}

// The photo was forgotten when its job ended, so that it is sent once more, with the number of the face.
async function ask(file, faces, tell, open) {
  const chosen = (face) => find(file, tell, open, face).catch((error) => tell(sentence(error)));
  const group = await choice(file, faces, chosen);
  askNothing();
  at("crop").parentElement.before(group);
  tell(`There are ${faces.length} faces in the photo. Choose one.`);
  // Whoever went elsewhere meanwhile stays there.
  if ([document.body, at("find")].includes(document.activeElement)) group.querySelector("button").focus();
}

function stop() {
  turn += 1;
  askNothing();
  at("found").hidden = true;
}

function askNothing() {
  at("faces")?.remove();
  at("crop").hidden = true;
}

function progress(share) {
  at("found").hidden = false;
  if (share === null) at("found").removeAttribute("value");
  else at("found").value = share;
}

async function showCrop(file, crop) {
  await drawCrop(at("crop"), file, crop);
  at("crop").ariaLabel = "The face as it was cut out";
  at("crop").hidden = false;
}

// Until it is known where the face is: seen upright, as it is looked at.
async function showWhole(file) {
  askNothing();
  try {
    await drawWhole(at("crop"), file);
  } catch {
    return; // what the browser cannot read the service may, or it says why not
  }
  at("crop").ariaLabel = "The photo";
  at("crop").hidden = false;
}

export async function forget() {
  stop();
  const latent = latentOf(stage.dataset.address);
  if (latent) await erase(`/v1/inversions/${latent}`);
  at("start").reset();
  if (latent) forgetPictures(latent);
}
