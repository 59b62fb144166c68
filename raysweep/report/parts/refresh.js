// Of a page that is served: follows the sweep, and leaves what the reader chose as it was.
const EVERY_MS = 5000;
const follows = document.getElementById("refreshes");
const told = document.getElementById("refreshed");

function chosen() {
  const sorted = headings.findIndex((it) => it.getAttribute("aria-sort") !== "none");
  return {
    fields: [...document.querySelectorAll("main select, main input")].map((it) => [it.value, it.checked]),
    sorted: [sorted, headings[sorted].getAttribute("aria-sort")],
    open: [...document.querySelectorAll("details[open]")].map((it) => it.id),
  };
}

function restore({ fields, sorted, open }) {
  for (const [place, field] of [...document.querySelectorAll("main select, main input")].entries()) {
    if (fields[place] === undefined) continue;
    const before = field.value;
    [field.value, field.checked] = fields[place];
    if (field.matches("select") && field.selectedIndex < 0) field.value = before;
    field.dispatchEvent(new Event(field.matches("select, [type=radio]") ? "change" : "input", { bubbles: true }));
  }
  if (sorted[0] >= 0 && headings[sorted[0]]) sortBy(...sorted);
  for (const part of document.querySelectorAll("details")) {
    part.open ||= open.includes(part.id);
  }
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
