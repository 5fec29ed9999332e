// Undo and redo: the addresses of the faces before and after the one that is shown, of one seed.

import { at } from "./picture.js";

const MOST = 100;
let before = [];
let after = [];
let settled = null; // the address that the next step leads away from

export function begin(address) {
  before = [];
  after = [];
  settled = address;
  tell();
}

export function step(address) {
  if (address === settled) return;
  before = [...before, settled].slice(-MOST);
  after = [];
  settled = address;
  tell();
}

export function undo() {
  if (!before.length) return null;
  after.push(settled);
  settled = before.pop();
  tell();
  return settled;
}

export function redo() {
  if (!after.length) return null;
  before.push(settled);
  settled = after.pop();
  tell();
  return settled;
}

function tell() {
  at("undo").disabled = !before.length;
  at("redo").disabled = !after.length;
}
