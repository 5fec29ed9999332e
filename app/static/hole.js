// Where a photo is to be filled: painted over it with a brush, marked in its middle, or white in a file.

import { at } from "./picture.js";

const LONGEST = 1024; // pixels of what is painted; the service scales it to the photo
const MARK = "#e0218a";
const canvas = at("hole");
const pen = canvas?.getContext("2d");
let marked = false;
let last = null; // where the brush was

/** Lays an empty sheet over a photo of this size, ready for the brush. */
export function begin(width, height) {
  const share = Math.min(1, LONGEST / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * share));
  canvas.height = Math.max(1, Math.round(height * share));
  marked = false;
  last = null;
}

/** Whether the sheet lies over the photo. */
export function show(shown) {
  canvas.hidden = !shown;
}

/** What says where to fill, as a file; null where nothing was marked. */
export async function mask() {
  const chosen = at("mask").files[0];
  if (chosen) return chosen;
  if (!marked) return null;
  const flat = document.createElement("canvas");
  [flat.width, flat.height] = [canvas.width, canvas.height];
  const drawn = flat.getContext("2d");
  drawn.drawImage(canvas, 0, 0);
  for (const [operation, colour] of [["source-in", "#fff"], ["destination-over", "#000"]]) {
    drawn.globalCompositeOperation = operation;
    drawn.fillStyle = colour;
    drawn.fillRect(0, 0, flat.width, flat.height);
  }
  return new Promise((resolve) => flat.toBlob(resolve, "image/png"));
}

function clear() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  at("mask").value = "";
  marked = false;
}

function middle() {
  pen.fillStyle = MARK;
  pen.fillRect(canvas.width / 3, canvas.height / 3, canvas.width / 3, canvas.height / 3);
  marked = true;
}

function painting(event) {
  if (!(event.buttons & 1)) return;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const here = [((event.clientX - left) * canvas.width) / width, ((event.clientY - top) * canvas.height) / height];
  if (event.type === "pointerdown") {
    canvas.setPointerCapture(event.pointerId);
    last = here;
  }
  pen.strokeStyle = MARK;
  pen.lineCap = "round";
  pen.lineWidth = (at("width").value / 100) * Math.max(canvas.width, canvas.height);
  pen.beginPath();
  pen.moveTo(...(last ?? here));
  pen.lineTo(...here);
  pen.stroke();
  last = here;
  marked = true;
  event.preventDefault();
}

if (at("marking")) {
  for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, painting);
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) canvas.addEventListener(kind, () => (last = null));
  at("middle").addEventListener("click", middle);
  at("clear").addEventListener("click", clear);
}
