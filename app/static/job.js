// A job that takes its time: followed until it is done.

import { answer } from "./picture.js";

const LOOK_AGAIN_MS = 300;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// state: as the service told it last. wanted: whether anybody still waits. Returns the last state, or null.
export async function follow(state, wanted, tell) {
  const { address } = state;
  while (state.state !== "done") {
    if (state.problem) throw new Error(state.problem.detail, { cause: state.problem });
    tell(state);
    await pause(LOOK_AGAIN_MS);
    if (!wanted()) {
      fetch(address, { method: "DELETE" }).catch(() => {});
      return null;
    }
    state = await (await answer(await fetch(address, { cache: "no-store" }))).json();
  }
  return state;
}

// Job, latent or direction: after this nothing is left of it. Throws where that is not known.
export async function erase(address) {
  const reply = await fetch(address, { method: "DELETE" });
  if (reply.status !== 404) await answer(reply);
}
