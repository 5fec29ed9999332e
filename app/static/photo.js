// From a photo to its face in the model's words; and a picture that the service made, dropped, is itself again.

import { erase, follow } from "./job.js";
import { answer, at, forgetPictures, latentOf, stage } from "./picture.js";

let turn = 0;

// A dropped picture says in its recipe where its page is, if it was made here; else it may be started from.
export async function dropped(files, tell) {
  const reply = await answer(await fetch("/v1/verify", { method: "POST", body: files[0] }));
  const { recipe } = await reply.json();
  if (recipe?.page) location.assign(recipe.page);
  else if (!at("start")) tell("That picture tells of no face that can be drawn here.");
  else {
    at("edit").open = true;
    at("photo").files = files;
    const why = recipe ? "What it was made of is not kept" : "It was not made here";
    tell(`${why}. If whoever is in it agrees, it can be started from.`);
    at("consent").focus();
  }
}

// The page of the face in a photo, as the model draws it; null when somebody asked for something else meanwhile.
export async function find(file, tell) {
  const mine = ++turn;
  const wanted = () => mine === turn;
  progress(0);
  try {
    tell("Sending the photo.");
    const headers = { Prefer: "respond-async" };
    const asked = `/v1/inversions?model=${stage.dataset.model}`;
    const begun = await answer(await fetch(asked, { method: "POST", body: file, headers }));
    const done = await follow(await begun.json(), wanted, (state) => {
      if (!wanted()) return;
      tell(state.state === "waiting" ? "Waiting for its turn." : "Looking for the face, and for how to draw it.");
      progress(state.progress ?? null);
    });
    if (!done) return null;
    const found = await (await answer(await fetch(`/v1/inversions/${done.id}`))).json();
    await showCrop(file, found.crop);
    return `/?latent=${found.id}&model=${found.model}`;
  } finally {
    if (wanted()) at("found").hidden = true;
  }
}

function progress(share) {
  at("found").hidden = false;
  if (share === null) at("found").removeAttribute("value");
  else at("found").value = share;
}

// As the service cut it out: a turned square.
async function showCrop(file, { x, y, across_x: acrossX, across_y: acrossY }) {
  const photo = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = at("crop");
  const context = canvas.getContext("2d");
  const half = Math.hypot(acrossX, acrossY);
  const scale = canvas.width / 2 / half;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2, canvas.height / 2);
  context.scale(scale, scale);
  context.rotate(-Math.atan2(acrossY, acrossX));
  context.drawImage(photo, -x, -y);
  photo.close();
  canvas.hidden = false;
}

export async function forget() {
  turn += 1;
  const latent = latentOf(stage.dataset.address);
  if (latent) await erase(`/v1/inversions/${latent}`);
  at("crop").hidden = at("found").hidden = true;
  at("start").reset();
  if (latent) forgetPictures(latent);
}
