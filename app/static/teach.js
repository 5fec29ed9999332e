// Clicks become a direction, and that a slider on a face, at once.

import { erase } from "./job.js";
import { answer, at, sentence } from "./picture.js";

const page = at("teach");
const { model, name: modelName, least, atOnce } = page.dataset;
let taught = null; // what the service knows of the direction
let seed = "";

const tell = (sentence) => (at("said").textContent = sentence);
const clicked = () => [...at("seeds").querySelectorAll("input:checked")].filter(({ value }) => value !== "0");

function count() {
  const more = clicked().filter(({ value }) => value === "1").length;
  const less = clicked().length - more;
  const enough = Math.min(more, less) >= Number(least);
  tell(`${more} with more, ${less} with less${enough ? "." : `; ${least} of each at least, and a few dozen are good.`}`);
}

async function post(address, document, accept) {
  const headers = { "Content-Type": "application/json", ...(accept ? { Accept: accept } : {}) };
  return answer(await fetch(address, { method: "POST", headers, body: JSON.stringify(document) }));
}

async function drawMore() {
  const { faces } = await (await answer(await fetch(`/v1/faces?count=${atOnce}&model=${model}`))).json();
  for (const face of faces) {
    const one = at("one").content.cloneNode(true);
    one.querySelector("img").src = face.address;
    one.querySelector("img").alt = one.querySelector("legend").textContent = `Face ${face.seed}`;
    for (const radio of one.querySelectorAll("input")) radio.name = face.seed;
    at("seeds").append(one);
  }
  at("seeds").lastElementChild.scrollIntoView({ block: "nearest" });
}

async function learn() {
  tell("Looking for the way from less to more.");
  const scores = Object.fromEntries(clicked().map((one) => [one.name, Number(one.value)]));
  const asked = { name: at("name").value, meaning: at("meaning").value, model, scores };
  taught = await (await post("/v1/directions", asked)).json();
  at("called").textContent = at("strength-of").textContent = taught.name.replaceAll("_", " ");
  at("accuracy").textContent =
    `Of ${taught.more + taught.less} faces, ${Math.round(100 * taught.accuracy)} % lie on their side of it when it is made without them; half would be chance.`;
  at("strength").min = taught.minimum;
  at("strength").max = taught.maximum;
  at("strength").value = 0;
  at("file").href = taught.file;
  at("file").download = `${taught.name}.npz`;
  at("command").textContent = `personne directions import ${modelName} ${taught.name}.npz`;
  at("taught").hidden = false;
  await another();
  at("strength").focus();
  tell("Here it is.");
}

async function another() {
  seed = String(Math.floor(Math.random() * 2 ** 32));
  await draw();
}

let drawing = false; // one request at a time, the latest strength last
let wanted = false;

async function draw() {
  wanted = true;
  if (drawing) return;
  drawing = true;
  try {
    while (wanted) {
      wanted = false;
      const strength = Number(at("strength").value);
      const asked = { seed, model, taught: taught.id, attributes: { [taught.name]: strength } };
      const picture = await (await post("/v1/edits", asked, "image/jpeg")).blob();
      URL.revokeObjectURL(at("tried").src);
      at("tried").src = URL.createObjectURL(picture);
      at("tried").alt = `Face ${seed}, ${taught.name} ${strength}`;
    }
  } finally {
    drawing = false;
  }
}

async function forget() {
  await erase(taught.address);
  at("taught").hidden = true;
  tell("Forgotten.");
}

// Whatever goes wrong is told in a sentence.
const trying = (act) => async (event) => {
  event?.preventDefault();
  try {
    await act();
  } catch (error) {
    tell(sentence(error));
  }
};

at("seeds").addEventListener("change", count);
at("form").addEventListener("submit", trying(learn));
at("more").addEventListener("click", trying(drawMore));
at("strength").addEventListener("input", trying(draw));
at("another").addEventListener("click", trying(another));
at("forget").addEventListener("click", trying(forget));
