// A trial's part of the page: its curves are drawn when it is opened, by hand or by a link to it.
for (const part of document.querySelectorAll("details.trial")) {
  const plot = part.querySelector(".plot");
  const trial = curves.trials.find((it) => it.key === part.dataset.key);
  part.addEventListener("toggle", () => {
    if (!part.open || drawn.has(plot) || !Object.keys(trial.values).length) return;
    chart(plot, () => trialCurves(trial, plot.clientWidth));
    drawn.get(plot)();
  });
  part.querySelector(".copy").addEventListener("click", (event) => copy(event.target));
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches("details.trial")) return;
  target.open = true;
  target.scrollIntoView();
  target.querySelector("summary").focus({ preventScroll: true });
}

// Without leave to use the clipboard the command is selected, to be copied by hand.
async function copy(button) {
  const command = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(command);
    button.textContent = "selected";
  }
}

addEventListener("hashchange", openTarget);
addEventListener("load", openTarget);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#trial-']");
  if (link && link.hash === location.hash) openTarget();
});
