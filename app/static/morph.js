// The face turns into another and back, in its own frame, until it is stopped or something else is shown.

import { follow } from "./job.js";
import { answer, at, parts, stage } from "./picture.js";

let turn = 0;
let playing = null; // blob URL

// Of the face that is shown, whatever its look.
function addressTo(seed) {
  const { pathname, searchParams } = new URL(stage.dataset.address, location);
  searchParams.delete("size");
  return `/v1/morphs?from=${pathname.match(/(\d+)\.\w+$/)[1]}&to=${seed}&loop=true&${searchParams}`;
}

export const pageTo = (seed) => `${parts(stage.dataset.address).page}&to=${seed}`;
export const isPlaying = () => playing !== null || at("play").textContent !== "Play";

// Whether it plays: not if something else was asked for meanwhile, whatever became of this one.
export async function play(seed, tell) {
  const mine = ++turn;
  const wanted = () => mine === turn;
  try {
    return await turnInto(seed, tell, wanted);
  } catch (error) {
    if (wanted()) throw error;
    return false;
  }
}

async function turnInto(seed, tell, wanted) {
  at("to").value = seed;
  at("play").textContent = "Stop";
  tell("Drawing the frames.");
  const address = addressTo(seed);
  let reply = await answer(await fetch(address, { headers: { Prefer: "wait=5" } }));
  if (reply.status === 202) {
    const done = await follow(await reply.json(), wanted, ({ state, progress, position }) => {
      if (!wanted()) return;
      if (state === "waiting") tell(`Waiting for its turn${position ? `, ${position} before it` : ""}.`);
      else tell(`Drawing the frames: ${Math.round(100 * (progress ?? 0))} %.`);
    });
    if (!done) return false;
    reply = await answer(await fetch(done.result));
  }
  const url = URL.createObjectURL(await reply.blob());
  if (!wanted()) {
    URL.revokeObjectURL(url);
    return false;
  }
  const decoded = new Image();
  decoded.src = url;
  await decoded.decode();
  if (!wanted()) {
    URL.revokeObjectURL(url);
    return false;
  }
  playing = url;
  at("face").src = url;
  at("face").alt = `${at("who").textContent} ${at("seed").textContent}, who turns into ${seed} and back`;
  at("save").href = url;
  at("save").download = `personne-${at("seed").textContent}-${seed}.webp`;
  return true;
}

// Before anything else is shown.
export function stop() {
  turn += 1;
  at("play").textContent = "Play";
  if (playing) URL.revokeObjectURL(playing);
  playing = null;
}
