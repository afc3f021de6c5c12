"use strict";
const rows = [...document.querySelectorAll("article.row")];
const form = document.querySelector("form.filters");
const shown = document.getElementById("shown");
let current = -1;

function fits(row) {
  const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  return (!form.status.value || row.dataset.status.split(" ").includes(form.status.value))
    && (!form.subject.value || row.dataset.subject === form.subject.value)
    && (!form.type.value || row.dataset.type === form.type.value)
    && words.every((word) => row.dataset.words.includes(word));
}

function filter() {
  let count = 0;
  for (const row of rows) {
    row.hidden = !fits(row);
    count += !row.hidden;
  }
  shown.textContent = count;
  current = -1;
}

function step(by) {
  const visible = rows.filter((row) => !row.hidden);
  if (!visible.length) return;
  current = Math.min(visible.length - 1, Math.max(0, current + by));
  visible[current].scrollIntoView({ block: "start" });
  visible[current].focus({ preventScroll: true });
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing) return;
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
  if (event.key === "/") {
    event.preventDefault();
    form.search.focus();
  }
});
