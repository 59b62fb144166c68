// Of a page that is served: follows the sweep, and leaves what the reader chose as it was.
const EVERY_MS = 5000;
const follows = document.getElementById("refreshes");
const told = document.getElementById("refreshed");

function fieldsOf(section) {
  return [...section.querySelectorAll("select, input")];
}

// The next page may have other sections, and other columns.
function chosen() {
  const sections = [...document.querySelectorAll("main > section")];
  const sorted = headings.find((it) => it.getAttribute("aria-sort") !== "none");
  return {
    fields: sections.map((it) => [it.id, fieldsOf(it).map(({ value, checked }) => [value, checked])]),
    sorted: [sorted.textContent, sorted.getAttribute("aria-sort")],
    open: [...document.querySelectorAll("details[open]")].map((it) => it.id),
  };
}

function restore({ fields, sorted, open }) {
  for (const [section, values] of fields) {
    const now = fieldsOf(document.getElementById(section) ?? document.createElement("section"));
    if (now.length === values.length) now.forEach((field, place) => putBack(field, ...values[place]));
  }
  const [heading, direction] = sorted;
  const column = headings.findIndex((it) => it.textContent === heading);
  if (column >= 0) sortBy(column, direction);
  for (const part of document.querySelectorAll("details")) {
    part.open ||= open.includes(part.id);
  }
}

function putBack(field, value, checked) {
  const before = field.value;
  [field.value, field.checked] = [value, checked];
  if (field.matches("select") && field.selectedIndex < 0) field.value = before;
  field.dispatchEvent(new Event(field.matches("select, [type=radio]") ? "change" : "input", { bubbles: true }));
}

async function look() {
  try {
    const answer = await fetch("version", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    told.textContent = "";
    if ((await answer.text()) === document.body.dataset.live) return;
    told.textContent = "there is news";
    if (!follows.checked) return;
    sessionStorage.setItem("chosen", JSON.stringify(chosen()));
    location.reload();
  } catch {
    told.textContent = "the server does not answer";
  }
}

const kept = sessionStorage.getItem("chosen");
sessionStorage.removeItem("chosen");
if (kept) addEventListener("load", () => restore(JSON.parse(kept)));
setInterval(look, EVERY_MS);
