// The page of marks. Without this module a button sends the chosen file; with it, choosing or dropping one does.

const form = document.getElementById("form");
const photo = document.getElementById("photo");

function sendChosen() {
  if (photo.files.length) form.requestSubmit();
}

photo.addEventListener("change", sendChosen);
// Chosen while this module was still on its way. A browser may give the form back to who comes back, who sent it already.
if (performance.getEntriesByType("navigation")[0].type === "navigate") sendChosen();
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  photo.files = one.files;
  form.requestSubmit();
});
