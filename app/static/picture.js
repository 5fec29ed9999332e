// Pictures by the address of what they show: permanent addresses of faces, and pages of faces out of photos.

const KEPT = 32; // pictures held in memory, so that going back needs no network
const pictures = new Map(); // address => blob URL, oldest first
const spares = new Set(); // addresses of faces that came with the service
const NOT_ATTRIBUTES = ["latent", "model", "truncation_psi", "keep", "mix"];

export const at = (id) => document.getElementById(id);
export const stage = at("stage");

export const sentence = (error) => (error instanceof TypeError ? "The service cannot be reached." : error.message);

export async function answer(reply) {
  if (reply.ok) return reply;
  const problem = await reply.json().catch(() => ({}));
  throw new Error(problem.detail ?? "The service did not answer as expected.");
}

export function keep(address, url, spare = false) {
  pictures.set(address, url);
  if (spare) spares.add(address);
  while (pictures.size > KEPT) {
    const [oldest, itsUrl] = pictures.entries().next().value;
    pictures.delete(oldest);
    if (itsUrl !== at("face").src) URL.revokeObjectURL(itsUrl);
  }
}

export const isSpare = (address) => spares.has(address);

// What was found of somebody leaves this page's memory too.
export function forgetPictures(latent) {
  for (const [address, url] of pictures) {
    if (latentOf(address) !== latent) continue;
    pictures.delete(address);
    URL.revokeObjectURL(url);
  }
}

export const latentOf = (address) => new URL(address, location).searchParams.get("latent");

// Null asks for a new face.
export async function fetchFace(address) {
  const known = pictures.get(address);
  if (known) return { address, url: known };
  const ofPhoto = address !== null && latentOf(address);
  const reply = await (ofPhoto ? askForPhoto(address) : fetch(address ?? stage.dataset.next, accepted));
  await answer(reply);
  const permanent = ofPhoto ? address : reply.headers.get("Content-Location");
  const url = URL.createObjectURL(await reply.blob());
  const decoded = new Image();
  decoded.src = url;
  await decoded.decode();
  keep(permanent, url, reply.headers.has("Personne-Spare"));
  return { address: permanent, url };
}

const accepted = { headers: { Accept: "image/jpeg" } };

// A face out of a photo has no address of its own for its picture: what is known of somebody is in no log so.
function askForPhoto(address) {
  const { searchParams } = new URL(address, location);
  const given = Object.fromEntries(searchParams);
  const attributes = Object.keys(given).filter((name) => !NOT_ATTRIBUTES.includes(name));
  const asked = {
    latent: given.latent,
    attributes: Object.fromEntries(attributes.map((name) => [name, Number(given[name])])),
    ...(given.keep && attributes.length ? { keep: given.keep.split(",") } : {}),
    ...(given.mix ? { mix: given.mix } : {}),
    ...(given.truncation_psi ? { truncation_psi: Number(given.truncation_psi) } : {}),
  };
  const headers = { Accept: "image/jpeg", "Content-Type": "application/json" };
  return fetch("/v1/edits", { method: "POST", headers, body: JSON.stringify(asked) });
}

export function parts(address) {
  const { pathname, searchParams } = new URL(address, location);
  searchParams.delete("size");
  const query = searchParams.toString().replaceAll("%3A", ":");
  if (searchParams.has("latent")) return { seed: "", page: `/?${query}` };
  const seed = pathname.match(/(\d+)\.\w+$/)[1];
  return { seed, page: `/?seed=${seed}&${query}` };
}
