// The leaderboard: sorted by a heading's button, filtered by what a reader looks for.
const table = document.getElementById("leaderboard-table");
const body = table.tBodies[0];
const lines = [...body.rows];
const headings = [...table.tHead.rows[0].cells];

// Nothing is last, whichever way.
function sortBy(column, direction) {
  const sign = direction === "descending" ? -1 : 1;
  const isNumber = "number" in headings[column].dataset;
  const value = (row) => row.cells[column].dataset.value;
  const order = (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (isNumber ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true }));
  };
  body.append(...lines.toSorted(order));
  headings.forEach((it, place) => it.setAttribute("aria-sort", place === column ? direction : "none"));
}

function filter() {
  const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const state = document.getElementById("state").value;
  let shown = 0;
  for (const row of lines) {
    const text = row.textContent.toLowerCase();
    row.hidden = !((!state || row.dataset.state === state) && words.every((word) => text.includes(word)));
    shown += !row.hidden;
  }
  document.getElementById("found").value = `${shown} of ${lines.length} rows`;
}

for (const [column, heading] of headings.entries()) {
  heading.querySelector("button").addEventListener("click", () => {
    sortBy(column, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
  });
}
document.getElementById("find").addEventListener("input", filter);
document.getElementById("state").addEventListener("change", filter);
filter();
