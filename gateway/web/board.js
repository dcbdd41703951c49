// Rows of a board. Names are data: they go in as text and nowhere else.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const SLIDE_MS = 500;

export const whole = new Intl.NumberFormat("en");

export function duration(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

// Two decimals, or four for all where one has more: points stand below each other.
function decimals(entries) {
  return entries.some((entry) => Math.abs(entry.total_score * 100 - Math.round(entry.total_score * 100)) > 1e-6) ? 4 : 2;
}

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export class Rows {
  #rows = new Map();

  // body: a tbody; ownId: whose row is marked; onChoose(entry): with it names are buttons.
  constructor(body, ownId, onChoose) {
    Object.assign(this, { body, ownId, onChoose, chosen: null });
  }

  // moving: the same list a moment later, so that rows slide and flash; else it is another one.
  show(entries, moving) {
    const before = new Map();
    if (moving && !still.matches) {
      for (const [id, row] of this.#rows) before.set(id, row.line.getBoundingClientRect().top);
    }
    const places = decimals(entries);
    const known = this.#rows;
    this.#rows = new Map();
    const changed = [];
    for (const entry of entries) {
      const row = known.get(entry.user_id) ?? this.#make(entry);
      const old = row.entry;
      this.#fill(row, entry, places, moving ? old : null);
      if (moving && (!old || old.total_score !== entry.total_score)) changed.push(row.line);
      this.#rows.set(entry.user_id, row);
    }
    this.#arrange([...this.#rows.values()].map((row) => row.line));
    if (!moving || still.matches) return;
    const flash = getComputedStyle(document.documentElement).getPropertyValue("--flash");
    for (const [id, row] of this.#rows) {
      const top = before.get(id);
      const way = top === undefined ? 0 : top - row.line.getBoundingClientRect().top;
      if (way) {
        row.line.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }],
          { duration: SLIDE_MS, easing: "cubic-bezier(.2, .7, .2, 1)" });
      }
    }
    for (const line of changed) {
      line.animate([{ backgroundColor: flash }, {}], { duration: 1600, easing: "ease-out" });
    }
  }

  choose(userId) {
    this.chosen = userId;
    for (const [id, row] of this.#rows) row.person.setAttribute("aria-pressed", id === userId);
  }

  // Rows that stand right already stay where they are, and whatever has the focus keeps it.
  #arrange(lines) {
    const wanted = new Set(lines);
    for (const line of [...this.body.children]) if (!wanted.has(line)) line.remove();
    const focused = document.activeElement;
    let next = this.body.firstElementChild;
    for (const line of lines) {
      if (line === next) next = next.nextElementSibling;
      else this.body.insertBefore(line, next);
    }
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
  }

  #make(entry) {
    const line = element("tr");
    const rank = element("td", "rank");
    const disc = element("span", "disc");
    rank.append(disc);
    const name = element("th");
    name.scope = "row";
    const person = element(this.onChoose ? "button" : "span", "person");
    const full = element("bdi", "full"), user = element("bdi", "user");
    person.append(full, user);
    name.append(person);
    if (this.onChoose) {
      person.type = "button";
      person.setAttribute("aria-pressed", entry.user_id === this.chosen);
      person.addEventListener("click", () => this.onChoose(row.entry));
    }
    const score = element("td", "number score"), time = element("td", "number time");
    line.append(rank, name, score, time);
    if (entry.user_id === this.ownId) {
      line.classList.add("own");
      line.setAttribute("aria-current", "true");
    }
    const row = { line, rank, disc, person, full, user, score, time, entry: null };
    return row;
  }

  #fill(row, entry, places, old) {
    row.entry = entry;
    row.line.dataset.userId = entry.user_id;
    row.line.dataset.rank = entry.rank;
    row.disc.textContent = whole.format(entry.rank);
    if (!old || old.rank !== entry.rank) row.rank.querySelector(".moved")?.remove();
    if (old && old.rank !== entry.rank) {
      const up = entry.rank < old.rank, way = Math.abs(entry.rank - old.rank);
      const moved = element("span", up ? "moved up" : "moved down");
      const arrow = element("span", "", `${up ? "▲" : "▼"}${way}`);
      arrow.setAttribute("aria-hidden", "true");
      moved.append(arrow, element("span", "hidden", `${up ? "up" : "down"} ${way}`));
      row.rank.append(moved);
    }
    row.full.textContent = entry.full_name;
    row.full.title = entry.full_name;
    row.user.textContent = entry.username + (entry.user_id === this.ownId ? " · you" : "");
    row.score.textContent = entry.total_score.toFixed(places);
    row.time.textContent = duration(entry.total_time_sec);
  }
}
