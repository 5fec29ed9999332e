// Faces in a photo: the square that is cut out of it, and which of several is meant.

import { upright } from "./upright.js";

const THUMB = 96; // pixels, as of the crop beside the progress
const LONGEST = 640; // of the photo with its frames: twice as sharp as it is large
const FRAME = 5;

// The service's places are in pixels of the upright photo.
const read = async (file) => createImageBitmap(await upright(file), { imageOrientation: "from-image" });

function made(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function smooth(canvas) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  return context;
}

// A turned square; what lies beyond the photo's edge is its reflection, as where the face is cut out.
function draw(canvas, photo, { x, y, across_x: acrossX, across_y: acrossY }) {
  const context = smooth(canvas);
  const scale = canvas.width / 2 / Math.hypot(acrossX, acrossY);
  context.setTransform(1, 0, 0, 1, canvas.width / 2, canvas.height / 2);
  context.scale(scale, scale);
  context.rotate(-Math.atan2(acrossY, acrossX));
  context.translate(-x, -y);
  for (const column of [-1, 0, 1]) {
    for (const row of [-1, 0, 1]) {
      context.save();
      context.translate(column ? (column + 1) * photo.width : 0, row ? (row + 1) * photo.height : 0);
      context.scale(column ? -1 : 1, row ? -1 : 1);
      context.drawImage(photo, 0, 0);
      context.restore();
    }
  }
}

export async function drawCrop(canvas, file, crop) {
  const photo = await read(file);
  draw(canvas, photo, crop);
  photo.close();
}

// The whole photo, as large as the canvas lets it be.
export async function drawWhole(canvas, file) {
  const photo = await read(file);
  const context = smooth(canvas);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const scale = canvas.width / Math.max(photo.width, photo.height);
  const [width, height] = [photo.width * scale, photo.height * scale];
  context.drawImage(photo, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  photo.close();
}

const nameOf = (number, count) => `Face ${number + 1} of ${count}${number ? "" : ", the largest"}`;

// faces: as the service tells of them, the largest first. chosen: called with one. Returns a group of buttons, each
// showing what would be cut out, below the photo, on which a face may be pressed as well.
export async function choice(file, faces, chosen) {
  const photo = await read(file);
  const scale = LONGEST / Math.max(photo.width, photo.height);
  const plain = made("canvas", { width: Math.round(photo.width * scale), height: Math.round(photo.height * scale) });
  smooth(plain).drawImage(photo, 0, 0, plain.width, plain.height);
  const seen = made("canvas", { width: plain.width, height: plain.height, role: "img" });
  seen.ariaLabel = `The photo, with ${faces.length} faces framed`;
  let pressed = null;
  const frame = (marked) => frames(seen, plain, faces, scale, marked ?? pressed);
  const press = (face) => {
    pressed = face.number;
    buttons.forEach((button, number) => (button.ariaPressed = String(number === pressed)));
    frame();
    chosen(face);
  };
  const buttons = faces.map((face) => {
    const thumb = made("canvas", { width: THUMB, height: THUMB });
    draw(thumb, photo, face.crop);
    const button = made("button", { type: "button" }, thumb, String(face.number + 1));
    button.ariaLabel = nameOf(face.number, faces.length);
    button.ariaPressed = "false";
    button.addEventListener("click", () => press(face));
    for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => frame(face.number));
    for (const event of ["blur", "pointerleave"]) button.addEventListener(event, () => frame());
    return button;
  });
  photo.close();
  seen.addEventListener("click", (event) => {
    const face = faceUnder(event, seen, faces, scale);
    if (face) press(face);
  });
  frame();
  const group = made("div", { id: "faces", role: "group" });
  const question = `There are ${faces.length} faces in the photo. Which one?`;
  group.ariaLabel = question;
  group.append(made("p", {}, question), seen, made("div", { id: "several" }, ...buttons));
  return group;
}

// marked: the number of the face whose frame is drawn thicker; null: none.
function frames(canvas, plain, faces, scale, marked) {
  const context = canvas.getContext("2d");
  context.drawImage(plain, 0, 0);
  context.font = `${6 * FRAME}px sans-serif`;
  context.textBaseline = "top";
  for (const { number, box } of faces) {
    const [left, top, width, height] = box.map((value) => value * scale);
    // Dark around light is seen on any photo.
    for (const [colour, wide] of [["#000", 2 * FRAME], ["#fff", FRAME]]) {
      context.strokeStyle = colour;
      context.lineWidth = number === marked ? 2 * wide : wide;
      context.strokeRect(left, top, width, height);
    }
    const text = String(number + 1);
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    context.fillStyle = "#000";
    context.fillRect(x, y, context.measureText(text).width + 2 * FRAME, 7 * FRAME);
    context.fillStyle = "#fff";
    context.fillText(text, x + FRAME, y + FRAME);
  }
}

// Of several frames that were pressed at once, the smallest: that of whoever stands behind.
function faceUnder(event, canvas, faces, scale) {
  const shown = canvas.getBoundingClientRect();
  const x = ((event.clientX - shown.left) / shown.width) * (canvas.width / scale);
  const y = ((event.clientY - shown.top) / shown.height) * (canvas.height / scale);
  const inside = ({ box: [left, top, width, height] }) =>
    x >= left && x <= left + width && y >= top && y <= top + height;
  return faces.findLast(inside);
}
