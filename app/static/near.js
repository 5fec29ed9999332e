// The neighbours of a face: its siblings, as it were, each a part of the way to somebody else.

import { answer, at, stage } from "./picture.js";

// open: shows the face of an address.
export async function showNeighbours(open) {
  const { address: near, atOnce } = stage.dataset;
  const { pathname, searchParams } = new URL(near, location);
  searchParams.delete("mix"); // they are mixes themselves
  searchParams.delete("size");
  searchParams.set("like", pathname.match(/(\d+)\.\w+$/)[1]);
  searchParams.set("count", atOnce);
  const { faces } = await (await answer(await fetch(`/v1/faces?${searchParams}`))).json();
  if (near !== stage.dataset.address) return; // somebody else's by now
  const buttons = faces.map(({ address }, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(Object.assign(new Image(), { src: address, alt: `Neighbour ${number + 1}` }));
    button.addEventListener("click", () => open(address));
    return button;
  });
  at("neighbours").replaceChildren(...buttons);
  buttons[0]?.focus();
}
