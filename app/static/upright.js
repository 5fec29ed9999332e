// Photos as the service sees them. Browsers turn a JPEG or a PNG as its EXIF says, but not every one turns a WebP.

const ORIENTATION = 0x0112;
const INTEL = 0x4949;
// Of each orientation but the upright: where the two axes go.
const AXES = {
  2: [-1, 0, 0, 1],
  3: [-1, 0, 0, -1],
  4: [1, 0, 0, -1],
  5: [0, 1, 1, 0],
  6: [0, 1, -1, 0],
  7: [0, -1, -1, 0],
  8: [0, -1, 1, 0],
};

// What every browser shows upright: the file itself, unless it is a WebP that was held otherwise.
export async function upright(file) {
  try {
    const view = new DataView(await file.arrayBuffer());
    const axes = AXES[levelled(view)];
    return (axes && (await turned(new Blob([view]), axes))) || file;
  } catch {
    return file; // it is the service that says what is wrong with it
  }
}

// The orientation in a WebP, which says from now on that it is upright: nobody turns it but we.
function levelled(view) {
  const is = (name, at) => [...name].every((letter, place) => view.getUint8(at + place) === letter.charCodeAt());
  if (!is("RIFF", 0) || !is("WEBP", 8)) return null;
  let chunk = 12;
  while (!is("EXIF", chunk)) chunk += 8 + 2 * Math.ceil(view.getUint32(chunk + 4, true) / 2);
  const exif = chunk + (is("Exif", chunk + 8) ? 14 : 8);
  const little = view.getUint16(exif) === INTEL;
  let entry = exif + view.getUint32(exif + 4, little) + 2;
  const end = entry + 12 * view.getUint16(entry - 2, little);
  while (entry < end && view.getUint16(entry, little) !== ORIENTATION) entry += 12;
  if (entry === end) return null;
  const orientation = view.getUint16(entry + 8, little);
  view.setUint16(entry + 8, 1, little);
  return orientation;
}

async function turned(file, [a, b, c, d]) {
  const photo = await createImageBitmap(file);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = a ? [photo.width, photo.height] : [photo.height, photo.width];
  const context = canvas.getContext("2d");
  context.setTransform(a, b, c, d, a + c < 0 ? canvas.width : 0, b + d < 0 ? canvas.height : 0);
  context.drawImage(photo, 0, 0);
  photo.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.95));
}
