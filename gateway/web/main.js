// The live board: who is looking, at which exam, and what he sees.

import { Api, Refusal, explain } from "./api.js";
import { Rows, whole } from "./board.js";
import { Histogram, Ranks } from "./charts.js";
import { Everyone, MOST } from "./everyone.js";
import { Live } from "./live.js";

const SPEAK_MS = 10_000;
const MOST_FOUND = 200;
const WORDS = { connecting: "Connecting", live: "Live", polling: "Asking every 2 s", lost: "Connection lost", refused: "Interrupted" };
// What no header can carry would look like a lost connection.
const TOKEN = /^[\x21-\x7e]+$/;
const NO_STREAM = "Live updates are not to be had just now, so this page asks for news every 2 seconds.";

const at = (id) => document.getElementById(id);
const histogram = new Histogram(at("histogram"));
const ranks = new Ranks(at("ranks"));
let view = null;
// The API as whoever is signed in calls it.
let caller = null;
// The exam that an address has asked for.
let asked = null;
let histogramSeen = false;

class View {
  page = 1;
  size = Number(at("size").value);
  pages = 1;
  total = 0;
  revision = null;
  #etag = null;
  #etagOf = "";
  #shown = "";
  #chosen = null;
  #trail = [];
  #after = 0;
  #trailing = false;
  #spokenAt = -SPEAK_MS;
  #timers = new Set();
  #gathering = null;
  #toSay = "";

  constructor(api, examId) {
    this.api = api;
    this.examId = examId;
    this.everyone = new Everyone(api, examId);
    this.rows = new Rows(at("rows"), api.isCandidate ? api.userId : null, api.isStaff ? (entry) => this.choose(entry) : null);
    this.ownRows = new Rows(at("own-rows"), api.userId, null);
    at("rows").replaceChildren();
    at("own-rows").replaceChildren();
    at("own").hidden = !api.isCandidate;
    at("history").hidden = !api.isStaff;
    at("ranks").hidden = true;
    at("ranks-note").textContent = "Choose a candidate in the table to see how he came to his rank.";
    at("revision").textContent = at("participants").textContent = "–";
    this.live = new Live(api, examId, (anew) => this.refresh(anew), (state, error) => this.tell(state, error));
  }

  stop() {
    this.live.stop();
    this.#timers.forEach(clearTimeout);
    clearTimeout(this.#gathering);
  }

  get searching() {
    return at("search").value.trim() !== "";
  }

  // Reads the page, shows it and returns its revision.
  async refresh(anew) {
    const { page, size } = this;
    const asked = `${page}:${size}`;
    const { body, etag } = await this.api.get("/leaderboard",
      { exam_id: this.examId, page, per_page: size }, !anew && asked === this.#etagOf ? this.#etag : null);
    if (view !== this) return this.revision;
    if (body) {
      // Answers may overtake each other; only another history (anew) may go back.
      if (asked !== `${this.page}:${this.size}` || (!anew && body.revision < this.revision)) return this.revision;
      this.#etag = etag;
      this.#etagOf = asked;
      this.show(body, asked);
      if (body.my_entry) await this.#showOwn(body.my_entry);
      else if (this.api.isCandidate) this.#showNoOwn();
    }
    this.#later();
    return this.revision;
  }

  show(body, asked) {
    const moving = this.#shown === asked && body.revision !== this.revision;
    this.#shown = asked;
    this.revision = body.revision;
    this.total = body.total_participants;
    this.pages = Math.max(1, Math.ceil(this.total / this.size));
    at("title").textContent = body.exam_title;
    document.title = `${body.exam_title} · Podium`;
    at("revision").textContent = whole.format(body.revision);
    at("participants").textContent = whole.format(this.total);
    if (this.page > this.pages) {
      this.go(this.pages);
      return;
    }
    if (!this.searching) {
      this.rows.show(body.leaderboard, moving);
      this.#frame(body.leaderboard.length, "Nobody has a score yet. The first one appears here by itself.");
    }
    if (this.page === 1 && body.leaderboard.length) {
      const [first] = body.leaderboard;
      this.say(`${whole.format(this.total)} candidates. ${first.full_name} leads with ${first.total_score}.`);
    }
  }

  async #showOwn(entry) {
    at("own-none").hidden = true;
    at("own-table").hidden = false;
    const place = document.createElement("b");
    place.textContent = whole.format(entry.rank);
    at("own-place").replaceChildren(place, ` ${entry.rank === 1 ? "first place" : "is your rank"} among ${whole.format(this.total)}`);
    const { body } = await this.api.get("/leaderboard/around", { exam_id: this.examId, user_id: this.api.userId, window: 2 });
    this.ownRows.show(body.leaderboard, at("own-rows").childElementCount > 0);
    this.say(`You are at rank ${entry.rank} of ${this.total}.`);
  }

  #showNoOwn() {
    at("own-none").hidden = false;
    at("own-table").hidden = true;
    at("own-place").replaceChildren();
  }

