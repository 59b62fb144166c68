const WEBP = "data:image/webp;base64,";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// A gallery shows one shot at a time: what every trial makes of it, against the original or another trial.
// A shot's frames lie one below the other in one picture, so a clip plays by moving all pictures at once.
function start(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const find = (selector) => root.querySelector(selector);
  const given = [...root.querySelectorAll(".given")];
  const wipe = find(".wipe"), at = find(".at"), play = find(".play"), against = find(".against");
  let shot = 0, timer = 0, begun = 0;

  const picked = (name) => root.querySelector(`.${name} input:checked`).dataset.choice;
  const original = () => data.originals[shot];
  const frames = () => data.shots[shot].frames;

  function put(image, picture) {
    const source = picture ? WEBP + picture : "";
    if (image.getAttribute("src") !== source) source ? image.setAttribute("src", source) : image.removeAttribute("src");
  }

  function draw() {
    const view = picked("views"), other = Number(against.value), isCodes = !Number.isNaN(Number(view));
    shot = Number(picked("shots"));
    root.dataset.view = isCodes ? "codes" : view;
    root.style.setProperty("--frames", frames());
    put(find(".picture .result"), original());
    given.forEach((picture, number) => {
      const trial = data.trials[number];
      const reference = other < 0 ? original() : data.trials[other].pictures[shot];
      const map = isCodes ? trial.maps[Number(view)] : null;
      for (const image of picture.querySelectorAll(".against")) put(image, reference);
      const result = picture.querySelector(".result");
      put(result, isCodes ? map && map[shot] : trial.pictures[shot]);
      result.alt = `Trial ${trial.label}, ${find(".views input:checked").parentElement.textContent.trim()}`;
    });
    find(".told").textContent = data.shots[shot].told;
    find(".player").hidden = frames() === 1;
    at.max = frames() - 1;
  }

  function measure() {
    given.forEach((picture, number) => {
      const decibels = data.trials[number].psnr[shot];
      const mean = decibels.reduce((sum, value) => sum + value, 0) / decibels.length;
      const shown = timer ? mean : decibels[Number(at.value)];
      picture.querySelector(".psnr").textContent = `${shown.toFixed(2)} dB${timer ? " mean" : ""}`;
    });
  }

  function move(frame) {
    at.value = frame;
    root.style.setProperty("--at", at.value);
    at.setAttribute("aria-valuetext", `${frame + 1} of ${frames()}`);
  }

  function stop() {
    cancelAnimationFrame(timer);
    timer = 0;
    play.textContent = "Play";
    measure();
  }

  function run() {
    begun = performance.now() - 1000 * Number(at.value) / data.shots[shot].fps;
    play.textContent = "Pause";
    const step = (now) => {
      timer = requestAnimationFrame(step);
      move(Math.floor((now - begun) / 1000 * data.shots[shot].fps) % frames());
    };
    timer = requestAnimationFrame(step);
    measure();
  }

  function set(share) {
    wipe.value = share;
    root.style.setProperty("--wipe", wipe.value);
    root.classList.toggle("wiped", wipe.value > 0);
    wipe.setAttribute("aria-valuetext", `${wipe.value}% of ${against.selectedOptions[0].textContent}`);
  }

  function drag(event) {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.getBoundingClientRect();
    wipe.focus({preventScroll: true});
    set(100 * (event.clientX - box.left) / box.width);
  }

  function resize() {
    const zoom = Number(find(".zoom").value);
    root.style.setProperty("--side", data.side);
    root.style.setProperty("--zoom", zoom);
    root.classList.toggle("enlarged", zoom > 1);
  }

  // On a phone as large as lets two stand side by side.
  function fit() {
    const zoom = find(".zoom"), gap = 12, widest = Math.floor((root.clientWidth - gap) / 2 / data.side);
    zoom.value = Math.max(1, Math.min(zoom.value, widest));
  }

  root.querySelectorAll(".shots input").forEach((input) => input.addEventListener("change", () => {
    stop();
    draw();
    move(0);
    if (frames() > 1 && !calm.matches) run(); else measure();
  }));
  root.querySelectorAll(".shots img").forEach((image, number) => {
    image.style.setProperty("--frames", data.shots[number].frames);
    image.style.setProperty("--at", 0);
    put(image, data.originals[number]);
  });
  root.querySelectorAll(".views input").forEach((input) => input.addEventListener("change", draw));
  against.addEventListener("change", () => { draw(); set(wipe.value); });
  find(".gain").addEventListener("change", () => root.style.setProperty("--gain", find(".gain").value));
  find(".zoom").addEventListener("change", resize);
  wipe.addEventListener("input", () => set(wipe.value));
  at.addEventListener("input", () => { stop(); move(Number(at.value)); measure(); });
  play.addEventListener("click", () => timer ? stop() : run());
  for (const picture of given) {
    const frame = picture.querySelector(".frame");
    frame.addEventListener("pointerdown", drag);
    frame.addEventListener("pointermove", drag);
  }
  root.style.setProperty("--gain", find(".gain").value);
  fit();
  resize();
  draw();
  move(0);
  set(0);
  measure();
  return data;
}

// The codes of a trial: its maps are drawn when they are looked at.
function drawMaps(part, galleries) {
  const data = galleries[part.dataset.gallery], trial = data.trials[part.dataset.trial];
  for (const map of part.querySelectorAll(".map")) {
    const row = map.querySelector(".row");
    if (row.childElementCount) continue;
    data.shots.forEach((shot, number) => {
      if (shot.frames > 1) return;
      const image = new Image();
      image.src = WEBP + trial.maps[map.dataset.map][number];
      image.alt = `Codes of ${shot.told}`;
      row.append(image);
    });
  }
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches("#samples .codes")) return;
  target.open = true;
  target.scrollIntoView();
}

const galleries = [...document.querySelectorAll("#samples .gallery")].map(start);
for (const part of document.querySelectorAll("#samples .codes")) {
  part.addEventListener("toggle", () => part.open && drawMaps(part, galleries));
  if (part.open) drawMaps(part, galleries);
}
addEventListener("hashchange", openTarget);
openTarget();
