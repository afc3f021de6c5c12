"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const controls = document.querySelector(".controls");
  controls.hidden = false;
  document.body.classList.add("tabbed");

  const show = (split) => {
    all("main").forEach((part) => { part.hidden = part.dataset.split !== split; });
    all(".tabs button").forEach((tab) => tab.setAttribute("aria-selected", String(tab.dataset.split === split)));
  };
  all(".tabs button").forEach((tab) => tab.addEventListener("click", () => show(tab.dataset.split)));
  show(document.querySelector("main").dataset.split);

  all(".controls input").forEach((box) => box.addEventListener("change", () => {
    all(`tbody tr.${box.dataset.kind}`).forEach((row) => { row.hidden = !box.checked; });
  }));

  const key = (row, index) => {
    const cell = row.cells[index];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    if (cell.classList.contains("none") || text === "") return null;
    if (cell.classList.contains("n")) return parseInt(text, 10);
    return text.toLowerCase();
  };
  const compare = (a, b) => (typeof a === "string" || typeof b === "string" ? String(a).localeCompare(String(b)) : a - b);

  all("thead button").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const index = head.cellIndex;
    const body = head.closest("table").tBodies[0];
    const first = index === 0 || head.dataset.better === "-1" ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    all("th", head.parentElement).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row, place) => ({ row, place, key: key(row, index) }));
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      return sign * compare(a.key, b.key) || a.place - b.place;
    });
    body.append(...rows.map((entry) => entry.row));
  }));
})();