  #frame(count, nothing) {
    at("empty").hidden = count > 0;
    at("empty").textContent = nothing;
    at("pager").hidden = this.searching;
    at("page").textContent = `Page ${whole.format(this.page)} of ${whole.format(this.pages)}`;
    at("first").disabled = at("previous").disabled = this.page <= 1;
    at("next").disabled = at("last").disabled = this.page >= this.pages;
  }

  go(page) {
    const wanted = Math.min(Math.max(1, page), this.pages);
    if (wanted === this.page) return;
    this.page = wanted;
    this.read();
  }

  // Reads at once what the user asked for; outages are told by the polling.
  async read() {
    try {
      await this.refresh(false);
    } catch (error) {
      this.tell(error instanceof Refusal ? "refused" : "lost", error);
      this.live.hurry();
    }
  }

  async search() {
    if (!this.searching) {
      at("search-note").hidden = true;
      this.#etagOf = this.#shown = "";
      await this.read();
      return;
    }
    await this.#gather(true);
  }

  // What is not worth an interruption: the histogram, the search's data, the rank of one.
  #later() {
    if (histogramSeen || this.searching) this.#gather(false);
    if (this.#chosen) this.#follow();
  }

  async #gather(asked) {
    if (this.searching && !this.everyone.entries.length) {
      at("search-note").hidden = false;
      at("search-note").textContent = "Loading all names …";
    }
    let fresh = false;
    try {
      fresh = await this.everyone.load(this.revision);
    } catch (error) {
      this.#gatherAgain();
      // Who searches must know why nothing comes.
      if (this.searching) at("search-note").textContent = explain(error);
      return;
    }
    if (view !== this) return;
    this.#gatherAgain();
    if (fresh) at("histogram-note").textContent = histogram.show(this.everyone.entries);
    if (this.searching && (fresh || asked)) this.#showFound();
  }

  // The last change of a board is followed by none that would bring it here.
  #gatherAgain() {
    clearTimeout(this.#gathering);
    if (view !== this || this.everyone.revision === this.revision) return;
    this.#gathering = setTimeout(() => this.#gather(false), Math.max(1000, this.everyone.wait));
  }

  #showFound() {
    const found = this.everyone.find(at("search").value);
    const notes = [`${whole.format(found.length)} of ${whole.format(this.everyone.entries.length)} candidates, as of revision ${whole.format(this.everyone.revision)}.`];
    if (found.length > MOST_FOUND) notes.push(`The first ${MOST_FOUND} are shown.`);
    if (this.everyone.tooMany) notes.push(`Only the first ${whole.format(MOST)} ranks are searched.`);
    at("search-note").hidden = false;
    at("search-note").textContent = notes.join(" ");
    this.#shown = "";
    this.rows.show(found.slice(0, MOST_FOUND), false);
    this.#frame(found.length, "Nobody of that name is on this board.");
    this.say(notes[0]);
  }

  async choose(entry) {
    this.#chosen = entry;
    this.#trail = [];
    this.#after = 0;
    this.rows.choose(entry.user_id);
    at("ranks-note").textContent = "Loading …";
    await this.#follow();
  }

  // Reads what the history has beyond what is known of the chosen one, and where he is now.
  async #follow() {
    const chosen = this.#chosen;
    if (this.#trailing) return;
    this.#trailing = true;
    try {
      const { body: now } = await this.api.get(`/leaderboard/entries/${chosen.user_id}`, { exam_id: this.examId });
      for (let next = this.#after; next !== null;) {
        const { body } = await this.api.get("/audit", { exam_id: this.examId, session_id: now.session_id, after: next, limit: 1000 });
        if (chosen !== this.#chosen) return;
        this.#trail.push(...body.entries.map((row) => [Date.parse(row.created_at) / 1000, row.rank]));
        this.#after = body.entries.at(-1)?.audit_id ?? this.#after;
        next = body.next_after;
      }
      const points = [...this.#trail, [Math.max(Date.now() / 1000, this.#trail.at(-1)?.[0] ?? 0), now.rank]];
      at("ranks").hidden = false;
      ranks.set([points.map((point) => point[0]), points.map((point) => point[1])]);
      const best = Math.min(...points.map((point) => point[1]));
      const handed = `${this.#trail.length} submission${this.#trail.length === 1 ? "" : "s"}`;
      at("ranks-note").textContent = `${now.full_name}: rank ${now.rank} now, ${best} at best, after ${handed}. Each point is his rank after a submission of his; the last is now.`;
    } catch (error) {
      at("ranks-note").textContent = explain(error);
    } finally {
      this.#trailing = false;
      if (this.#chosen && chosen !== this.#chosen) this.#follow();
    }
  }

  tell(state, error) {
    if (view !== this && view !== null) return;
    const sign = at("connection");
    if (sign.dataset.state !== state) {
      sign.dataset.state = state;
      sign.textContent = WORDS[state];
      if (state === "live") this.say("The board is live.");
      else if (error) this.say(WORDS[state]);
    }
    if (error?.status === 401) {
      signOut(explain(error));
      return;
    }
    notice(error ? explain(error) : state === "polling" ? NO_STREAM : "", Boolean(error));
  }

  // For screen readers: the last thing worth telling, no more than one in ten seconds, and nothing
  // twice in a row.
  say(text) {
    this.#toSay = text;
    if (this.#timers.size) return;
    const wait = Math.max(0, this.#spokenAt + SPEAK_MS - performance.now());
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (at("spoken").textContent === this.#toSay) return;
      this.#spokenAt = performance.now();
      at("spoken").textContent = this.#toSay;
    }, wait);
    this.#timers.add(timer);
  }
}

function notice(text, retry) {
  at("notice").hidden = !text;
  if (at("notice-text").textContent !== text) at("notice-text").textContent = text;
  at("retry").hidden = !retry;
}

// The token goes out of the address at once: addresses are shared, logged and looked at. Returns
// whether there was one.
function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("token") && !given.has("exam_id")) return false;
  if (given.has("token")) sessionStorage.setItem("podium.token", given.get("token"));
  if (given.has("exam_id")) {
    asked = given.get("exam_id").trim();
    sessionStorage.setItem("podium.exam", asked);
  }
  history.replaceState(null, "", location.pathname);
  return true;
}

function signOut(why = "") {
  sessionStorage.removeItem("podium.token");
  view?.stop();
  view = null;
  for (const id of ["app", "exam-choice", "sign-out"]) at(id).hidden = true;
  at("who").textContent = "";
  at("sign-in").hidden = false;
  notice(why, false);
}

async function start() {
  const token = sessionStorage.getItem("podium.token");
  if (!token) {
    await startWithoutToken();
    return;
  }
  if (!TOKEN.test(token)) {
    signOut("That is no token: one has neither blanks nor letters with accents. Copy it once more.");
    return;
  }
  view?.stop();
  view = null;
  // Nothing of whoever looked before stays in sight.
  for (const id of ["app", "exam-choice"]) at(id).hidden = true;
  const api = caller = new Api(token);
  at("sign-in").hidden = true;
  at("sign-out").hidden = false;
  at("sign-out").textContent = "Sign out";
  at("who").textContent = api.userId ? `${api.role} ${api.userId}` : api.role;
  let exams;
  for (let failures = 0; ; failures += 1) {
    try {
      exams = await listExams(api);
      break;
    } catch (error) {
      if (sessionStorage.getItem("podium.token") !== token) return;
      if (error.status === 401) {
        signOut(explain(error));
        return;
      }
      notice(explain(error), false);
      const wait = Math.max(error.retryAfterMs ?? 0, Math.min(10_000, 500 * 2 ** failures));
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  if (sessionStorage.getItem("podium.token") !== token) return;
  notice(exams.length ? "" : "There is no exam yet. Load this page again once there is one.", false);
  at("exam-choice").hidden = !exams.length;
  at("exam").replaceChildren(...exams.map((exam) => new Option(exam.title, exam.exam_id)));
  const wanted = sessionStorage.getItem("podium.exam");
  if (exams.some((exam) => String(exam.exam_id) === wanted)) show(api, Number(wanted));
  // What an address names is not replaced by another exam; what this tab remembers is.
  else if (asked !== null && wanted === asked && exams.length) {
    at("exam").selectedIndex = -1;
    notice(/^[1-9]\d*$/.test(asked)
      ? `There is no exam ${asked} for you: it does not exist, or you may not see it. Choose one above.`
      : "The address names no exam. Choose one above.", false);
  } else if (exams.length) show(api, exams.at(-1).exam_id);
}

// Shows the board that the address or this tab names, where it is open to everyone.
async function startWithoutToken() {
  const wanted = sessionStorage.getItem("podium.exam");
  const api = new Api(null);
  try {
    if (!/^[1-9]\d*$/.test(wanted ?? "")) throw new Refusal(401, {}, null);
    await api.get(`/exams/${wanted}`, {});
  } catch (error) {
    if (!sessionStorage.getItem("podium.token")) signOut(error.status === 401 ? "" : explain(error));
    return;
  }
  if (sessionStorage.getItem("podium.token")) return;
  caller = api;
  for (const id of ["sign-in", "exam-choice"]) at(id).hidden = true;
  at("sign-out").hidden = false;
  at("sign-out").textContent = "Sign in";
  at("who").textContent = "";
  show(api, Number(wanted));
}

async function listExams(api) {
  const exams = [];
  for (let after = 0; after !== null;) {
    const { body } = await api.get("/exams", { after, limit: 1000 });
    exams.push(...body.exams);
    after = body.next_after;
  }
  return exams;
}

function show(api, examId) {
  view?.stop();
  sessionStorage.setItem("podium.exam", examId);
  notice("", false);
  at("exam").value = examId;
  at("search").value = "";
  at("search-note").hidden = true;
  at("app").hidden = false;
  view = new View(api, examId);
}

at("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("podium.token", at("token").value.trim());
  at("token").value = "";
  start();
});
at("sign-out").addEventListener("click", () => signOut());
at("retry").addEventListener("click", () => view?.live.hurry());
at("exam").addEventListener("change", () => show(caller, Number(at("exam").value)));
at("size").addEventListener("change", () => {
  if (!view) return;
  // The first row stays in sight.
  view.page = Math.floor(((view.page - 1) * view.size) / Number(at("size").value)) + 1;
  view.size = Number(at("size").value);
  view.read();
});
at("first").addEventListener("click", () => view.go(1));
at("previous").addEventListener("click", () => view.go(view.page - 1));
at("next").addEventListener("click", () => view.go(view.page + 1));
at("last").addEventListener("click", () => view.go(view.pages));
at("search").addEventListener("input", () => view.search());

document.addEventListener("keydown", (event) => {
  if (!view || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === at("search")) {
    if (event.key === "Escape") {
      at("search").value = "";
      at("search").blur();
      view.search();
    }
    return;
  }
  if (event.target.closest("input, select, textarea")) return;
  const people = [...at("rows").querySelectorAll("button.person")];
  const focused = people.indexOf(event.target);
  if (focused >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    people[focused + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  } else if (event.key === "/") at("search").focus();
  else if (view.searching) return;
  else if (event.key === "ArrowRight" || event.key === "PageDown") view.go(view.page + 1);
  else if (event.key === "ArrowLeft" || event.key === "PageUp") view.go(view.page - 1);
  else if (event.key === "Home") view.go(1);
  else if (event.key === "End") view.go(view.pages);
  else return;
  event.preventDefault();
});

new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting) || histogramSeen) return;
  histogramSeen = true;
  view?.read();
}).observe(at("histogram"));

addEventListener("hashchange", () => {
  // The link that skips to the board changes the address too.
  if (fromAddress()) start();
});
addEventListener("online", () => view?.live.hurry());

fromAddress();
start();
