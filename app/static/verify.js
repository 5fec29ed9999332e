// The page of marks. Without this module a button sends the chosen file; with it, choosing or dropping one does.

const form = document.getElementById("form");
const photo = document.getElementById("photo");

photo.addEventListener("change", () => {
  if (photo.files.length) form.requestSubmit();
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  photo.files = one.files;
  form.requestSubmit();
});
